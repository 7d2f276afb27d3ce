"""What the sandbox stores of a message, as the Message object that Telegram would show of it.

Stored content: {"type", "text"?, "entities"?, "file_id"?, "name"?, "content_type"?, "size"?, "width"?,
"height"?, "duration"?, "latitude"?, "longitude"?, "phone"?, "contact_name"?, "emoji"?, "question"?,
"options"?, "reply_to"?, "album"?}.
"""

import json
import re
from typing import Any

from channels.richtext import utf16_length
from channels.sandbox.store import Row, Store

_URL = re.compile(r"https?://[^\s<>]+")
_COMMAND = re.compile(r"/[A-Za-z0-9_@]{1,64}")
_WITH_CAPTION = ("photo", "video", "audio", "voice", "document")


def telegram_user(person: Row) -> dict[str, Any]:
    return {
        "id": person["id"],
        "is_bot": False,
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "username": person["username"],
        "language_code": person["language"],
    }


def telegram_chat(person: Row) -> dict[str, Any]:
    names = {key: person[key] for key in ("first_name", "last_name", "username")}
    return {"id": person["id"], **names, "type": "private"}


def bot_user(channel: Row) -> dict[str, Any]:
    """The bot's own User; its id is the number in front of the token's colon."""
    slug = re.sub(r"[^a-z0-9]+", "_", channel["name"].lower()).strip("_") or "sandbox"
    number = (channel["token"] or "").partition(":")[0]
    return {
        "id": int(number) if number.isdigit() else 1,
        "is_bot": True,
        "first_name": channel["name"],
        "username": f"{slug}_bot",
    }


def telegram_message(
    store: Store, channel: Row, chat: Row, message: Row, deep: bool = True
) -> dict[str, Any]:
    """The Message. `deep` includes the one it replies to, which Telegram gives one level deep."""
    person = store.person(chat["person_id"])
    content = json.loads(message["content"])
    result: dict[str, Any] = {
        "message_id": message["message_id"],
        "from": telegram_user(person) if message["author"] == "customer" else bot_user(channel),
        "chat": telegram_chat(person),
        "date": int(message["at"]),
        **_content(store, content),
    }
    if content.get("album"):
        result["media_group_id"] = content["album"]
    replied = store.message(chat["id"], content["reply_to"]) if deep and content.get("reply_to") else None
    if replied is not None:
        result["reply_to_message"] = telegram_message(store, channel, chat, replied, deep=False)
    return result


def _content(store: Store, content: Row) -> dict[str, Any]:
    kind, text = content["type"], content.get("text") or ""
    entities = content.get("entities") or recognised(text)
    if kind == "text":
        return {"text": text} | ({"entities": entities} if entities else {})
    found = _FIELDS[kind](content) if kind in _FIELDS else {kind: _file(store, content)}
    if kind in _WITH_CAPTION and text:
        found["caption"] = text
        if entities:
            found["caption_entities"] = entities
    return found


def _file(store: Store, content: Row) -> Any:
    keys = {"name": "file_name", "content_type": "mime_type", "size": "file_size"}
    file = {"file_id": content["file_id"], "file_unique_id": "u" + content["file_id"][:16]}
    file |= {
        keys.get(key, key): content[key] for key in (*keys, "width", "height", "duration") if content.get(key)
    }
    if content["type"] != "photo":
        return file
    small = file | {"width": 90, "height": 67, "file_size": 1200}
    return [small, {"width": 1280, "height": 960} | file]


def recognised(text: str) -> list[dict[str, Any]]:
    """The entities that Telegram finds by itself: commands at the beginning, and addresses."""
    entities = []
    if command := _COMMAND.match(text):
        entities.append({"type": "bot_command", "offset": 0, "length": len(command[0])})
    for url in _URL.finditer(text):
        offset = utf16_length(text[: url.start()])
        entities.append({"type": "url", "offset": offset, "length": utf16_length(url[0])})
    return entities


def _location(content: Row) -> dict[str, Any]:
    return {"location": {"latitude": content["latitude"], "longitude": content["longitude"]}}


def _contact(content: Row) -> dict[str, Any]:
    return {"contact": {"phone_number": content["phone"], "first_name": content["contact_name"]}}


def _poll(content: Row) -> dict[str, Any]:
    options = [{"text": option, "voter_count": 0} for option in content.get("options") or ["Yes", "No"]]
    return {
        "poll": {
            "id": "1",
            "question": content.get("question") or "",
            "options": options,
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
        }
    }


def _sticker(content: Row) -> dict[str, Any]:
    """An animated one, which shows as its emoji wherever it cannot be drawn."""
    return {
        "sticker": {
            "file_id": "sticker",
            "file_unique_id": "sticker",
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": True,
            "is_video": False,
            "emoji": content.get("emoji") or "👋",
        }
    }


_FIELDS = {"location": _location, "contact": _contact, "poll": _poll, "sticker": _sticker}
