/** Files that the visitor has chosen and not sent yet: each is uploaded at once and can be taken back. */

import { Refused, refused, Unreachable } from "../api";
import type { Chat } from "../chat.svelte";
import type { Attachment, Upload } from "../contract";
import { t } from "../i18n";
import { size } from "./format";

export const FILES_AT_ONCE = 10;

export interface Draft {
  key: number;
  name: string;
  size: number;
  preview: string | null; // blob: address of a picture
  share: number;
  upload: Upload | null;
  problem: string | null;
}

interface Running {
  file: File;
  stop: AbortController;
}

export class Uploads {
  drafts = $state.raw<Draft[]>([]);
  problem = $state.raw<string | null>(null);
  busy = $derived(this.drafts.some((draft) => !draft.upload && !draft.problem));
  ready = $derived(this.drafts.filter((draft) => draft.upload));

  private running = new Map<number, Running>();
  private last = 0;

  constructor(private readonly chat: Chat) {}

  add(files: readonly File[]): void {
    this.problem = null;
    const limit = this.chat.config?.upload_limit ?? Infinity;
    for (const file of files) {
      if (this.drafts.length >= FILES_AT_ONCE) {
        this.problem = t("too_many_files", { n: FILES_AT_ONCE });
        return;
      }
      if (file.size > limit) this.problem = t("file_too_large", { name: file.name, limit: size(limit) });
      else this.begin(file);
    }
  }

  retry(key: number): void {
    const { file } = this.running.get(key)!;
    this.change(key, { problem: null, share: 0 });
    void this.run(key, file);
  }

  remove(key: number): void {
    this.running.get(key)?.stop.abort();
    this.running.delete(key);
    const draft = this.drafts.find((each) => each.key === key);
    if (draft?.preview) URL.revokeObjectURL(draft.preview);
    this.drafts = this.drafts.filter((each) => each.key !== key);
  }

  /** Hand over what is uploaded and forget it. */
  takeAll(): { upload: Upload; attachment: Attachment }[] {
    const taken = this.ready.map((draft) => ({ upload: draft.upload!, attachment: shownAs(draft.upload!) }));
    for (const draft of this.ready) this.remove(draft.key);
    return taken;
  }

  private begin(file: File): void {
    const key = ++this.last;
    const preview = /^image\/(png|jpe?g|gif|webp|avif)$/.test(file.type) ? URL.createObjectURL(file) : null;
    const draft = { key, name: file.name, size: file.size, preview, share: 0, upload: null, problem: null };
    this.drafts = [...this.drafts, draft];
    void this.run(key, file);
  }

  private async run(key: number, file: File): Promise<void> {
    const stop = new AbortController();
    this.running.set(key, { file, stop });
    try {
      const token = await this.chat.ensureToken();
      const upload = await post(this.chat.uploadUrl(), token, file, (share) => this.change(key, { share }), stop.signal);
      this.change(key, { upload, share: 1 });
    } catch (error) {
      const reason =
        error instanceof Refused ? error.words || t("server_words", { status: error.status }) : t("no_connection");
      this.change(key, { problem: t("file_failed", { name: file.name, reason }) });
    }
  }

  private change(key: number, values: Partial<Draft>): void {
    this.drafts = this.drafts.map((draft) => (draft.key === key ? { ...draft, ...values } : draft));
  }
}

function shownAs(upload: Upload): Attachment {
  const family = upload.content_type.split("/")[0]!;
  const kind = family === "image" || family === "video" || family === "audio" ? family : "document";
  return { id: upload.upload_id, kind, state: "ready", ...upload };
}

/** Upload with progress between 0 and 1 (fetch reports none). `signal` cancels: it then rejects as Unreachable. */
function post(
  url: string,
  token: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    request.open("POST", url);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText) as Upload);
      else reject(refused(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = request.onabort = () => reject(new Unreachable());
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}
