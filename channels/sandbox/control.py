"""The control API under /control: tests and the phone page set the scene and play the customer.

JSON both ways, described in docs/channels/sandbox.md. Requests that change something must be
application/json (or a raw file), which a foreign web page cannot send here without being asked.
"""

import base64
import binascii
import json
import re
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from channels.sandbox.customers import Customers
from channels.sandbox.live import Live
from channels.sandbox.outbox import Outbox
from channels.sandbox.samples import sample_photo, sample_voice
from channels.sandbox.seed import next_person_number, person_values, seed
from channels.sandbox.store import Row, Store
from channels.sandbox.weather import SEND_MODES, WEBHOOK_MODES, Weather
from channels.sandbox.web import Refused, Request, Response, answer

_FILE_TYPES = ("photo", "video", "audio", "voice", "document")
_DEFAULT_TYPES = {"photo": "image/png", "voice": "audio/ogg", "video": "video/mp4", "audio": "audio/mpeg"}
_LAST_MESSAGES = 200
_TEXT_LIMIT = 2_000_000

Handler = Callable[[Request, list[str]], Any]


class Control:
    def __init__(
        self, store: Store, customers: Customers, outbox: Outbox, weather: Weather, live: Live, shop: str
    ) -> None:
        self._store = store
        self._customers = customers
        self._outbox = outbox
        self._weather = weather
        self._live = live
        self._shop = shop
        number, message = r"/(\d{1,15})", r"/messages/(\d{1,15})"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(f"/control{pattern}"), handler)
            for method, pattern, handler in (
                ("GET", "/info", self._info),
                ("GET", "/channels", self._channels),
                ("POST", "/channels", self._add_channel),
                ("GET", "/people", self._people),
                ("POST", "/people", self._add_person),
                ("POST", "/seed", self._seed),
                ("GET", "/chats", self._chats),
                ("POST", "/chats", self._open_chat),
                ("GET", f"/chats{number}", self._chat),
                ("POST", f"/chats{number}/messages", self._write),
                ("PATCH", f"/chats{number}{message}", self._edit),
                ("POST", f"/chats{number}{message}/reaction", self._react),
                ("POST", f"/chats{number}/read", self._read),
                ("POST", f"/chats{number}/block", self._block),
                ("POST", "/files", self._upload),
                ("GET", "/files/([a-z0-9]{1,60})", self._file),
                ("GET", "/weather", lambda request, ids: self._weather.plans()),
                ("POST", "/weather", self._set_weather),
                ("DELETE", "/weather", self._clear_weather),
                ("GET", "/ledger", self._ledger),
                ("GET", "/outbox", lambda request, ids: self._outbox.waiting()),
            )
        ]

    def handle(self, request: Request) -> Response:
        """Raises Refused."""
        is_json = request.headers.get("content-type", "").startswith("application/json")
        if request.method == "POST" and request.path != "/control/files" and not is_json:
            raise Refused(415, "Send application/json.")
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                result = handler(request, list(found.groups()))
                return result if isinstance(result, Response) else answer(result)
        raise Refused(404, "There is no such control.")

    # ------------------------------------------------------------ scene

    def _info(self, request: Request, ids: list[str]) -> Any:
        return {
            "shop": self._shop,
            "channels": self._channels(request, ids),
            "weather": {"send": SEND_MODES, "webhook": WEBHOOK_MODES},
        }

    def _channels(self, request: Request, ids: list[str]) -> list[Row]:
        return self._store.rows("select id, kind, name, hook_url, last_error from channels order by id")

    def _add_channel(self, request: Request, ids: list[str]) -> Row:
        """Register or update a bot token or a bot channel; secrets are never shown again."""
        body = request.json()
        kind = body.get("kind")
        values = {
            "kind": kind,
            "name": _text(body, "name", 80),
            "hook_url": str(body.get("hook_url") or ""),
            "auto_read": int(body.get("auto_read") is not False),
        }
        if kind == "telegram":
            values |= {
                "token": _text(body, "token", 100),
                "hook_secret": str(body.get("webhook_secret") or ""),
            }
        elif kind == "bot":
            values |= {name: _secret(body, name) for name in ("inbound_secret", "outbound_secret")}
        else:
            raise Refused(400, "kind must be telegram or bot.")
        known = self._known_channel(values)
        channel_id = self._store.insert("channels", values) if known is None else known
        if known is not None:
            if not values["hook_url"]:
                del values["hook_url"]  # keep what setWebhook set
                values.pop("hook_secret", None)
            sets = ", ".join(f"{name} = ?" for name in values)
            self._store.run(f"update channels set {sets} where id = ?", *values.values(), known)
        self._live.tell("channels")
        return {"id": channel_id, "kind": kind, "name": values["name"]}

    def _known_channel(self, values: Row) -> int | None:
        column = "token" if values["kind"] == "telegram" else "inbound_secret"
        found = self._store.row(
            f"select id from channels where kind = ? and {column} = ?", values["kind"], values[column]
        )
        return int(found["id"]) if found else None

    def _people(self, request: Request, ids: list[str]) -> list[Row]:
        return self._store.rows("select * from people order by id")

    def _add_person(self, request: Request, ids: list[str]) -> Row:
        body = request.json()
        number = next_person_number(self._store)
        names = (
            _text(body, "first_name", 60),
            str(body.get("last_name") or "")[:60],
            str(body.get("username") or f"customer_{number}")[:32],
            str(body.get("language") or "en")[:20],
            str(body.get("time_zone") or "UTC")[:60],
            str(body.get("place") or "")[:80],
        )
        values = person_values(number, names, (number * 47) % 360)
        try:
            self._store.insert("people", values)
        except sqlite3.IntegrityError:
            raise Refused(409, "That user name is taken.") from None
        self._live.tell("people")
        return values

    def _seed(self, request: Request, ids: list[str]) -> list[Row]:
        seed(self._store)
        self._live.tell("people")
        return self._people(request, ids)

    # ------------------------------------------------------------ chats

    def _chats(self, request: Request, ids: list[str]) -> list[Row]:
        return self._store.rows(
            """
            select chats.*, channels.kind, channels.name as channel_name, people.first_name, people.last_name,
                (select count(*) from messages where chat_id = chats.id and author = 'business' and state <> 'read')
                as unread
            from chats join channels on channels.id = chats.channel_id join people on people.id = chats.person_id
            order by chats.id
            """
        )

    def _open_chat(self, request: Request, ids: list[str]) -> Row:
        """The chat of a person on a channel; the same one when it is already open."""
        body = request.json()
        person, channel = body.get("person_id"), body.get("channel_id")
        if self._store.row("select id from people where id = ?", person) is None:
            raise Refused(404, "There is no such person.")
        if self._store.row("select id from channels where id = ?", channel) is None:
            raise Refused(404, "There is no such channel.")
        where = "select * from chats where channel_id = ? and person_id = ?"
        if self._store.row(where, channel, person) is None:
            self._store.insert("chats", {"channel_id": channel, "person_id": person})
        found = self._store.row(where, channel, person)
        assert found is not None, "it has just been opened"
        return found

    def _chat(self, request: Request, ids: list[str]) -> Row:
        chat = self._found_chat(ids[0])
        rows = self._store.rows(
            "select * from (select * from messages where chat_id = ? order by message_id desc limit ?)"
            " order by message_id",
            chat["id"],
            _LAST_MESSAGES,
        )
        return chat | {"messages": [_shown(row) for row in rows]}

    def _found_chat(self, number: str) -> Row:
        chat = self._store.chat(int(number))
        if chat is None:
            raise Refused(404, "There is no such chat.")
        return chat

    def _found_message(self, chat: Row, number: str, author: str) -> Row:
        message = self._store.message(chat["id"], int(number))
        if message is None or message["author"] != author:
            raise Refused(404, f"There is no such message of the {author}.")
        return message

    def _write(self, request: Request, ids: list[str]) -> list[Row]:
        chat, body = self._found_chat(ids[0]), request.json()
        kind = body.get("type") or "text"
        if kind == "album":
            files = body.get("files") or [{}, {}]
            album = str(time.time_ns())
            contents = [self._file_content("photo", file, chat) | {"album": album} for file in files]
            contents[0]["text"] = str(body.get("text") or "")
        else:
            contents = [self._content(str(kind), body, chat)]
        if isinstance(body.get("reply_to"), int):
            for content in contents:
                content["reply_to"] = body["reply_to"]
        host = request.headers.get("host", "localhost")
        return [_shown(row) for row in self._customers.write(chat, contents, f"http://{host}")]

    def _content(self, kind: str, body: Row, chat: Row) -> Row:
        if kind == "text":
            text = _text(body, "text", _TEXT_LIMIT)
            entities = body.get("entities")
            return {"type": kind, "text": text, "entities": entities if isinstance(entities, list) else []}
        if kind in _FILE_TYPES:
            return self._file_content(kind, body, chat) | {"text": str(body.get("text") or "")}
        if kind == "location":
            return {
                "type": kind,
                "latitude": _number(body, "latitude"),
                "longitude": _number(body, "longitude"),
            }
        if kind == "contact":
            return {"type": kind, "phone": _text(body, "phone", 40), "contact_name": _text(body, "name", 80)}
        if kind == "sticker":
            return {"type": kind, "emoji": str(body.get("emoji") or "👋")[:20]}
        if kind == "poll":
            return {"type": kind, "question": _text(body, "question", 300), "options": body.get("options")}
        raise Refused(400, "type must be text, album, location, contact, sticker, poll or a kind of file.")

    def _file_content(self, kind: str, body: Row, chat: Row) -> Row:
        """A file uploaded before, or given as base64 in `data`, or one of the samples."""
        file = self._store.file(str(body.get("file_id") or ""))
        if file is None:
            data, name = _bytes(body), str(body.get("name") or "")[:200]
            if data is None:
                hue = self._store.person(chat["person_id"])["hue"]
                data, name = _sample(kind, hue, name)
            content_type = str(
                body.get("content_type") or _DEFAULT_TYPES.get(kind, "application/octet-stream")
            )
            file = self._store.add_file(data, name or f"{kind}.bin", content_type)
        content = {"type": kind, "file_id": file["id"]} | {
            key: file[key] for key in ("name", "content_type", "size")
        }
        for key in ("width", "height", "duration"):
            if isinstance(body.get(key), int):
                content[key] = body[key]
        if kind == "voice":
            content.setdefault("duration", 3)
        return content

    def _edit(self, request: Request, ids: list[str]) -> Row:
        chat = self._found_chat(ids[0])
        message = self._found_message(chat, ids[1], "customer")
        self._customers.edit(chat, message, _text(request.json(), "text", _TEXT_LIMIT))
        return self._message(chat, message)

    def _react(self, request: Request, ids: list[str]) -> Row:
        chat = self._found_chat(ids[0])
        message = self._found_message(chat, ids[1], "business")
        emoji = request.json().get("emoji")
        self._customers.react(chat, message, str(emoji)[:20] if emoji else None)
        return self._message(chat, message)

    def _message(self, chat: Row, message: Row) -> Row:
        row = self._store.message(chat["id"], message["message_id"])
        assert row is not None, "messages are never removed"
        return _shown(row)

    def _read(self, request: Request, ids: list[str]) -> Row:
        chat = self._found_chat(ids[0])
        self._customers.read(chat)
        return {"ok": True}

    def _block(self, request: Request, ids: list[str]) -> Row:
        self._customers.block(self._found_chat(ids[0]), request.json().get("blocked") is not False)
        return self._found_chat(ids[0])

    # ------------------------------------------------------------ files, weather, ledger

    def _upload(self, request: Request, ids: list[str]) -> Row:
        if not request.body:
            raise Refused(400, "The file is empty.")
        content_type = request.headers.get("content-type", "application/octet-stream")
        return self._store.add_file(request.body, request.query.get("name", "file")[:200], content_type[:100])

    def _file(self, request: Request, ids: list[str]) -> Response:
        file = self._store.file(ids[0])
        if file is None:
            raise Refused(404, "There is no such file.")
        headers = {"content-security-policy": "sandbox; default-src 'none'"}
        return Response(200, self._store.file_bytes(file["id"]), _header_safe(file["content_type"]), headers)

    def _set_weather(self, request: Request, ids: list[str]) -> list[Row]:
        body = request.json()
        count, copies = body.get("count", 1), body.get("copies", 3)
        seconds = body.get("seconds", body.get("retry_after", 3))
        if not isinstance(count, int) or not isinstance(copies, int) or not isinstance(seconds, (int, float)):
            raise Refused(400, "count, copies and seconds must be numbers.")
        self._weather.set(str(body.get("side")), str(body.get("mode")), count, seconds, copies)
        self._live.tell("weather")
        return self._weather.plans()

    def _clear_weather(self, request: Request, ids: list[str]) -> list[Row]:
        self._weather.clear()
        self._live.tell("weather")
        return []

    def _ledger(self, request: Request, ids: list[str]) -> list[Row]:
        """Every accepted send, in order; ?chat_id= for one chat."""
        chat = request.query.get("chat_id", "")
        where, values = ("where chat_id = ?", [int(chat)]) if chat.isdigit() else ("", [])
        rows = self._store.rows(f"select * from ledger {where} order by id", *values)
        return [row | {"content": json.loads(row["content"])} for row in rows]


def _shown(row: Row) -> Row:
    return row | {"content": json.loads(row["content"])}


def _text(body: Row, name: str, limit: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > limit:
        raise Refused(400, f"{name} must be a text of 1 to {limit} characters.")
    return value


def _secret(body: Row, name: str) -> str:
    value = _text(body, name, 200)
    try:
        base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Refused(400, f"{name} must be whsec_ and base64.") from None
    return value


def _number(body: Row, name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -180 <= value <= 180:
        raise Refused(400, f"{name} must be a number of degrees.")
    return value


def _bytes(body: Row) -> bytes | None:
    data = body.get("data")
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Refused(400, "data must be base64.") from None


def _sample(kind: str, hue: int, name: str) -> tuple[bytes, str]:
    if kind == "photo":
        return sample_photo(hue), name or "photo.png"
    if kind == "voice":
        return sample_voice(3), name or "voice.ogg"
    if kind == "document":
        return b"Order 7781\nOne bicycle wheel, 28 inch\n", name or "order-7781.txt"
    raise Refused(400, f"There is no sample of {kind}: give file_id or data.")


def _header_safe(value: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "", value) or "application/octet-stream"
