import type { Conversation, ConversationPatch } from "$lib/api/types";

interface Overlay {
  key: number;
  patch: ConversationPatch;
}

/** What the user changed and the server has not confirmed. Lies over the server's rows, never in them. */
export class Overlays {
  private readonly byId = new Map<string, Overlay[]>();
  private next = 1;

  add(id: string, patch: ConversationPatch): number {
    const key = this.next++;
    this.byId.set(id, [...(this.byId.get(id) ?? []), { key, patch }]);
    return key;
  }

  remove(id: string, key: number): void {
    const left = (this.byId.get(id) ?? []).filter((overlay) => overlay.key !== key);
    if (left.length > 0) this.byId.set(id, left);
    else this.byId.delete(id);
  }

  over(row: Conversation): Conversation {
    const overlays = this.byId.get(row.id);
    return overlays ? overlays.reduce((shown, overlay) => withPatch(shown, overlay.patch), row) : row;
  }

  ids(): Iterable<string> {
    return this.byId.keys();
  }
}

export function withPatch(row: Conversation, patch: ConversationPatch): Conversation {
  const leavesSnooze = patch.status !== undefined && patch.status !== "snoozed";
  return { ...row, ...patch, ...(leavesSnooze ? { snoozed_until: null } : {}) };
}

/** The patch that brings back what `patch` is about to change in `row`. */
export function inverse(row: Conversation, patch: ConversationPatch): ConversationPatch {
  const back: ConversationPatch = {};
  if (patch.status !== undefined) back.status = row.status;
  if (patch.status !== undefined && row.status === "snoozed") back.snoozed_until = row.snoozed_until ?? null;
  if (patch.assignee_id !== undefined) back.assignee_id = row.assignee_id ?? null;
  if (patch.priority !== undefined) back.priority = row.priority;
  if (patch.label_ids !== undefined) back.label_ids = [...(row.label_ids ?? [])];
  return back;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** The fields of `patch` that somebody else changed between the two rows. Empty: the patch can simply be repeated. */
export function conflicts(base: Conversation, current: Conversation, patch: ConversationPatch): (keyof ConversationPatch)[] {
  const fields = Object.keys(patch) as (keyof ConversationPatch)[];
  return fields.filter((field) => !same(base[field], current[field]) && !same(patch[field], current[field]));
}
