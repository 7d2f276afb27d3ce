"""What a customer does on the phone, told to the inbox the way the provider of the chat tells it."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from channels.sandbox.live import Live
from channels.sandbox.outbox import Outbox
from channels.sandbox.store import Row, Store
from channels.sandbox.telegram_messages import telegram_chat, telegram_message, telegram_user
from channels.sandbox.web import Refused

_BOT_KINDS = {"photo": "image", "voice": "voice", "audio": "audio", "video": "video", "document": "document"}


class Customers:
    """Every action is stored first and then put into the outbox. `base_url` is where bots' files lie."""

    def __init__(self, store: Store, outbox: Outbox, live: Live) -> None:
        self._store = store
        self._outbox = outbox
        self._live = live

    def write(self, chat: Row, contents: list[Row], base_url: str) -> list[Row]:
        """Send messages (several for an album), in order."""
        channel = self._channel(chat)
        messages = []
        for content in contents:
            message = self._store.add_message(chat["id"], "customer", content, "sending")
            if channel["kind"] == "telegram":
                shown = telegram_message(self._store, channel, chat, message)
                self._update(channel, chat, "message", shown, message["message_id"])
            else:
                data = self._bot_message(chat, message) | {"occurred_at": _iso(message["at"])}
                data |= self._bot_files(content, base_url)
                self._event(channel, chat, "message.created", data, message["message_id"])
            self._live.tell("message", chat_id=chat["id"], message_id=message["message_id"])
            messages.append(message)
        return messages

    def edit(self, chat: Row, message: Row, text: str) -> None:
        channel, now = self._channel(chat), time.time()
        content = json.loads(message["content"]) | {"text": text, "entities": []}
        self._store.run(
            "update messages set content = ?, edited_at = ? where chat_id = ? and message_id = ?",
            json.dumps(content),
            now,
            chat["id"],
            message["message_id"],
        )
        message = message | {"content": json.dumps(content)}
        if channel["kind"] == "telegram":
            shown = telegram_message(self._store, channel, chat, message) | {"edit_date": int(now)}
            self._update(channel, chat, "edited_message", shown, None)
        else:
            data = self._bot_message(chat, message) | {"occurred_at": _iso(now)}
            self._event(channel, chat, "message.edited", data, None)
        self._live.tell("message", chat_id=chat["id"], message_id=message["message_id"])

    def react(self, chat: Row, message: Row, emoji: str | None) -> None:
        """Put one emoji on a message of the business, or take it away."""
        channel, number = self._channel(chat), message["message_id"]
        old = message["reaction"]
        self._store.run(
            "update messages set reaction = ? where chat_id = ? and message_id = ?", emoji, chat["id"], number
        )
        person = self._store.person(chat["person_id"])
        if channel["kind"] == "telegram":
            value = {
                "chat": telegram_chat(person),
                "message_id": number,
                "user": telegram_user(person),
                "date": int(time.time()),
                "old_reaction": [{"type": "emoji", "emoji": old}] if old else [],
                "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
            }
            self._update(channel, chat, "message_reaction", value, None)
        else:
            data = {
                "external_id": self._external(chat, message),
                "contact": self._contact(chat),
                "emojis": [emoji] if emoji else [],
                "occurred_at": _iso(time.time()),
            }
            self._event(channel, chat, "message.reacted", data, None)
        self._live.tell("message", chat_id=chat["id"], message_id=number)

    def read(self, chat: Row) -> None:
        """Everything from the business is read. A bot hears of it; Telegram tells bots nothing."""
        channel = self._channel(chat)
        unread = self._store.rows(
            "select * from messages where chat_id = ? and author = 'business' and state <> 'read' order by message_id",
            chat["id"],
        )
        self._store.run(
            "update messages set state = 'read' where chat_id = ? and author = 'business'", chat["id"]
        )
        for message in unread:
            if channel["kind"] == "bot":
                self.report(channel, chat, message, "read")
        if unread:
            self._live.tell("chat", chat_id=chat["id"])

    def report(self, channel: Row, chat: Row, message: Row, status: str) -> None:
        """A bot says what became of one of our messages."""
        data = {"message_id": message["external_id"], "status": status, "occurred_at": _iso(time.time())}
        self._event(channel, chat, "message.status", data, None)

    def block(self, chat: Row, blocked: bool) -> None:
        """Block the bot, or let it write again (Telegram only)."""
        channel = self._channel(chat)
        if channel["kind"] != "telegram":
            raise Refused(400, "Only a Telegram customer can block the business.")
        self._store.run("update chats set blocked = ? where id = ?", int(blocked), chat["id"])
        person = self._store.person(chat["person_id"])
        statuses = ("member", "kicked") if blocked else ("kicked", "member")
        old, new = (
            {"user": {"id": 1, "is_bot": True, "first_name": "Bot"}, "status": name} for name in statuses
        )
        value = {
            "chat": telegram_chat(person),
            "from": telegram_user(person),
            "date": int(time.time()),
            "old_chat_member": old,
            "new_chat_member": new,
        }
        self._update(channel, chat, "my_chat_member", value, None)
        self._live.tell("chat", chat_id=chat["id"])

    def _channel(self, chat: Row) -> Row:
        channel = self._store.channel(chat["channel_id"])
        assert channel is not None, "a chat refers to its channel"
        return channel

    def _update(
        self, channel: Row, chat: Row, kind: str, value: dict[str, Any], message_id: int | None
    ) -> None:
        allowed = json.loads(channel["allowed"])
        if allowed and kind not in allowed:
            return  # Telegram does not deliver what the bot did not ask for
        number = self._store.next_update(channel["id"])
        self._outbox.put(channel, str(number), {"update_id": number, kind: value}, chat["id"], message_id)

    def _event(
        self, channel: Row, chat: Row, kind: str, data: dict[str, Any], message_id: int | None
    ) -> None:
        number = self._store.next_update(channel["id"])
        body = {"type": kind, "timestamp": _iso(time.time()), "data": data}
        self._outbox.put(channel, f"evt_{channel['id']}_{number}", body, chat["id"], message_id)

    def _contact(self, chat: Row) -> dict[str, Any]:
        person = self._store.person(chat["person_id"])
        return {
            "source_id": person["username"],
            "name": f"{person['first_name']} {person['last_name']}".strip(),
            "locale": person["language"],
            "time_zone": person["time_zone"],
        }

    def _external(self, chat: Row, message: Row) -> str:
        return message["external_id"] or f"sandbox-{chat['id']}-{message['message_id']}"

    def _bot_message(self, chat: Row, message: Row) -> dict[str, Any]:
        content = json.loads(message["content"])
        body = {"type": content["type"], "text": content.get("text") or content.get("question") or ""}
        if content["type"] in _BOT_KINDS:
            body["type"] = "text"
        if content["type"] == "contact":
            body = {"type": "text", "text": f"{content['contact_name']}: {content['phone']}"}
        if content["type"] == "sticker":
            body = {"type": "text", "text": content.get("emoji") or "👋"}
        if content["type"] == "location":
            body |= {"latitude": content["latitude"], "longitude": content["longitude"]}
        data = {"external_id": self._external(chat, message), "contact": self._contact(chat), "content": body}
        replied = self._store.message(chat["id"], content["reply_to"]) if content.get("reply_to") else None
        return data | ({"reply_to": self._external(chat, replied)} if replied else {})

    def _bot_files(self, content: Row, base_url: str) -> dict[str, Any]:
        if content["type"] not in _BOT_KINDS:
            return {}
        file = {key: content[key] for key in ("name", "content_type", "size", "duration") if content.get(key)}
        url = f"{base_url}/control/files/{content['file_id']}"
        return {"attachments": [file | {"url": url, "kind": _BOT_KINDS[content["type"]]}]}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
