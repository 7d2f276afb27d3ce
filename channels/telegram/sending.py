"""Our messages as Bot API calls: which calls a message takes, and how each is made.

Limits (https://core.telegram.org/bots/api): text 4,096 and caption 1,024 after entity parsing, counted
here in UTF-16 units; albums of 2-10; uploads 50 MB, photos 10 MB.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from channels.base import ChannelConfig, Http, OutboundFile, OutboundPart, OutcomeUnknown, Permanent, Sent
from channels.lenient import integer, mapping
from channels.richtext import RichText, utf16_length
from channels.splitting import part_key, split_text
from channels.telegram.address import Address, decode_address, external_id, message_number
from channels.telegram.api import call, upload
from channels.telegram.entities import to_entities
from channels.telegram.html import to_telegram_html

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
UPLOAD_LIMIT = 50_000_000
_PHOTO_LIMIT = 10_000_000
_ALBUM_LIMIT = 10
_PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")
_VOICE_TYPES = ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/x-m4a")
_AUDIO_TYPES = ("audio/mpeg", "audio/mp3", "audio/mp4", "audio/x-m4a")
# Telegram puts photos and videos together, documents and audio each among themselves.
_FAMILIES = {"photo": "picture", "video": "picture", "audio": "audio", "document": "document"}


def split_message(
    text: RichText, files: Sequence[OutboundFile], address: str, key: str, reply_to: str | None
) -> list[OutboundPart]:
    """Files first, with the text as caption when it fits; a longer text follows in its own messages."""
    groups = _groups(files)
    captioned = bool(groups) and utf16_length(text.text) <= CAPTION_LIMIT
    contents = [
        (text if captioned and index == 0 else RichText(), group) for index, group in enumerate(groups)
    ]
    if not captioned:
        contents += [(piece, ()) for piece in split_text(text, TEXT_LIMIT)]
    return [
        OutboundPart(part_key(key, index), address, piece, group, reply_to if index == 0 else None)
        for index, (piece, group) in enumerate(contents)
    ]


def _groups(files: Sequence[OutboundFile]) -> list[tuple[OutboundFile, ...]]:
    groups: list[list[OutboundFile]] = []
    for file in files:
        family = _FAMILIES.get(_type_of(file))
        last = groups[-1] if groups else []
        if family and last and len(last) < _ALBUM_LIMIT and _FAMILIES.get(_type_of(last[0])) == family:
            last.append(file)
        else:
            groups.append([file])
    return [tuple(group) for group in groups]


def _type_of(file: OutboundFile) -> str:
    """How Telegram should show the file. What a type's rules exclude still arrives, as a document."""
    content_type = file.content_type.partition(";")[0].strip().lower()
    if file.kind in ("image", "sticker") and content_type in _PHOTO_TYPES and file.size <= _PHOTO_LIMIT:
        return "photo"
    if file.kind == "video" and content_type == "video/mp4":
        return "video"
    if file.kind == "voice" and content_type in _VOICE_TYPES:
        return "voice"
    if file.kind in ("audio", "voice") and content_type in _AUDIO_TYPES:
        return "audio"
    return "document"


async def send_part(part: OutboundPart, config: ChannelConfig, http: Http) -> Sent:
    """Make the call that `part` stands for. Raises only SendError."""
    address = decode_address(part.address)
    if address is None:
        raise Permanent("bad_address", "This conversation has no Telegram chat to answer to.")
    if any(file.size > UPLOAD_LIMIT for file in part.files):
        raise Permanent("file_too_big", "Telegram takes files of up to 50 MB. Send a link instead.")
    target = _target(address, part.reply_to)
    if not part.files:
        return _sent(await _send_text(part.text, target, config, http), address)
    if len(part.files) > 1:
        return _sent(await _send_album(part, target, config, http), address)
    return _sent(await _send_file(part, target, config, http), address)


def _target(address: Address, reply_to: str | None) -> dict[str, Any]:
    target: dict[str, Any] = {"chat_id": address.chat_id}
    if address.topic is not None:
        target["message_thread_id"] = address.topic
    if address.business:
        target["business_connection_id"] = address.business
    number = message_number(reply_to, address.chat_id) if reply_to else None
    if number is not None:
        target["reply_parameters"] = {"message_id": number, "allow_sending_without_reply": True}
    return target


async def _send_text(text: RichText, target: dict[str, Any], config: ChannelConfig, http: Http) -> Any:
    html = target | {"text": to_telegram_html(text), "parse_mode": "HTML"}
    try:
        return await call("sendMessage", html, config, http)
    except Permanent as error:
        if "can't parse entities" not in error.words:
            raise
    # Refused before it was sent, so a second call cannot double it: the words matter more than the bold.
    plain = target | {"text": text.text, "entities": to_entities(text)}
    return await call("sendMessage", plain, config, http)


async def _send_file(part: OutboundPart, target: dict[str, Any], config: ChannelConfig, http: Http) -> Any:
    file = part.files[0]
    kind = _type_of(file)
    fields = _form(target | _caption(part.text))
    if file.duration is not None and kind in ("voice", "audio", "video"):
        fields["duration"] = str(file.duration)
    return await upload(f"send{kind.capitalize()}", fields, [(kind, file)], config, http)


async def _send_album(part: OutboundPart, target: dict[str, Any], config: ChannelConfig, http: Http) -> Any:
    media: list[dict[str, Any]] = []
    files = []
    for index, file in enumerate(part.files):
        name = f"file{index}"
        media.append({"type": _type_of(file), "media": f"attach://{name}"})
        files.append((name, file))
    media[0] |= _caption(part.text)
    return await upload("sendMediaGroup", _form(target | {"media": media}), files, config, http)


def _caption(text: RichText) -> dict[str, Any]:
    if not text:
        return {}
    # Entities, not HTML: they cannot fail to parse, and a file is read only once in an attempt.
    return {"caption": text.text, "caption_entities": to_entities(text)}


def _form(fields: dict[str, Any]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
    }


def _sent(result: Any, address: Address) -> Sent:
    messages = result if isinstance(result, list) else [result]
    ids = []
    for message in messages:
        reply = message if isinstance(message, dict) else {}
        number = integer(reply, "message_id")
        chat_id = integer(mapping(reply, "chat"), "id")
        if number is None:
            raise OutcomeUnknown("200", "Telegram took the message without telling its number")
        ids.append(external_id(address.chat_id if chat_id is None else chat_id, number, address.business))
    if not ids:
        raise OutcomeUnknown("200", "Telegram answered without a message")
    return Sent(tuple(ids))
