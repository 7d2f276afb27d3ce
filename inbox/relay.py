"""The relay: publishes the event log to Redis, in order, at least once.

One relay works on a shard at a time: it holds an advisory lock for the transaction that reads what is
new, adds it to the streams and moves the cursor. A crash in between publishes twice, which every reader
expects; nothing is ever skipped, because the log is dense and the cursor moves over what was read.

Redis may lose its memory at any moment. A mark, written to PostgreSQL and to Redis every few seconds,
says up to when every consumer group has taken everything. A Redis that does not know the mark (emptied)
or knows an older one (restored stale) makes the relay go back to it and publish from there again.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from redis.asyncio import Redis

from inbox import telemetry
from inbox.db import CONNECTION_ERRORS, RETRY_ERRORS, Database, Tx
from inbox.failpoints import failpoint
from inbox.streams import REDIS_ERRORS, ensure_group, feed_stream, work_stream

log = structlog.get_logger()

_LOCK = 0x72656C61  # namespace of the relay's advisory locks
_BATCH = 1000
_FEED_KEPT = 20_000
_LATE = timedelta(seconds=15)  # an event's time is at most a statement's time-out older than its commit


def poke_channel(shard: int) -> str:
    return f"meridian:poke:{shard}"


def _marker(shard: int) -> str:
    return f"meridian:{{{shard}}}:mark"


class Relay:
    """Publishes one shard. `groups` are the consumer groups of the work stream."""

    def __init__(self, database: Database, redis: Redis, shard: int, groups: Sequence[str]) -> None:
        self._database, self._redis = database, redis
        self._shard, self._groups = shard, groups
        self._news = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something was committed."""
        self._news.set()

    def stop(self) -> None:
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Until stopped. Looks at least once a second, whoever forgot to poke."""
        listener = asyncio.create_task(self._listen(), name="relay-listen")
        pause, next_mark = 0.05, 0.0
        clock = asyncio.get_running_loop().time
        try:
            while not self._stopping:
                try:
                    if clock() >= next_mark:
                        await self._keep_mark()
                        next_mark = clock() + 2.0
                    if await self._publish():
                        pause = 0.05
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._news.wait(), 1.0)
                    else:  # another relay is at work, and may have looked before our event was there
                        await asyncio.sleep(0.01)
                except (*REDIS_ERRORS, *CONNECTION_ERRORS, *RETRY_ERRORS) as error:
                    log.warning("relay.interrupted", shard=self._shard, error=str(error))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 2.0)
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def _listen(self) -> None:
        """Pokes of other processes. Losing them costs a second each, so errors only mean: again."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(poke_channel(self._shard))
                    while True:
                        if await channel.get_message(timeout=5.0) is not None:
                            self._news.set()
            except REDIS_ERRORS:
                await asyncio.sleep(0.5)

    async def _publish(self) -> bool:
        """Publish all there is; False when another relay holds the shard."""
        while True:
            self._news.clear()
            async with self._database.system() as tx:
                if not await tx.value("select pg_try_advisory_xact_lock($1, $2)", _LOCK, self._shard):
                    return False
                events = await self._unpublished(tx)
                if not events:
                    return True
                failpoint("relay.selected")
                await self._add(events)
                failpoint("relay.after_xadd")
                await self._move(tx, events)
                failpoint("relay.cursor")
            telemetry.relayed.inc(len(events))
            if len(events) < _BATCH and not self._news.is_set():
                return True  # whatever was committed since the look has woken us, or will

    async def _unpublished(self, tx: Tx) -> list[asyncpg.Record]:
        return await tx.all(
            f"""
            select e.account_id, e.seq, e.id, e.type, e.at, e.subject_id, e.data
            from relay_cursors c
            join accounts a on a.account_id = c.account_id and a.seq > c.seq
            cross join lateral (
                select * from event_log l where l.account_id = c.account_id and l.seq > c.seq
                order by l.seq limit {_BATCH}) e
            where c.shard = $1 limit {_BATCH}
            """,
            self._shard,
        )

    async def _add(self, events: Iterable[asyncpg.Record]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                account, seq, at = event["account_id"].hex, event["seq"], event["at"].isoformat()
                subject = event["subject_id"].hex if event["subject_id"] else ""
                pipe.xadd(
                    work_stream(self._shard),
                    {"a": account, "s": seq, "t": event["type"], "c": subject, "at": at},
                )
                pipe.xadd(
                    feed_stream(self._shard),
                    {
                        "a": account,
                        "s": seq,
                        "t": event["type"],
                        "i": event["id"].hex,
                        "at": at,
                        "d": event["data"],
                    },
                    maxlen=_FEED_KEPT,
                    approximate=True,
                )
            await pipe.execute()

    async def _move(self, tx: Tx, events: Iterable[asyncpg.Record]) -> None:
        heads: dict[UUID, int] = {}
        for event in events:
            heads[event["account_id"]] = max(heads.get(event["account_id"], 0), event["seq"])
        await tx.run(
            """
            update relay_cursors c set seq = n.seq from unnest($1::uuid[], $2::bigint[]) as n(account_id, seq)
            where c.account_id = n.account_id
            """,
            list(heads), list(heads.values()),
        )  # fmt: skip

    async def _keep_mark(self) -> None:
        for group in self._groups:
            await ensure_group(self._redis, work_stream(self._shard), group)
        async with self._database.system() as tx:
            now: datetime = await tx.value("select clock_timestamp()")
            if not await tx.value("select pg_try_advisory_xact_lock($1, $2)", _LOCK, self._shard):
                return
            kept: datetime | None = await tx.value(
                "select consumed_at from consumer_marks where shard = $1", self._shard
            )
            known = await self._redis.get(_marker(self._shard))
            if kept is not None and (known is None or datetime.fromisoformat(known.decode()) < kept):
                await self._rewind(tx, kept)
                mark = kept
            else:
                mark = await self._consumed(now)
            await tx.run(
                """
                insert into consumer_marks (shard, consumed_at) values ($1, $2)
                on conflict (account_id, shard) do update set consumed_at = excluded.consumed_at
                """,
                self._shard, mark,
            )  # fmt: skip
            telemetry.relay_lag.labels(self._shard).set(
                await tx.value(
                    """
                    select coalesce(sum(a.seq - c.seq), 0) from relay_cursors c
                    join accounts a using (account_id) where c.shard = $1
                    """,
                    self._shard,
                )
            )
        # After the commit: a mark that Redis knows and PostgreSQL does not would hide a loss.
        await self._redis.set(_marker(self._shard), mark.isoformat())

    async def _rewind(self, tx: Tx, mark: datetime) -> None:
        moved = await tx.run(
            """
            update relay_cursors c set seq = least(c.seq, (
                select coalesce(min(e.seq) - 1, c.seq) from event_log e
                where e.account_id = c.account_id and e.at >= $2))
            where c.shard = $1
            """,
            self._shard, mark - _LATE,
        )  # fmt: skip
        self._news.set()
        telemetry.relay_rewinds.inc()
        log.warning("relay.rewound", shard=self._shard, since=mark.isoformat(), accounts=moved)

    async def _consumed(self, now: datetime) -> datetime:
        """The time before which every group has finished everything; also trims the stream to it."""
        stream = work_stream(self._shard)
        oldest: list[bytes] = []
        for group in await self._redis.xinfo_groups(stream):
            pending = await self._redis.xpending(stream, group["name"])
            if pending["pending"]:
                oldest.append(pending["min"])
            else:
                following = await self._redis.xrange(stream, min=b"(" + group["last-delivered-id"], count=1)
                oldest.extend(entry_id for entry_id, _ in following)
        if not oldest:
            await self._redis.xtrim(stream, maxlen=1000, approximate=True)
            return now - _LATE
        first = min(oldest, key=_order)
        await self._redis.xtrim(stream, minid=first.decode(), approximate=True)
        entries = await self._redis.xrange(stream, min=first, count=1)
        if not entries:
            return now - _LATE
        return datetime.fromisoformat(entries[0][1][b"at"].decode()).astimezone(UTC)


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)
