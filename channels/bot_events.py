"""What a bot says to us: the bodies of its webhooks as events. The fields are in docs/channels/bot.md."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from channels.base import (
    Chat,
    Deletion,
    Edit,
    InboundEvent,
    InboundMessage,
    Location,
    Media,
    MediaKind,
    Person,
    Reaction,
    Receipt,
    ReceiptStatus,
    Unreadable,
)
from channels.lenient import clean, count, decode, identifier, iso_time, items, label, mapping, number, string
from channels.markdown import from_markdown
from channels.media import media_kind
from channels.richtext import RichText

_URL_LIMIT = 4096
_WORDS_LIMIT = 500
_STATUSES: dict[str, ReceiptStatus] = {"delivered": "delivered", "read": "read", "failed": "failed"}
_KINDS: dict[str, MediaKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "document": "document",
}

Data = dict[str, Any]


def read_events(body: bytes, received_at: datetime) -> Sequence[InboundEvent]:
    """Every event of one request. Total: whatever the bytes are, it never raises."""
    value = decode(body)
    if isinstance(value, Unreadable):
        return (value,)
    envelopes = value if isinstance(value, list) else [value]
    return [_read(envelope, received_at) for envelope in envelopes]


def _read(envelope: Any, received_at: datetime) -> InboundEvent:
    if not isinstance(envelope, dict):
        return Unreadable("not an event", "expected an object with type and data")
    name = envelope.get("type")
    read = _READERS.get(name) if isinstance(name, str) else None
    if read is None:
        return Unreadable("unknown type of event", clean(str(name))[:100])
    data = envelope.get("data")
    if not isinstance(data, dict):
        return Unreadable("an event without data", clean(str(name))[:100])
    at = iso_time(data, "occurred_at", iso_time(envelope, "timestamp", received_at))
    return read(data, at)


def _created(data: Data, at: datetime) -> InboundEvent:
    external, sender = identifier(data, "external_id"), _contact(data)
    if external is None:
        return Unreadable("message.created without external_id", "give each message an id of your own")
    if sender is None:
        return Unreadable("message.created without contact.source_id")
    text, location, unsupported = _content(data)
    media = tuple(
        media
        for item in items(data, "attachments")
        if isinstance(item, dict) and (media := _attachment(item))
    )
    if not (text or media or location or unsupported):
        return Unreadable("message.created without text or attachments")
    return InboundMessage(
        external,
        sender,
        _chat(data, sender),
        at,
        text=text,
        media=media,
        location=location,
        reply_to=identifier(data, "reply_to"),
        unsupported=unsupported,
    )


def _contact(data: Data) -> Person | None:
    contact = mapping(data, "contact")
    source_id = identifier(contact, "source_id")
    if source_id is None:
        return None
    # Two bots may number their users alike, so the id means somebody within this channel only.
    return Person(
        "external",
        source_id,
        per_channel=True,
        name=label(contact, "name"),
        language=label(contact, "locale"),
        time_zone=label(contact, "time_zone"),
        email=label(contact, "email"),
        phone=label(contact, "phone"),
    )


def _chat(data: Data, sender: Person) -> Chat:
    conversation = mapping(data, "conversation")
    conversation_id = identifier(conversation, "id")
    if conversation_id is None or conversation_id == sender.id:
        return Chat(sender.id)
    return Chat(conversation_id, conversation_id, label(conversation, "title"))


def _content(data: Data) -> tuple[RichText, Location | None, str | None]:
    """Text, place, and a label for a type of content that is not known here."""
    content = mapping(data, "content")
    kind = label(content, "type") or "text"
    text = string(content, "text") or ""
    if kind == "markdown":
        return from_markdown(text), None, None
    if kind == "text":
        return RichText(text), None, None
    latitude, longitude = number(content, "latitude", 90), number(content, "longitude", 180)
    if kind == "location" and latitude is not None and longitude is not None:
        place = Location(latitude, longitude, label(content, "title"), label(content, "address"))
        return RichText(text), place, None
    return RichText(text), None, kind[:40]


def _attachment(item: Data) -> Media | None:
    url = string(item, "url")
    if url is None or len(url) > _URL_LIMIT:
        return None
    content_type = label(item, "content_type")
    return Media(
        _KINDS.get(label(item, "kind") or "") or media_kind(content_type),
        {"url": url},
        name=label(item, "name"),
        content_type=content_type,
        size=count(item, "size"),
        duration=count(item, "duration"),
    )


def _edited(data: Data, at: datetime) -> InboundEvent:
    external = identifier(data, "external_id")
    if external is None:
        return Unreadable("message.edited without external_id")
    text, location, _ = _content(data)
    return Edit(external, at, text, location)


def _deleted(data: Data, at: datetime) -> InboundEvent:
    external = identifier(data, "external_id")
    return Unreadable("message.deleted without external_id") if external is None else Deletion(external, at)


def _reacted(data: Data, at: datetime) -> InboundEvent:
    external, sender = identifier(data, "external_id"), _contact(data)
    if external is None or sender is None:
        return Unreadable("message.reacted without external_id or contact.source_id")
    emojis = [clean(emoji)[:40] for emoji in items(data, "emojis") if isinstance(emoji, str) and emoji]
    return Reaction(external, sender, at, tuple(dict.fromkeys(emojis)))


def _status(data: Data, at: datetime) -> InboundEvent:
    external, status = identifier(data, "message_id"), _STATUSES.get(label(data, "status") or "")
    if external is None or status is None:
        return Unreadable("message.status without message_id or a known status", "delivered, read or failed")
    words = string(data, "words")
    return Receipt(external, status, at, label(data, "code"), words[:_WORDS_LIMIT] if words else None)


_READERS: dict[str, Callable[[Data, datetime], InboundEvent]] = {
    "message.created": _created,
    "message.edited": _edited,
    "message.deleted": _deleted,
    "message.reacted": _reacted,
    "message.status": _status,
}
