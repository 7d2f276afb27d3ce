import type { Contact, Conversation, LiveEvent, Message } from "$lib/api/types";
import type { Change, Rows } from "./rows";
import { countDelta } from "./views";

/**
 * A conversation as it is now. Older or equal versions change nothing, so a duplicate, a replay and an answer that
 * was overtaken by its own event are all harmless. The badges are exact where the old row is known.
 */
export function conversationChanges(rows: Rows, row: Conversation, isNew = false): Change[] {
  const old = rows.conversations.get(row.id);
  if (old && old.version >= row.version) return [];
  const changes: Change[] = [{ kind: "conversation", row }];
  if (!old && !isNew) return [...changes, { kind: "counts-unknown" }];
  const delta = countDelta(old ?? null, row, rows.me);
  if (Object.keys(delta).length > 0) changes.push({ kind: "counts", delta });
  return changes;
}

/**
 * A message of a thread that is not open changes nothing, nor does one from a page that is not loaded: opening the
 * thread and paging back fetch them as they are then.
 */
export function messageChanges(rows: Rows, row: Message): Change[] {
  const thread = rows.threads.get(row.conversation_id);
  if (!thread) return [];
  const old = thread.items.findLast((item) => item.id === row.id);
  const isUseful = old ? old.version < row.version : row.sort >= thread.from;
  return isUseful ? [{ kind: "message", row }] : [];
}

function contactChanges(rows: Rows, row: Contact): Change[] {
  const old = rows.contacts.get(row.id);
  if (old && old.version >= row.version) return [];
  const changes: Change[] = [{ kind: "contact", row }];
  for (const conversation of rows.conversations.values()) {
    if (conversation.contact.id !== row.id) continue;
    const contact = { id: row.id, name: row.name, time_zone: row.time_zone ?? null, language: row.language ?? null };
    changes.push({ kind: "conversation", row: { ...conversation, contact } });
  }
  return changes;
}

/**
 * What an event changes. Pure: reads `rows`, writes nothing. The compiler refuses an event that is not handled here.
 */
export function apply(rows: Rows, event: LiveEvent): Change[] {
  switch (event.type) {
    case "conversation.created":
    case "conversation.assigned":
    case "conversation.updated":
    case "conversation.snoozed":
    case "conversation.resolved":
    case "conversation.reopened": {
      const { conversation, activity } = event.data;
      const changes = conversationChanges(rows, conversation, event.type === "conversation.created");
      return activity ? [...changes, ...messageChanges(rows, activity)] : changes;
    }
    case "message.received":
    case "message.queued":
    case "message.sent":
    case "message.delivered":
    case "message.read":
    case "message.delayed":
    case "message.failed":
    case "message.edited":
    case "message.deleted":
    case "message.reacted":
    case "note.added":
    case "attachment.stored":
    case "attachment.failed":
      return [...conversationChanges(rows, event.data.conversation), ...messageChanges(rows, event.data.message)];
    case "contact.updated":
      return contactChanges(rows, event.data.contact);
    case "agent.updated":
      return [{ kind: "agent", row: event.data.agent }];
    case "channel.updated":
      return [{ kind: "channel", row: event.data.channel }];
    case "label.updated":
      return [{ kind: "label", row: event.data.label }];
    case "intake.failed":
    case "intake.replayed":
      return [{ kind: "letters", open: event.data.open_letters }];
    default:
      event satisfies never;
      return [];
  }
}
