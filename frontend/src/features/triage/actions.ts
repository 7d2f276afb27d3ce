import { ApiError, NetworkError } from "$lib/api/errors";
import type { Conversation, ConversationPatch, Priority } from "$lib/api/types";
import { t } from "$lib/i18n/runtime";
import { desk } from "$lib/store";
import { Conflict } from "$lib/store/desk.svelte";
import { inverse } from "$lib/store/overlays";
import { whenWords } from "$lib/time/words";

function conflictWords({ current, fields }: Conflict): string {
  if (fields.includes("assignee_id")) {
    const owner = current.assignee_id ? desk.agentById.get(current.assignee_id)?.name : undefined;
    return owner ? t("conflict.assigned", { name: owner }) : t("conflict.unassigned");
  }
  if (fields.includes("status")) return t("conflict.status", { status: current.status });
  return t("conflict.other");
}

/** Why something did not happen, for the user. */
export function errorWords(error: unknown): string {
  if (error instanceof Conflict) return conflictWords(error);
  if (error instanceof NetworkError) return t("error.network");
  if (error instanceof ApiError) return error.message;
  return t("error.unknown");
}

/** Makes a change that can be undone: shown at once, taken back with a reason when the server refuses. */
export async function change(id: string, patch: ConversationPatch, words: string, isUndo = false): Promise<void> {
  const row = desk.shown(id);
  if (!row) return;
  const back = inverse(row, patch);
  const undo = () => void change(id, back, t("undone"), true);
  desk.toasts.show(words, isUndo ? {} : { undo });
  try {
    await desk.change(id, patch);
  } catch (error) {
    desk.toasts.dropUndo(undo);
    desk.toasts.show(errorWords(error), { tone: "bad" });
  }
}

export function assign(id: string, agentId: string | null): Promise<void> {
  const name = agentId ? (desk.agentById.get(agentId)?.name ?? "") : "";
  const words = agentId === null ? t("did.unassigned") : agentId === desk.me ? t("did.assignedMe") : t("did.assigned", { name });
  return change(id, { assignee_id: agentId }, words);
}

export const resolve = (id: string) => change(id, { status: "resolved" }, t("did.resolved"));
export const reopen = (id: string) => change(id, { status: "open" }, t("did.reopened"));

export function snooze(id: string, until: Date): Promise<void> {
  const iso = until.toISOString();
  return change(id, { status: "snoozed", snoozed_until: iso }, t("did.snoozed", { when: whenWords(iso, new Date()) }));
}

export function setPriority(id: string, priority: Priority): Promise<void> {
  return change(id, { priority }, t("did.priority", { priority: t(`priority.${priority}`) }));
}

export function toggleLabel(row: Conversation, labelId: string): Promise<void> {
  const has = (row.label_ids ?? []).includes(labelId);
  const label_ids = has ? (row.label_ids ?? []).filter((id) => id !== labelId) : [...(row.label_ids ?? []), labelId];
  const name = desk.labelById.get(labelId)?.name ?? "";
  return change(row.id, { label_ids }, has ? t("did.labelRemoved", { name }) : t("did.labelAdded", { name }));
}
