import type { EventName, LiveEvent } from "$lib/api/types";

export type ServerFrame =
  | { type: "welcome"; cursor: string; resumed: boolean }
  | { type: "reset"; reason: string; cursor: string }
  | { type: "head"; cursor: string }
  | { type: "pong" }
  | { type: "bye"; reason: string; retry_after_ms: number | null }
  | LiveEvent;

export type ClientFrame =
  | { type: "resume"; cursor: string | null }
  | { type: "watch"; conversation_id: string }
  | { type: "unwatch"; conversation_id: string }
  | { type: "typing"; conversation_id: string; on: boolean }
  | { type: "ping" };

/** The socket's close code for a session that has ended. */
export const CLOSE_SIGNED_OUT = 4401;
/** Access was taken away: the same session will not be let in again. */
export const CLOSE_FORBIDDEN = 4403;

/**
 * One socket message: a JSON array of frames. Throws SyntaxError for anything else; an entry of a type that this
 * version of the page does not know is kept, so that its cursor still counts.
 */
export function decodeFrames(text: string): ServerFrame[] {
  const frames: unknown = JSON.parse(text);
  if (!Array.isArray(frames)) throw new SyntaxError("a frame is an array");
  return frames as ServerFrame[];
}

const KNOWN: Record<EventName, true> = {
  "conversation.created": true,
  "conversation.assigned": true,
  "conversation.updated": true,
  "conversation.snoozed": true,
  "conversation.resolved": true,
  "conversation.reopened": true,
  "message.received": true,
  "message.queued": true,
  "message.sent": true,
  "message.delivered": true,
  "message.read": true,
  "message.delayed": true,
  "message.failed": true,
  "message.edited": true,
  "message.deleted": true,
  "message.reacted": true,
  "note.added": true,
  "attachment.stored": true,
  "attachment.failed": true,
  "contact.updated": true,
  "agent.updated": true,
  "channel.updated": true,
  "label.updated": true,
  "intake.failed": true,
  "intake.replayed": true,
};

/** An entry that stands in the log, known to us or not. */
export function hasCursor(frame: { type: string }): frame is { type: string; cursor: string; data: unknown } {
  return "data" in frame && "cursor" in frame;
}

export function isEvent(frame: { type: string }): frame is LiveEvent {
  return hasCursor(frame) && Object.hasOwn(KNOWN, frame.type);
}
