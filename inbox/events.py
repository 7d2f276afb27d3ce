"""Every event, past tense, in one tagged union.

The same structs are stored in the event log, pushed to screens, sent to outgoing webhooks and shown in
the API documentation. An event carries the whole new state of what it is about, so a client needs no
second request; `version` tells which of two states is newer.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from inbox.views import AgentView, ChannelView, ContactView, ConversationView, LabelView, MessageView


class ConversationEvent(Struct, frozen=True):
    """`activity` is the line that the thread shows for it, when it shows one."""

    conversation: ConversationView
    activity: MessageView | None = None


class MessageEvent(Struct, frozen=True):
    conversation: ConversationView
    message: MessageView


class ConversationCreated(ConversationEvent, frozen=True, tag="conversation.created"): ...


class ConversationAssigned(ConversationEvent, frozen=True, tag="conversation.assigned"): ...


class ConversationUpdated(ConversationEvent, frozen=True, tag="conversation.updated"): ...


class ConversationSnoozed(ConversationEvent, frozen=True, tag="conversation.snoozed"): ...


class ConversationResolved(ConversationEvent, frozen=True, tag="conversation.resolved"): ...


class ConversationReopened(ConversationEvent, frozen=True, tag="conversation.reopened"): ...


class MessageReceived(MessageEvent, frozen=True, tag="message.received"): ...


class MessageQueued(MessageEvent, frozen=True, tag="message.queued"): ...


class MessageSent(MessageEvent, frozen=True, tag="message.sent"): ...


class MessageDelivered(MessageEvent, frozen=True, tag="message.delivered"): ...


class MessageRead(MessageEvent, frozen=True, tag="message.read"): ...


class MessageDelayed(MessageEvent, frozen=True, tag="message.delayed"):
    """An attempt failed; another follows at `message.next_attempt_at`."""


class MessageFailed(MessageEvent, frozen=True, tag="message.failed"):
    """Not sent, or (state unknown) nobody can tell whether it was."""


class MessageEdited(MessageEvent, frozen=True, tag="message.edited"): ...


class MessageDeleted(MessageEvent, frozen=True, tag="message.deleted"): ...


class MessageReacted(MessageEvent, frozen=True, tag="message.reacted"): ...


class NoteAdded(MessageEvent, frozen=True, tag="note.added"): ...


class AttachmentStored(MessageEvent, frozen=True, tag="attachment.stored"):
    """The file can be fetched now."""


class AttachmentFailed(MessageEvent, frozen=True, tag="attachment.failed"): ...


class ContactUpdated(Struct, frozen=True, tag="contact.updated"):
    contact: ContactView


class AgentUpdated(Struct, frozen=True, tag="agent.updated"):
    agent: AgentView


class ChannelUpdated(Struct, frozen=True, tag="channel.updated"):
    channel: ChannelView


class LabelUpdated(Struct, frozen=True, tag="label.updated"):
    label: LabelView


class IntakeFailed(Struct, frozen=True, tag="intake.failed"):
    """Something that came in could not be processed; it waits in the list of failures."""

    letter_id: UUID
    channel_id: UUID | None
    reason: str
    open_letters: int


class IntakeReplayed(Struct, frozen=True, tag="intake.replayed"):
    letter_id: UUID
    outcome: Literal["processed", "dead", "discarded"]
    open_letters: int


Event = (
    ConversationCreated
    | ConversationAssigned
    | ConversationUpdated
    | ConversationSnoozed
    | ConversationResolved
    | ConversationReopened
    | MessageReceived
    | MessageQueued
    | MessageSent
    | MessageDelivered
    | MessageRead
    | MessageDelayed
    | MessageFailed
    | MessageEdited
    | MessageDeleted
    | MessageReacted
    | NoteAdded
    | AttachmentStored
    | AttachmentFailed
    | ContactUpdated
    | AgentUpdated
    | ChannelUpdated
    | LabelUpdated
    | IntakeFailed
    | IntakeReplayed
)

MESSAGE_EVENTS = (
    MessageReceived,
    MessageQueued,
    MessageSent,
    MessageDelivered,
    MessageRead,
    MessageDelayed,
    MessageFailed,
    MessageEdited,
    MessageDeleted,
    MessageReacted,
    NoteAdded,
    AttachmentStored,
    AttachmentFailed,
)

_encoder = msgspec.json.Encoder()


def type_name(event: Event) -> str:
    """The name on the wire, e.g. message.received."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode(event: Event) -> bytes:
    """The event's data as JSON, without the type (which stands beside it in the envelope)."""
    return _encoder.encode({name: getattr(event, name) for name in event.__struct_fields__})


def frame(type_: str, cursor: str, event_id: UUID, at: datetime, data: bytes) -> bytes:
    """One event as every reader sees it: {"type", "cursor", "id", "at", "data"}."""
    head = _encoder.encode({"type": type_, "cursor": cursor, "id": event_id, "at": at})
    return head[:-1] + b',"data":' + data + b"}"
