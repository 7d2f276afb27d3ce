/** The conversation's part of the frame, once it has come. The panel draws without it until then. */

import type { Chat } from "./chat.svelte";
import type { Uploads } from "./talk/uploads.svelte";

type Module = typeof import("./talk");
export type Talk = Module & { uploads: Uploads };

let loaded = $state.raw<Talk | null>(null);
let loading: Promise<Talk> | null = null;

export function talk(): Talk | null {
  return loaded;
}

/** A failed download rejects and is tried again by the next call. */
export function loadTalk(chat: Chat): Promise<Talk> {
  loading ??= import("./talk").then(
    (module) => (loaded = { ...module, uploads: new module.Uploads(chat) }),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}
