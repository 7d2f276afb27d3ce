"""Redis Streams: what carries work between processes.

Redis carries, PostgreSQL keeps. A stream entry is a wake-up with ids in it; whatever Redis forgets is
found again by the relay's rewind and by the sweeps. Entries are acknowledged after their effect is
committed; what a dead consumer left is taken over; what fails five times goes to the dead letters.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from inbox import telemetry
from inbox.db import RETRY_ERRORS

log = structlog.get_logger()

DELIVERIES = 5
REDIS_ERRORS = (RedisError, OSError, TimeoutError)


def connect(url: str) -> Redis:
    """A client in which nothing can wait for ever (the library's default is no time-out at all)."""
    client: Redis = Redis.from_url(
        url, socket_timeout=5, socket_connect_timeout=3, health_check_interval=15, max_connections=50
    )
    return client


def shard_of(account_id: UUID, shards: int) -> int:
    return account_id.int % shards


def work_stream(shard: int) -> str:
    return f"meridian:{{{shard}}}:work"


def feed_stream(shard: int) -> str:
    return f"meridian:{{{shard}}}:feed"


def intake_stream(shard: int) -> str:
    return f"meridian:{{{shard}}}:intake"


class Entry(Struct, frozen=True):
    """One entry of a stream, its fields still bytes."""

    id: bytes
    fields: dict[bytes, bytes]

    def text(self, name: str) -> str:
        return self.fields[name.encode()].decode()

    def uuid(self, name: str) -> UUID:
        return UUID(self.text(name))


Handler = Callable[[Entry], Awaitable[None]]


async def ensure_group(redis: Redis, stream: str, group: str) -> bool:
    """Create the consumer group, from the beginning of what is there; False when it existed."""
    try:
        await redis.xgroup_create(stream, group, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" in str(error):
            return False
        raise
    return True


class Consumer:
    """Reads one stream for one group, `concurrency` entries at a time.

    `handle` must be idempotent. It may raise: the entry is then offered again after `min_idle` seconds,
    to any consumer, and after five times `bury` is called with it.
    """

    def __init__(
        self, redis: Redis, stream: str, group: str, name: str, handle: Handler,
        bury: Callable[[Entry, str], Awaitable[None]], *, concurrency: int = 8, min_idle: float = 15.0,
    ) -> None:  # fmt: skip
        self._redis = redis
        self._stream, self._group, self._name = stream, group, name
        self._handle, self._bury = handle, bury
        self._concurrency, self._min_idle = concurrency, min_idle
        self._running: dict[bytes, asyncio.Task[None]] = {}
        self._finished: list[bytes] = []
        self._acking = False
        self._stopping = asyncio.Event()
        self._errors: dict[bytes, str] = {}

    def stop(self) -> None:
        """Take nothing new; `run` returns when what is running has finished."""
        self._stopping.set()

    async def run(self) -> None:
        pause, next_claim = 0.05, 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            try:
                await ensure_group(self._redis, self._stream, self._group)
                while not self._stopping.is_set():
                    if clock() >= next_claim:
                        await self._take_over()
                        next_claim = clock() + self._min_idle / 3
                    await self._read()
                    pause = 0.05
            except REDIS_ERRORS as error:
                # A wiped or restarted Redis: the group is made anew, the relay publishes again.
                log.warning("stream.interrupted", stream=self._stream, group=self._group, error=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, 2.0)
        if self._running:
            await asyncio.wait(self._running.values())
        await self._acknowledge()

    async def _read(self) -> None:
        while (free := self._concurrency - len(self._running)) <= 0:
            await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
        answer = await self._redis.xreadgroup(
            self._group, self._name, {self._stream: ">"}, count=free, block=1000
        )
        for _, entries in answer or ():
            for entry_id, fields in entries:
                self._start(Entry(entry_id, fields))

    def _start(self, entry: Entry) -> None:
        if entry.id not in self._running:
            task = asyncio.create_task(self._process(entry), name=f"{self._group}:{entry.id.decode()}")
            self._running[entry.id] = task
            task.add_done_callback(lambda _: self._running.pop(entry.id, None))

    async def _process(self, entry: Entry) -> None:
        for attempt in range(3):
            try:
                await self._handle(entry)
            except RETRY_ERRORS:
                if attempt == 2:
                    log.warning("stream.contended", group=self._group, entry=entry.id.decode())
                    return
            except asyncio.CancelledError:
                raise
            except Exception as error:  # whatever it is, the entry stays pending and comes again
                self._errors[entry.id] = f"{type(error).__name__}: {error}"
                telemetry.consumed.labels(self._group, "failed").inc()
                log.exception("stream.failed", group=self._group, entry=entry.id.decode())
                return
            else:
                break
        telemetry.consumed.labels(self._group, "done").inc()
        self._errors.pop(entry.id, None)
        self._finished.append(entry.id)
        if not self._acking:
            self._acking = True
            try:
                await self._acknowledge()
            except REDIS_ERRORS as error:  # it will be offered again, and found done
                log.warning("stream.not_acknowledged", group=self._group, error=str(error))
            finally:
                self._acking = False

    async def _acknowledge(self) -> None:
        # Whatever finishes while one XACK is under way leaves with the next.
        while self._finished:
            batch, self._finished = self._finished, []
            await self._redis.xack(self._stream, self._group, *batch)

    async def _take_over(self) -> None:
        """Claim what a dead consumer left, and what failed here a while ago."""
        idle = int(self._min_idle * 1000)
        answer: Any = await self._redis.xautoclaim(
            self._stream, self._group, self._name, idle, count=self._concurrency
        )
        # Redis 6.2 answers trimmed entries as nil among the others, 7.0 names them in a third element.
        entries = [Entry(entry_id, fields) for entry_id, fields in answer[1] if fields]
        if not entries:
            return
        deliveries = await self._deliveries(entries)
        for entry in entries:
            if entry.id in self._running:
                continue
            if deliveries.get(entry.id, 1) > DELIVERIES:
                await self._bury(entry, self._errors.pop(entry.id, "a worker stopped while processing it"))
                telemetry.consumed.labels(self._group, "buried").inc()
                await self._redis.xack(self._stream, self._group, entry.id)
            else:
                self._start(entry)

    async def _deliveries(self, entries: Iterable[Entry]) -> dict[bytes, int]:
        ids = [entry.id for entry in entries]
        pending = await self._redis.xpending_range(
            self._stream,
            self._group,
            min=ids[0],
            max=ids[-1],
            count=max(100, len(ids)),
            consumername=self._name,
        )
        return {item["message_id"]: item["times_delivered"] for item in pending}
