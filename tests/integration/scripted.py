"""A Telegram that answers as the story says, for what the sandbox cannot be asked for."""

import itertools
import json
from typing import Any

Json = dict[str, Any]


class ScriptedTelegram:
    """An ASGI application. Sends are answered by `script`, one entry each, and well when it is used up.

    An entry is None (taken) or (HTTP status, body). `taken` and `asked` hold the fields of the sends.
    """

    def __init__(self, *script: tuple[int, Json] | None) -> None:
        self.script = list(script)
        self.taken: list[Json] = []
        self.asked: list[Json] = []
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = self._answer(scope["path"].rpartition("/")[2], json.loads(body or b"{}"))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, method: str, fields: Json) -> tuple[int, Json]:
        if method != "sendMessage":
            return 200, {
                "ok": True,
                "result": {"id": 1, "username": "scripted_bot", "pending_update_count": 0},
            }
        self.asked.append(fields)
        told = self.script.pop(0) if self.script else None
        if told is not None:
            return told
        self.taken.append(fields)
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        return 200, {"ok": True, "result": {"message_id": next(self._numbers), "date": 1, "chat": chat}}


def refusal(code: int, words: str, **parameters: int) -> tuple[int, Json]:
    return code, {"ok": False, "error_code": code, "description": words, "parameters": parameters}
