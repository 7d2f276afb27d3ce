/** A place in the event log: `epoch:seq`. The epoch changes when the log itself was replaced, as by a restore. */
export interface Cursor {
  epoch: string;
  seq: number;
}

export function parseCursor(text: string | null | undefined): Cursor | null {
  if (!text) return null;
  const colon = text.lastIndexOf(":");
  const seq = Number(text.slice(colon + 1));
  return colon > 0 && Number.isSafeInteger(seq) ? { epoch: text.slice(0, colon), seq } : null;
}

/** True when an event at `cursor` was already applied by a reader that stands at `at`. */
export function isOld(cursor: Cursor | null, at: Cursor | null): boolean {
  return cursor !== null && at !== null && cursor.epoch === at.epoch && cursor.seq <= at.seq;
}

/** True when the log has moved on from where the reader stands. */
export function isAhead(head: Cursor | null, at: Cursor | null): boolean {
  if (!head) return false;
  return !at || head.epoch !== at.epoch || head.seq > at.seq;
}
