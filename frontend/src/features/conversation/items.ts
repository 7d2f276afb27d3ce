import type { Message } from "$lib/api/types";
import type { Pending } from "$lib/store/outgoing.svelte";

/** One line of a thread on screen. */
export type Item =
  | { kind: "older"; key: string }
  | { kind: "day"; key: string; at: string }
  | { kind: "message"; key: string; message: Message; /** First of a run by one author. */ leads: boolean }
  | { kind: "activity"; key: string; message: Message }
  | { kind: "pending"; key: string; pending: Pending };

const RUN_MS = 5 * 60_000;

/** A message keeps the key under which it was shown before the server knew it, so it is replaced in place. */
const keyOf = (message: Message) => message.client_key ?? message.id;

function continues(before: Message | null, message: Message): boolean {
  if (!before || before.kind !== message.kind) return false;
  const sameAuthor = before.author.kind === message.author.kind && before.author.id === message.author.id;
  return sameAuthor && Date.parse(message.at) - Date.parse(before.at) < RUN_MS;
}

/** A thread as lines: days between, what is not sent yet at the end. */
export function threadItems(messages: readonly Message[], pending: readonly Pending[], hasMore: boolean): Item[] {
  const items: Item[] = hasMore ? [{ kind: "older", key: "older" }] : [];
  const days = new Set<string>();
  let before: Message | null = null;
  for (const message of messages) {
    const day = new Date(message.at).toDateString();
    if (!days.has(day)) {
      days.add(day);
      items.push({ kind: "day", key: `day ${day}`, at: message.at });
      before = null;
    }
    if (message.kind === "activity") items.push({ kind: "activity", key: message.id, message });
    else items.push({ kind: "message", key: keyOf(message), message, leads: !continues(before, message) });
    before = message;
  }
  const known = new Set(messages.map((message) => message.client_key));
  for (const item of pending) if (!known.has(item.key)) items.push({ kind: "pending", key: item.key, pending: item });
  return items;
}
