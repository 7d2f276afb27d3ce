"""Deliver webhooks as the providers do.

Telegram's open-source server (tdlib/telegram-bot-api, WebhookActor.cpp): any 2xx is success; otherwise
the same update again after 1 s, doubling up to a minute, a Retry-After honoured up to an hour, given up
after 24 hours; first in, first out within a queue, queues side by side. A queue here is a chat.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from channels.sandbox.live import Live
from channels.sandbox.store import Row, Store
from channels.sandbox.weather import Weather
from channels.standard_webhooks import signed_headers

PARALLEL = 40  # Telegram's default max_connections
_LONGEST_BACKOFF = 60.0
_LONGEST_RETRY_AFTER = 3600.0
_EXPIRY = 86_400.0
_TIMEOUT = 30.0


class Delivered(Struct, frozen=True):
    status: int
    retry_after: float | None = None


class DeliveryFailed(Exception):
    """No answer came; the words say why."""


Deliver = Callable[[str, Mapping[str, str], bytes], Awaitable[Delivered]]


class LoopbackDeliver:
    """POST a webhook with httpx, to this machine only: a sandbox must not write to strangers."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        if not is_loopback(url):
            raise DeliveryFailed("the sandbox delivers to this machine only")
        try:
            response = await self._client.post(url, headers=dict(headers), content=body)
        except httpx.HTTPError as error:
            raise DeliveryFailed(str(error) or type(error).__name__) from error
        wait = response.headers.get("retry-after", "")
        return Delivered(response.status_code, float(wait) if wait.isdigit() else None)

    async def close(self) -> None:
        await self._client.aclose()


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Outbox:
    """Keeps webhooks until they were taken. `run` is the one task that delivers them."""

    def __init__(
        self, store: Store, weather: Weather, live: Live, deliver: Deliver, first_retry: float
    ) -> None:
        self._store = store
        self._weather = weather
        self._live = live
        self._deliver = deliver
        self._first_retry = first_retry
        self._wake = asyncio.Event()
        self._busy: set[str] = set()

    def put(
        self, channel: Row, webhook_id: str, body: dict[str, Any], chat_id: int, message_id: int | None
    ) -> None:
        """Keep one webhook, as often and as late as the weather wants."""
        plan = self._weather.next("webhook")
        copies = plan.copies if plan and plan.mode == "duplicate" else 1
        delay = 0.0
        if plan and plan.mode == "delay":
            delay = plan.seconds
        if plan and plan.mode == "reorder":
            delay = plan.seconds * (plan.remaining - 1)  # the last one written is the first to arrive
        for copy in range(copies):
            # What shall overtake its elders, or its twins, needs a queue of its own.
            apart = bool(plan and plan.mode == "reorder") or copy > 0
            now = time.time()
            number = self._store.insert(
                "outbox",
                {
                    "channel_id": channel["id"],
                    "queue": f"{channel['id']}/{chat_id}",
                    "webhook_id": webhook_id,
                    "body": json.dumps(body, separators=(",", ":")).encode(),
                    "due": now + delay,
                    "created": now,
                    "chat_id": chat_id,
                    "message_id": message_id,
                },
            )
            if apart:
                self._store.run("update outbox set queue = queue || '/' || id where id = ?", number)
        self._wake.set()

    def waiting(self) -> list[Row]:
        columns = "id, channel_id, queue, webhook_id, due, attempt, chat_id, message_id"
        return self._store.rows(f"select {columns} from outbox order by id")

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                heads = self._store.rows(
                    "select * from outbox where id in (select min(id) from outbox group by queue) order by id"
                )
                idle = [head for head in heads if head["queue"] not in self._busy]
                now = time.time()
                for head in idle:
                    if head["due"] <= now and len(self._busy) < PARALLEL:
                        self._busy.add(head["queue"])
                        tasks.create_task(self._attempt(head))
                waits = [head["due"] - now for head in idle if head["queue"] not in self._busy]
                await self._pause(max(0.0, min(waits)) if waits and len(self._busy) < PARALLEL else None)

    async def _pause(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _attempt(self, head: Row) -> None:
        try:
            channel = self._store.channel(head["channel_id"])
            if channel is not None and channel["hook_url"]:
                await self._post(channel, head)
            else:
                self._later(head, "no webhook is set", None)
        finally:
            self._busy.discard(head["queue"])
            self._wake.set()

    async def _post(self, channel: Row, head: Row) -> None:
        body: bytes = head["body"]
        if channel["kind"] == "telegram":
            headers = (
                {"x-telegram-bot-api-secret-token": channel["hook_secret"]} if channel["hook_secret"] else {}
            )
        else:
            headers = signed_headers(channel["inbound_secret"], head["webhook_id"], datetime.now(UTC), body)
        headers["content-type"] = "application/json"
        try:
            result = await self._deliver(channel["hook_url"], headers, body)
        except DeliveryFailed as error:
            self._later(head, str(error), None)
            return
        if 200 <= result.status < 300:
            self._store.run("delete from outbox where id = ?", head["id"])
            self._show(head, "taken", None)
        else:
            self._later(head, f"Wrong response from the webhook: {result.status}", result.retry_after)

    def _later(self, head: Row, problem: str, retry_after: float | None) -> None:
        now = time.time()
        self._store.run(
            "update channels set last_error = ?, last_error_at = ? where id = ?",
            problem,
            int(now),
            head["channel_id"],
        )
        if now - head["created"] > _EXPIRY:
            self._store.run("delete from outbox where id = ?", head["id"])
            self._show(head, "lost", problem)
            return
        wait = min(self._first_retry * 2 ** min(head["attempt"], 10), _LONGEST_BACKOFF)
        if retry_after is not None:
            wait = min(retry_after, _LONGEST_RETRY_AFTER)
        self._store.run(
            "update outbox set attempt = attempt + 1, due = ? where id = ?", now + wait, head["id"]
        )
        self._show(head, "retrying", problem)

    def _show(self, head: Row, state: str, note: str | None) -> None:
        if head["message_id"] is None:
            return
        self._store.run(
            "update messages set state = ?, note = ? where chat_id = ? and message_id = ? and author = 'customer'",
            state,
            note,
            head["chat_id"],
            head["message_id"],
        )
        self._live.tell("message", chat_id=head["chat_id"], message_id=head["message_id"])
