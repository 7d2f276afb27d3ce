"""Accept: keep what arrived, byte for byte, before saying that we have it.

Requests that arrive together share a transaction: while one commit is under way, the next batch gathers,
without any timer. Under light load a request pays for its own commit and nothing else; under heavy load
the cost of a commit is divided by the batch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog

from inbox import telemetry
from inbox.db import CONNECTION_ERRORS
from inbox.errors import Unavailable
from inbox.failpoints import failpoint
from inbox.records import raw_events
from inbox.records.raw_events import Arrival

log = structlog.get_logger()

Announce = Callable[[Sequence[Arrival]], Awaitable[None]]

_MAX_WAITING = 4096  # beyond that the honest answer is 503
_MAX_BATCH = 512
_MAX_BYTES = 8 * 1024 * 1024


class Acceptor:
    """Commits arrivals. `announce` is told of them after their commit and may fail without harm: a sweep
    finds what nobody was told of."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", announce: Announce, *, flushers: int = 2
    ) -> None:
        self._pool = pool
        self._announce = announce
        self._flushers = flushers
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._news = asyncio.Event()
        self._told: list[Arrival] = []
        self._telling = asyncio.Event()

    async def announce(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the intake workers of arrivals that are committed already (replay)."""
        await self._announce(arrivals)

    async def accept(self, arrival: Arrival) -> None:
        """Returns when the arrival is committed. Raises Unavailable when it is not; then (rarely) it may
        have been committed all the same, which the provider's retry and the dedupe keys make harmless."""
        if len(self._waiting) >= _MAX_WAITING:
            raise Unavailable("Too much is arriving at once.")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        self._news.set()
        await done

    async def run(self) -> None:
        """Flush until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._flushers):
                tasks.create_task(self._flush_forever())
            tasks.create_task(self._tell_forever())

    def _take(self) -> list[tuple[Arrival, asyncio.Future[None]]]:
        count, size = 0, 0
        while count < min(len(self._waiting), _MAX_BATCH) and (not count or size < _MAX_BYTES):
            size += len(self._waiting[count][0].body)
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _flush_forever(self) -> None:
        while True:
            await self._news.wait()
            batch = self._take()
            if not self._waiting:
                self._news.clear()
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[tuple[Arrival, asyncio.Future[None]]]) -> None:
        arrivals = [arrival for arrival, _ in batch]
        try:
            failpoint("in.before_commit")
            async with self._pool.acquire(timeout=2) as connection:
                await raw_events.accept(connection, arrivals)
            failpoint("in.after_commit")
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if len(batch) > 1:  # one of them is the cause; the others must not suffer for it
                for item in batch:
                    await self._commit([item])
                return
            log.error("accept.refused", error=type(error).__name__)
            self._answer(batch, Unavailable())
            return
        except (*CONNECTION_ERRORS, asyncpg.PostgresError) as error:
            log.warning("accept.unavailable", error=str(error), requests=len(batch))
            self._answer(batch, Unavailable())
            return
        telemetry.accept_batch.observe(len(batch))
        self._answer(batch, None)
        if len(self._told) < _MAX_WAITING:
            self._told += arrivals
            self._telling.set()

    def _answer(self, batch: list[tuple[Arrival, asyncio.Future[None]]], error: Exception | None) -> None:
        for _, done in batch:
            if done.done():  # the client went away while we committed
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    async def _tell_forever(self) -> None:
        while True:
            await self._telling.wait()
            self._telling.clear()
            arrivals, self._told = self._told, []
            await self._announce(arrivals)
