"""What a customer sees of a thread in the chat widget: never a note, never an agent's address. Pure."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from inbox import events
from inbox.views import AttachmentKind, AttachmentState, MarkView, MessageView


class VisitorFile(Struct, frozen=True, omit_defaults=True):
    id: UUID
    kind: AttachmentKind
    state: AttachmentState
    name: str
    content_type: str
    size: int | None = None


VisitorFrom = Literal["visitor", "agent"]


class VisitorMessage(Struct, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    id: UUID
    from_: VisitorFrom
    text: str
    at: datetime
    sort: str
    name: str | None = None
    marks: tuple[MarkView, ...] = ()
    attachments: tuple[VisitorFile, ...] = ()
    state: str | None = None
    client_message_id: str | None = None
    deleted: bool = False


def message_for_visitor(message: MessageView) -> VisitorMessage | None:
    """The message as its customer may see it, or None."""
    if message.kind == "inbound":
        who: VisitorFrom = "visitor"
    elif message.kind == "outbound" and message.state in ("sent", "delivered", "read"):
        who = "agent"
    else:
        return None
    return VisitorMessage(
        id=message.id,
        from_=who,
        text=message.text,
        at=message.at,
        sort=message.sort,
        name=message.author.name.split(" ")[0] if who == "agent" else None,
        marks=message.marks,
        attachments=tuple(
            VisitorFile(item.id, item.kind, item.state, item.name, item.content_type, item.size)
            for item in message.attachments
        ),
        state=message.state,
        client_message_id=(message.context or {}).get("client_message_id") if who == "visitor" else None,
        deleted=message.deleted_at is not None,
    )


_NAMES = {
    "message.received": "message.created",
    "message.sent": "message.created",
    "message.delivered": "message.updated",
    "message.read": "message.updated",
    "message.edited": "message.updated",
    "message.deleted": "message.updated",
    "attachment.stored": "message.updated",
}
_decoder = msgspec.json.Decoder(events.MessageEvent)
_encoder = msgspec.json.Encoder()


def event_for_visitor(type_: str, data: bytes) -> tuple[UUID, str, bytes] | None:
    """(contact, type, data) of an event in the chat widget, or None when customers do not see it."""
    if type_ not in _NAMES or b'"channel_kind":"webchat"' not in data:
        return None
    event = _decoder.decode(data)
    message = message_for_visitor(event.message)
    if message is None:
        return None
    return event.conversation.contact.id, _NAMES[type_], _encoder.encode({"message": message})
