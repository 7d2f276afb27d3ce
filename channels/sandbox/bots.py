"""The bot's side of the bot channel: takes our signed callbacks and reports delivered and read."""

import time
from datetime import UTC, datetime
from typing import Any

from channels.sandbox.customers import Customers
from channels.sandbox.live import Live
from channels.sandbox.store import Row, Store
from channels.sandbox.web import Refused, Request, Response, answer
from channels.standard_webhooks import BadWebhook, verify

_TYPES = {"image": "photo", "voice": "voice", "audio": "audio", "video": "video"}


class Bots:
    def __init__(self, store: Store, customers: Customers, live: Live) -> None:
        self._store = store
        self._customers = customers
        self._live = live

    def handle(self, channel_id: int, request: Request) -> Response:
        """Verify, accept once per webhook-id, acknowledge, then report. Raises Refused."""
        channel = self._store.channel(channel_id)
        if channel is None or channel["kind"] != "bot":
            raise Refused(404, "No such bot.")
        try:
            webhook_id = verify(channel["outbound_secret"], request.headers, request.body, datetime.now(UTC))
        except BadWebhook as error:
            raise Refused(401, str(error)) from error
        known = "select id from ledger where channel_id = ? and key = ?"
        if self._store.row(known, channel_id, webhook_id) is None:
            self._accept(channel, webhook_id, request.json())
        return answer({"ok": True})

    def _accept(self, channel: Row, webhook_id: str, event: dict[str, Any]) -> None:
        data = event.get("data")
        if event.get("type") != "message.created" or not isinstance(data, dict):
            raise Refused(422, "Only message.created is understood.")
        conversation = data.get("conversation")
        chat = self._chat(channel, str(conversation.get("id")) if isinstance(conversation, dict) else "")
        contents = _contents(data)
        for index, content in enumerate(contents):
            # Receipts name the message by the id that the callback gave it.
            external = str(data.get("message_id")) if index == 0 else None
            message = self._store.add_message(chat["id"], "business", content, "delivered", external)
            if index == 0:
                self._store.record(channel["id"], chat["id"], "message.created", message, webhook_id)
                self._customers.report(channel, chat, message, "delivered")
            self._live.tell("message", chat_id=chat["id"], message_id=message["message_id"])
        if channel["auto_read"]:
            self._customers.read(chat)

    def _chat(self, channel: Row, username: str) -> Row:
        found = self._store.row(
            "select chats.* from chats join people on people.id = chats.person_id"
            " where chats.channel_id = ? and people.username = ?",
            channel["id"],
            username,
        )
        if found is None:
            raise Refused(422, "No such conversation.")
        if found["blocked"]:
            raise Refused(403, "The customer does not want messages.")
        return found


def _contents(data: dict[str, Any]) -> list[Row]:
    text = str(data.get("text") or "")
    files = [_linked(file) for file in data.get("attachments") or [] if isinstance(file, dict)]
    if not files:
        return [{"type": "text", "text": text}]
    files[0]["text"] = text
    return files


def _linked(file: dict[str, Any]) -> Row:
    kept = {key: file[key] for key in ("name", "content_type", "size", "url") if file.get(key)}
    return kept | {"type": _TYPES.get(str(file.get("kind")), "document"), "at": time.time()}
