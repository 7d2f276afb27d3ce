"""Telegram's side of the Bot API: methods, their checks, and their exact error bodies.

Texts of errors are those of tdlib/telegram-bot-api. Only private chats exist here.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    PushMultipartParser,
    parse_options_header,
)

from channels.richtext import utf16_length
from channels.sandbox.live import Live
from channels.sandbox.outbox import is_loopback
from channels.sandbox.store import Row, Store
from channels.sandbox.telegram_html import CannotParse, parse_html
from channels.sandbox.telegram_messages import bot_user, telegram_message
from channels.sandbox.web import Request, Response, answer

_TEXT_LIMIT = 4096
_CAPTION_LIMIT = 1024
_FETCH_LIMIT = 20_000_000
_UPLOAD_LIMIT = 50_000_000
_PHOTO_LIMIT = 10_000_000
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_STRUCTURED = (
    "chat_id",
    "media",
    "entities",
    "caption_entities",
    "reply_parameters",
    "allowed_updates",
    "duration",
)


class Upload(Struct, frozen=True):
    name: str
    content_type: str
    data: bytes


class TelegramError(Exception):
    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def response(self) -> Response:
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        headers = (
            {"retry-after": str(self.parameters["retry_after"])} if "retry_after" in self.parameters else {}
        )
        return answer(body, self.code, headers)


def bad_request(words: str) -> TelegramError:
    return TelegramError(400, f"Bad Request: {words}")


class Call(Struct, frozen=True):
    channel: Row
    fields: dict[str, Any]
    uploads: dict[str, Upload]


class TelegramApi:
    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._methods: dict[str, Callable[[Call], Any]] = {
            "getme": lambda call: bot_user(call.channel) | {"can_join_groups": True},
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "sendmessage": self._send_message,
            "sendmediagroup": self._send_album,
            "getfile": self._get_file,
            "sendchataction": self._chat_action,
            "setmessagereaction": self._react,
        }
        for kind in ("photo", "video", "audio", "voice", "document"):
            self._methods[f"send{kind}"] = self._sender(kind)

    def sends(self, method: str) -> bool:
        """Whether the weather for sends concerns this method."""
        return method.lower().startswith("send") and method.lower() != "sendchataction"

    def handle(self, token: str, method: str, request: Request) -> Response:
        """Answer one call. Raises TelegramError."""
        channel = self._store.row("select * from channels where kind = 'telegram' and token = ?", token)
        if channel is None:
            raise TelegramError(401, "Unauthorized")
        run = self._methods.get(method.lower())
        if run is None:
            raise TelegramError(404, "Not Found")
        fields, uploads = read_fields(request)
        return answer({"ok": True, "result": run(Call(channel, fields, uploads))})

    def file(self, token: str, path: str) -> Response:
        """The bytes behind a path that getFile gave."""
        channel = self._store.row("select * from channels where kind = 'telegram' and token = ?", token)
        file = self._store.file(path.rpartition("/")[2].partition(".")[0])
        if channel is None or file is None:
            raise TelegramError(404, "Not Found")
        return Response(200, self._store.file_bytes(file["id"]), "application/octet-stream")

    # ------------------------------------------------------------ webhook

    def _set_webhook(self, call: Call) -> bool:
        url, secret = str(call.fields.get("url") or ""), str(call.fields.get("secret_token") or "")
        if url and not (url.startswith("https://") or is_loopback(url)):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        allowed = json.dumps(call.fields.get("allowed_updates") or [])
        self._store.run(
            "update channels set hook_url = ?, hook_secret = ?, allowed = ?, last_error = null, last_error_at = null"
            " where id = ?",
            url,
            secret,
            allowed,
            call.channel["id"],
        )
        return True

    def _delete_webhook(self, call: Call) -> bool:
        self._store.run(
            "update channels set hook_url = '', hook_secret = '' where id = ?", call.channel["id"]
        )
        return True

    def _webhook_info(self, call: Call) -> dict[str, Any]:
        channel = call.channel
        waiting = self._store.rows("select id from outbox where channel_id = ?", channel["id"])
        info = {
            "url": channel["hook_url"],
            "has_custom_certificate": False,
            "pending_update_count": len(waiting),
            "max_connections": 40,
            "allowed_updates": json.loads(channel["allowed"]),
        }
        if channel["last_error"]:
            info |= {"last_error_date": channel["last_error_at"], "last_error_message": channel["last_error"]}
        return info

    # ------------------------------------------------------------ sending

    def _send_message(self, call: Call) -> dict[str, Any]:
        chat = self._chat(call)
        text, entities = _formatted(call.fields, "text", "entities")
        if not text.strip():
            raise bad_request("message text is empty")
        if utf16_length(text) > _TEXT_LIMIT:
            raise bad_request("message is too long")
        content = {"type": "text", "text": text, "entities": entities} | self._reply(call, chat)
        return self._accept(call.channel, chat, "sendMessage", [content])[0]

    def _sender(self, kind: str) -> Callable[[Call], dict[str, Any]]:
        def send(call: Call) -> dict[str, Any]:
            chat = self._chat(call)
            media = call.uploads.get(kind) or call.fields.get(kind)
            content = self._media(kind, media) | _caption(call.fields) | self._reply(call, chat)
            if isinstance(call.fields.get("duration"), int):
                content["duration"] = call.fields["duration"]
            return self._accept(call.channel, chat, f"send{kind.capitalize()}", [content])[0]

        return send

    def _send_album(self, call: Call) -> list[dict[str, Any]]:
        chat = self._chat(call)
        items = call.fields.get("media")
        if not isinstance(items, list) or not 2 <= len(items) <= 10:
            raise bad_request("media must be an array of 2-10 items")
        album, reply, contents = str(time.time_ns()), self._reply(call, chat), []
        for item in items:
            source = str(item.get("media") or "")
            media = call.uploads.get(source.removeprefix("attach://")) or source
            contents.append(self._media(item.get("type"), media) | _caption(item) | reply | {"album": album})
        return self._accept(call.channel, chat, "sendMediaGroup", contents)

    def _media(self, kind: Any, media: Any) -> Row:
        if isinstance(media, str) and (known := self._store.file(media)):
            return {
                "type": kind,
                "file_id": known["id"],
                **{key: known[key] for key in ("name", "content_type", "size")},
            }
        if not isinstance(media, Upload):
            raise bad_request(f"there is no {kind} in the request")
        if len(media.data) > (_PHOTO_LIMIT if kind == "photo" else _UPLOAD_LIMIT):
            raise TelegramError(413, "Request Entity Too Large")
        if not media.data:
            raise bad_request("file must be non-empty")
        file = self._store.add_file(media.data, media.name, media.content_type)
        return {
            "type": kind,
            "file_id": file["id"],
            **{key: file[key] for key in ("name", "content_type", "size")},
        }

    def _accept(self, channel: Row, chat: Row, method: str, contents: list[Row]) -> list[dict[str, Any]]:
        messages = []
        for content in contents:
            message = self._store.add_message(chat["id"], "business", content, "sent")
            self._store.record(channel["id"], chat["id"], method, message)
            messages.append(telegram_message(self._store, channel, chat, message))
            self._live.tell("message", chat_id=chat["id"], message_id=message["message_id"])
        return messages

    def _chat(self, call: Call) -> Row:
        target = call.fields.get("chat_id")
        if target in (None, ""):
            raise bad_request("chat_id is empty")
        chat = self._store.row(
            "select * from chats where channel_id = ? and person_id = ?", call.channel["id"], _whole(target)
        )
        if chat is None:
            raise bad_request("chat not found")
        if chat["blocked"]:
            raise TelegramError(403, "Forbidden: bot was blocked by the user")
        return chat

    def _reply(self, call: Call, chat: Row) -> Row:
        parameters = call.fields.get("reply_parameters")
        if not isinstance(parameters, dict):
            return {}
        number = parameters.get("message_id")
        if isinstance(number, int) and self._store.message(chat["id"], number):
            return {"reply_to": number}
        if parameters.get("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")

    # ------------------------------------------------------------ others

    def _get_file(self, call: Call) -> dict[str, Any]:
        file = self._store.file(str(call.fields.get("file_id") or ""))
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if file["size"] > _FETCH_LIMIT:
            raise bad_request("file is too big")
        ending = file["name"].rpartition(".")[2].lower() if "." in file["name"] else "bin"
        path = f"files/{file['id']}.{re.sub(r'[^a-z0-9]', '', ending)[:8] or 'bin'}"
        return {
            "file_id": file["id"],
            "file_unique_id": "u" + file["id"][:16],
            "file_size": file["size"],
            "file_path": path,
        }

    def _chat_action(self, call: Call) -> bool:
        self._live.tell("typing", chat_id=self._chat(call)["id"])
        return True

    def _react(self, call: Call) -> bool:
        chat, number = self._chat(call), _whole(call.fields.get("message_id"))
        if self._store.message(chat["id"], number) is None:
            raise bad_request("message to react not found")
        reactions = call.fields.get("reaction")
        reactions = json.loads(reactions) if isinstance(reactions, str) else reactions or []
        emoji = reactions[0].get("emoji") if reactions else None
        self._store.run(
            "update messages set reaction = ? where chat_id = ? and message_id = ?", emoji, chat["id"], number
        )
        self._live.tell("message", chat_id=chat["id"], message_id=number)
        return True


def _whole(value: Any) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else 0


def _formatted(fields: dict[str, Any], name: str, entities_name: str) -> tuple[str, list[dict[str, Any]]]:
    text = str(fields.get(name) or "")
    if fields.get("parse_mode") == "HTML":
        try:
            return parse_html(text)
        except CannotParse as error:
            raise bad_request(f"can't parse entities: {error}") from None
    given = fields.get(entities_name)
    return text, given if isinstance(given, list) else []


def _caption(fields: dict[str, Any]) -> Row:
    caption, entities = _formatted(fields, "caption", "caption_entities")
    if utf16_length(caption) > _CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return {"text": caption, "entities": entities} if caption else {}


def read_fields(request: Request) -> tuple[dict[str, Any], dict[str, Upload]]:
    """The parameters of a call, from JSON or a form; structured ones are JSON within the form."""
    fields: dict[str, Any] = dict(request.query)
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    if content_type == "multipart/form-data":
        texts, uploads = _read_form(request.body, options.get("boundary", ""))
        fields |= texts
    else:
        uploads = {}
        try:
            given = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            raise bad_request("can't parse the request body") from None
        fields |= given if isinstance(given, dict) else {}
    for name in _STRUCTURED:
        if isinstance(fields.get(name), str):
            try:
                fields[name] = json.loads(fields[name])
            except ValueError:
                continue  # a plain string, which the method itself judges
    return fields, uploads


def _read_form(body: bytes, boundary: str) -> tuple[dict[str, str], dict[str, Upload]]:
    fields: dict[str, str] = {}
    uploads: dict[str, Upload] = {}
    try:
        with PushMultipartParser(boundary, max_segment_count=100) as parser:
            segment, data = None, bytearray()
            for part in parser.parse(body):
                if part is None and segment is not None:
                    if segment.filename is None:
                        fields[segment.name] = data.decode("utf-8", "replace")
                    else:
                        name, content_type = segment.filename, segment.content_type or ""
                        uploads[segment.name] = Upload(name, content_type, bytes(data))
                elif isinstance(part, (bytes, bytearray)):
                    data += part
                elif part is not None:
                    segment, data = part, bytearray()
    except MultipartError:
        raise bad_request("can't parse the multipart form") from None
    return fields, uploads
