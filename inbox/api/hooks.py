"""Every provider's webhook: verify the raw bytes, commit them, say yes.

A raw ASGI application: this is the hottest route of the product and needs nothing of a framework. Nothing
about a channel leaks in an error: a wrong signature and a missing one look the same.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import structlog
from litestar.types import Receive, Scope, Send

from channels.base import Adapter, BadSignature, ChannelConfig, HookRequest
from inbox import telemetry
from inbox.adapters import Adapters
from inbox.db import CONNECTION_ERRORS, Database
from inbox.errors import ConfigurationError, NotFound, ProblemError, TooLarge, Unauthenticated, Unavailable
from inbox.failpoints import failpoint
from inbox.outbox import new_id
from inbox.records import channels
from inbox.records.channels import Channel
from inbox.records.raw_events import Arrival

log = structlog.get_logger()

_BODY_SECONDS = 10.0
_KEPT_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")
_OK = b'{"ok":true}'


class ChannelCache:
    """Channels by the id in their webhook's address, believed for a moment, unknown ids included."""

    SECONDS, MOST = 2.0, 10_000

    def __init__(self, database: Database, adapters: Adapters) -> None:
        self._database, self._adapters = database, adapters
        self._known: dict[UUID, tuple[float, tuple[Channel, Adapter, ChannelConfig] | None]] = {}

    async def find(self, channel_id: UUID) -> tuple[Channel, Adapter, ChannelConfig] | None:
        known = self._known.get(channel_id)
        if known is not None and time.monotonic() - known[0] < self.SECONDS:
            return known[1]
        async with self._database.system() as tx:
            channel = await channels.find(tx, channel_id)
        found = None
        if channel is not None and channel.enabled:
            found = (channel, *self._adapters.of(channel))
        if len(self._known) >= self.MOST:
            self._known.clear()
        self._known[channel_id] = (time.monotonic(), found)
        return found


Accept = Callable[[Arrival], Awaitable[None]]


class Hooks:
    """GET and POST /hooks/{channel_id}. `accept` returns once the arrival is committed."""

    def __init__(self, cache: ChannelCache, accept: Accept, body_limit: int) -> None:
        self._cache, self._accept, self._limit = cache, accept, body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, body = await self._answer(scope, receive)
            headers = [(b"content-type", b"application/json")]
        except ProblemError as error:
            telemetry.refused.labels(error.slug).inc()
            status, body = error.status, msgspec.json.encode(error.document())
            headers = [(b"content-type", b"application/problem+json")]
            if isinstance(error, Unavailable):
                headers.append((b"retry-after", str(error.retry_after).encode()))
        except Exception:
            # A bug of ours must not make a provider drop what it has: come again, when it is mended.
            log.exception("hook.failed")
            status, body = Unavailable.status, msgspec.json.encode(Unavailable().document())
            headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"30")]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        try:
            channel_id = UUID(scope["path"].rstrip("/").rpartition("/")[2])
        except ValueError:
            raise NotFound from None
        try:
            found = await self._cache.find(channel_id)
        except CONNECTION_ERRORS as error:
            raise Unavailable from error
        except (ConfigurationError, KeyError) as error:
            log.error("hook.unusable", channel=str(channel_id), error=str(error))
            raise Unavailable from error
        if found is None:
            raise NotFound
        channel, adapter, config = found
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await self._body(headers, receive)
        method = scope.get("method", "GET")
        request = HookRequest(str(method), scope["query_string"].decode("latin-1"), headers, body)
        if method == "GET":
            greeting = adapter.handshake(request, config)
            if greeting is None:
                raise NotFound
            return 200, greeting
        if method != "POST":
            raise NotFound
        try:
            adapter.verify(request, config, datetime.now(UTC))
        except BadSignature:
            raise Unauthenticated("The signature is missing or wrong.") from None
        failpoint("in.recv")
        kept = {name: headers[name][:300] for name in _KEPT_HEADERS if name in headers}
        await self._accept(
            Arrival(channel.account_id, new_id(), channel.id, msgspec.json.encode(kept).decode(), body)
        )
        telemetry.accepted.labels(channel.kind).inc()
        return 200, _OK

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        """The whole body, within a size and a time. Raises TooLarge, Unavailable for a dawdler."""
        if int(headers.get("content-length", "0") or 0) > self._limit:
            raise TooLarge
        chunks, size = [], 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Unavailable
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > self._limit:
                        raise TooLarge
                    if not message.get("more_body"):
                        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        except TimeoutError:
            raise Unavailable("The body did not arrive in time.") from None
