import type { Agent, Channel, Contact, Conversation, Counts, Label, Message } from "$lib/api/types";
import { addCounts, noCounts } from "./views";

/** The loaded end of a thread. `from` is the oldest `sort` it reaches; "" when it reaches the beginning. */
export interface ThreadRows {
  items: readonly Message[];
  from: string;
}

/**
 * What the server told us, and nothing else: no guesses, no overlays. Rows are immutable and replaced whole.
 * A thread is in `threads` from the moment it is opened, so that no message slips between its request and its answer.
 */
export interface Rows {
  me: string;
  conversations: Map<string, Conversation>;
  contacts: Map<string, Contact>;
  agents: Map<string, Agent>;
  channels: Map<string, Channel>;
  labels: Map<string, Label>;
  threads: Map<string, ThreadRows>;
  counts: Counts;
  openLetters: number;
}

export type Change =
  | { kind: "conversation"; row: Conversation }
  | { kind: "message"; row: Message }
  | { kind: "contact"; row: Contact }
  | { kind: "agent"; row: Agent }
  | { kind: "channel"; row: Channel }
  | { kind: "label"; row: Label }
  | { kind: "counts"; delta: Partial<Counts> }
  | { kind: "counts-unknown" }
  | { kind: "letters"; open: number };

export function emptyRows(me = ""): Rows {
  return {
    me,
    conversations: new Map(),
    contacts: new Map(),
    agents: new Map(),
    channels: new Map(),
    labels: new Map(),
    threads: new Map(),
    counts: noCounts(),
    openLetters: 0,
  };
}

/** Puts one message where its `sort` says. Appending, the usual case, costs no search. */
export function placeMessage(items: readonly Message[], row: Message): readonly Message[] {
  const at = items.findIndex((item) => item.id === row.id);
  if (at >= 0 && items[at]!.sort === row.sort) return items.with(at, row);
  const others = at >= 0 ? items.toSpliced(at, 1) : items;
  const last = others.at(-1);
  if (!last || last.sort <= row.sort) return [...others, row];
  const index = others.findIndex((item) => item.sort > row.sort);
  return others.toSpliced(index, 0, row);
}

/** Joins two pictures of a thread; where both know a message, the newer version wins. Ascending by `sort`. */
export function mergeMessages(known: readonly Message[], fetched: readonly Message[]): readonly Message[] {
  const byId = new Map(known.map((item) => [item.id, item]));
  for (const item of fetched) {
    const old = byId.get(item.id);
    if (!old || old.version < item.version) byId.set(item.id, item);
  }
  return [...byId.values()].sort((a, b) => (a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0));
}

function commitOne(rows: Rows, change: Change): void {
  switch (change.kind) {
    case "conversation":
      rows.conversations.set(change.row.id, change.row);
      break;
    case "message": {
      const thread = rows.threads.get(change.row.conversation_id);
      if (thread) rows.threads.set(change.row.conversation_id, { ...thread, items: placeMessage(thread.items, change.row) });
      break;
    }
    case "contact":
      rows.contacts.set(change.row.id, change.row);
      break;
    case "agent":
      rows.agents.set(change.row.id, change.row);
      break;
    case "channel":
      rows.channels.set(change.row.id, change.row);
      break;
    case "label":
      rows.labels.set(change.row.id, change.row);
      break;
    case "counts":
      rows.counts = addCounts(rows.counts, change.delta);
      break;
    case "letters":
      rows.openLetters = change.open;
      break;
    case "counts-unknown":
      break;
    default:
      change satisfies never;
  }
}

/** Writes what `apply` found. The only function that changes rows from events. */
export function commit(rows: Rows, changes: readonly Change[]): void {
  for (const change of changes) commitOne(rows, change);
}
