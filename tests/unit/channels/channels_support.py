"""A real HTTP client and real servers on loopback, for tests of adapters."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from channels.base import Download, HttpAnswer, HttpError, MediaKind

NOT_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class LoopbackHttp:
    """`channels.base.Http` over httpx, with a time-out that a test can wait for."""

    def __init__(self, timeout: float = 5.0) -> None:
        self._client = httpx.AsyncClient(trust_env=False, verify=False)
        self._timeout = timeout

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        timeout: float = 20.0,
        user_supplied: bool = False,
    ) -> HttpAnswer:
        with _as_http_error(url):
            response = await self._client.request(
                method, url, headers=dict(headers or {}), content=content, timeout=min(timeout, self._timeout)
            )
        return HttpAnswer(response.status_code, dict(response.headers), response.content)

    def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, user_supplied: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        return self._download(url, headers or {})

    @asynccontextmanager
    async def _download(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Download]:
        with _as_http_error(url):
            async with self._client.stream(
                "GET", url, headers=dict(headers), timeout=self._timeout
            ) as response:
                yield StreamedBody(response)

    async def close(self) -> None:
        await self._client.aclose()


class StreamedBody:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = dict(response.headers)
        self._response = response

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_bytes():
            yield chunk


@contextlib.contextmanager
def _as_http_error(url: str) -> Any:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The address is in the words on purpose: adapters must blot out what is secret in it.
        words = f"{type(error).__name__} for {url}"
        raise HttpError(words, written=not isinstance(error, NOT_WRITTEN)) from error


@dataclass
class BytesFile:
    """An OutboundFile whose bytes are at hand."""

    data: bytes
    kind: MediaKind = "document"
    name: str = "a.txt"
    content_type: str = "text/plain"
    duration: int | None = None
    url: str | None = "https://files.example.com/a"
    claimed: int | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.claimed is None else self.claimed

    async def read(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), 65536):
            yield self.data[start : start + 65536]


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI app with uvicorn on a free loopback port; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until `condition` is true, and give what it gave."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found


async def until_async(condition: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.01)
    return found


class Recorder:
    """An ASGI app that keeps each request and answers with what `respond` gives for it."""

    def __init__(self, respond: Callable[[str, bytes], tuple[int, bytes, dict[str, str]]]) -> None:
        self.respond = respond
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["path"], headers, body))
        status, answer, extra = self.respond(scope["path"], body)
        raw = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})
