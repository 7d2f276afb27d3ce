/** The thread as the visitor sees it: pure functions over immutable entries. */

import type { Attachment, Outgoing, VisitorMessage } from "./contract";

/** What became of a message of ours so far. "accepted": the server has it, the thread does not show it yet. */
export type LocalState = "waiting" | "sending" | "accepted" | "failed";

export interface Local {
  state: LocalState;
  outgoing: Outgoing;
  reason?: string;
}

export interface Entry extends VisitorMessage {
  /** Stays the same when the server's row takes the place of the optimistic one. */
  key: string;
  local?: Local;
}

export function keyOf(message: VisitorMessage): string {
  return message.client_message_id ?? message.id;
}

export function optimistic(outgoing: Outgoing, attachments: Attachment[], now: Date): Entry {
  return {
    id: outgoing.client_message_id,
    key: outgoing.client_message_id,
    client_message_id: outgoing.client_message_id,
    from: "visitor",
    text: outgoing.text,
    at: now.toISOString(),
    sort: "",
    version: 0,
    attachments,
    local: { state: "waiting", outgoing },
  };
}

function order(a: Entry, b: Entry): number {
  // What the server has not placed yet stands last, in the order of writing (sort is stable).
  if (!a.sort || !b.sort) return a.sort ? -1 : b.sort ? 1 : 0;
  return a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0;
}

/** `entries` with `messages` in their places. Of two states of one message the higher version stays. */
export function merge(entries: readonly Entry[], messages: readonly VisitorMessage[]): Entry[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const message of messages) {
    const key = keyOf(message);
    const known = byKey.get(key);
    if (known?.sort && (known.version ?? 0) > (message.version ?? 0)) continue;
    byKey.set(key, { ...message, key });
  }
  return [...byKey.values()].sort(order);
}

export function withLocal(entries: readonly Entry[], key: string, state: LocalState, reason?: string): Entry[] {
  return entries.map((entry) =>
    entry.key === key && entry.local
      ? { ...entry, local: { outgoing: entry.local.outgoing, state, ...(reason ? { reason } : {}) } }
      : entry,
  );
}

export function lastSort(entries: readonly Entry[]): string | null {
  return entries.findLast((entry) => entry.sort)?.sort ?? null;
}

export function firstSort(entries: readonly Entry[]): string | null {
  return entries.find((entry) => entry.sort)?.sort ?? null;
}

export function newestFromAgent(entries: readonly Entry[]): Entry | null {
  return entries.findLast((entry) => entry.from === "agent") ?? null;
}

/** Messages of agents that the visitor has not seen: neither the server nor this window says so. */
export function unreadCount(entries: readonly Entry[], seenSort: string): number {
  return entries.filter(
    (entry) => entry.from === "agent" && entry.state !== "read" && !entry.deleted && entry.sort > seenSort,
  ).length;
}

export function waiting(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => entry.local?.state === "waiting" || entry.local?.state === "sending");
}

/** What the server has not taken yet, given up or not. */
export function unsent(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => entry.local && entry.local.state !== "accepted");
}
