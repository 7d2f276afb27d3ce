import { upload } from "$lib/api/client";
import { ApiError } from "$lib/api/errors";
import type { Channel } from "$lib/api/types";
import { t } from "$lib/i18n/runtime";
import { fileSize } from "$lib/ui/size";
import type { DraftState } from "$lib/store/drafts.svelte";

const MOST_FILES = 10;
const AT_ONCE = 3;

function refusal(file: File, channel: Channel | undefined, isNote: boolean): string {
  if (file.size === 0) return t("file.empty");
  const limit = channel?.file_limit ?? 0;
  if (!isNote && limit > 0 && file.size > limit) {
    return t("file.tooLarge", { channel: channel?.name ?? "", limit: fileSize(limit), size: fileSize(file.size) });
  }
  return "";
}

async function send(draft: DraftState, key: string, file: File, abort: AbortController): Promise<void> {
  try {
    const attachment = await upload(file, (share) => draft.update(key, { share }), abort.signal);
    draft.update(key, { attachment, share: 1 });
  } catch (error) {
    if (abort.signal.aborted) return;
    draft.update(key, { error: error instanceof ApiError ? error.message : t("file.failed") });
  }
}

/** Adds files to a draft and uploads them, three at a time. What the channel would refuse is refused here, in words. */
export async function addFiles(draft: DraftState, files: readonly File[], channel: Channel | undefined): Promise<void> {
  const isNote = draft.mode === "note";
  const room = MOST_FILES - draft.uploads.length;
  const taken = files.slice(0, Math.max(0, room)).map((file) => {
    const error = refusal(file, channel, isNote);
    return { file, entry: { key: crypto.randomUUID(), name: file.name, size: file.size, share: 0, error, attachment: null, abort: new AbortController() } };
  });
  draft.uploads = [...draft.uploads, ...taken.map(({ entry }) => entry)];
  const queue = taken.filter(({ entry }) => entry.error === "");
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (!next.entry.abort.signal.aborted) await send(draft, next.entry.key, next.file, next.entry.abort);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export const tooManyFiles = (have: number, more: number) => have + more > MOST_FILES;
