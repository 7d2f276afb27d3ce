import type { Conversation, Counts, Sort, View } from "$lib/api/types";
import { VIEWS } from "$lib/api/types";

export interface ListQuery {
  view: View;
  channel: string | null;
  label: string | null;
  sort: Sort;
}

const isActive = (row: Conversation) => row.status === "open" || row.status === "pending";

const MEMBER: Record<View, (row: Conversation, me: string) => boolean> = {
  mine: (row, me) => isActive(row) && row.assignee_id === me,
  unassigned: (row) => isActive(row) && !row.assignee_id,
  all: isActive,
  snoozed: (row) => row.status === "snoozed",
  resolved: (row) => row.status === "resolved",
};

export function inView(row: Conversation, view: View, me: string): boolean {
  return MEMBER[view](row, me);
}

export function matches(row: Conversation, query: ListQuery, me: string): boolean {
  if (query.channel && row.channel_id !== query.channel) return false;
  if (query.label && !(row.label_ids ?? []).includes(query.label)) return false;
  return inView(row, query.view, me);
}

const byId = (a: Conversation, b: Conversation) => (a.id < b.id ? -1 : 1);
const byActivity = (a: Conversation, b: Conversation) =>
  a.last_activity_at === b.last_activity_at ? byId(a, b) : a.last_activity_at > b.last_activity_at ? -1 : 1;

function byWaiting(a: Conversation, b: Conversation): number {
  if (a.waiting_since && b.waiting_since && a.waiting_since !== b.waiting_since) {
    return a.waiting_since < b.waiting_since ? -1 : 1;
  }
  if (Boolean(a.waiting_since) !== Boolean(b.waiting_since)) return a.waiting_since ? -1 : 1;
  return byActivity(a, b);
}

/** The order of a list. Total: two different rows never compare equal. */
export const COMPARE: Record<Sort, (a: Conversation, b: Conversation) => number> = {
  newest: byActivity,
  oldest: (a, b) => -byActivity(a, b),
  waiting: byWaiting,
};

export const noCounts = (): Counts => ({ mine: 0, unassigned: 0, all: 0, snoozed: 0, resolved: 0 });

/** How the badges change when `before` becomes `after`; null means that there is no such row. */
export function countDelta(before: Conversation | null, after: Conversation | null, me: string): Partial<Counts> {
  const delta: Partial<Counts> = {};
  for (const view of VIEWS) {
    const change = Number(after !== null && inView(after, view, me)) - Number(before !== null && inView(before, view, me));
    if (change !== 0) delta[view] = change;
  }
  return delta;
}

/** Counts are never negative: a delta that arrives twice shows 0 until the next count from the server. */
export function addCounts(counts: Counts, delta: Partial<Counts>): Counts {
  const sum = { ...counts };
  for (const view of VIEWS) sum[view] = Math.max(0, sum[view] + (delta[view] ?? 0));
  return sum;
}

/**
 * Repairs an ordered list in one pass: takes the changed ids out, merges those that belong back in. Far cheaper than
 * sorting thousands of rows on every flush. `isComplete` says that the list has its last page; otherwise a row that
 * sorts behind the loaded ones stays out, because paging will bring it.
 */
export function reorder(
  ids: readonly string[],
  changed: ReadonlySet<string>,
  row: (id: string) => Conversation | undefined,
  belongs: (row: Conversation) => boolean,
  compare: (a: Conversation, b: Conversation) => number,
  isComplete: boolean,
): string[] {
  const kept = ids.filter((id) => !changed.has(id));
  const moving = [...changed].map(row).filter((item): item is Conversation => item !== undefined && belongs(item));
  moving.sort(compare);
  const merged: string[] = [];
  let next = 0;
  for (const id of kept) {
    const here = row(id);
    while (here && next < moving.length && compare(moving[next]!, here) < 0) merged.push(moving[next++]!.id);
    merged.push(id);
  }
  const known = new Set(ids);
  for (const item of moving.slice(next)) if (isComplete || known.has(item.id)) merged.push(item.id);
  return merged;
}
