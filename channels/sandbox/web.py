"""The little HTTP that the sandbox needs: a request read whole, an answer, and what is wrong with it."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

BODY_LIMIT = 60_000_000  # bytes: the largest upload is 50 MB

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Request(Struct, frozen=True):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # lower case names
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises Refused(400)."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(value, dict):
            raise Refused(400, "The body must be a JSON object.")
        return value


class Response(Struct, frozen=True):
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Refused(Exception):
    """A request that the control API cannot do; `words` say what to change."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Disconnected(Exception):
    """The client went away before its request was complete."""


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, json.dumps(value).encode(), headers=headers or {})


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Raises Refused(413) beyond BODY_LIMIT, and Disconnected."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            raise Refused(413, "The body is larger than 60 MB.")
        chunks.append(chunk)
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Request(scope["method"], unquote(scope["path"]), query, headers, b"".join(chunks))


async def respond(response: Response, send: Send) -> None:
    headers = {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **response.headers,
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body})
