"""The live feed's ends: where `realtime` reads the truth, and where it hears of news."""

import time
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from inbox import events, telemetry
from inbox.access import agent_topic, visitor_topic
from inbox.db import Database
from inbox.records import accounts
from inbox.streams import feed_stream
from inbox.visitors import event_for_visitor
from realtime.feed import Entry


def entry(
    epoch: str, account_id: UUID, seq: int, event_id: UUID, type_: str, at: datetime, data: bytes
) -> Entry:
    """One event as its readers see it, encoded once for all of them."""
    cursor = f"{epoch}:{seq}"
    frames = [(agent_topic(account_id), events.frame(type_, cursor, event_id, at, data))]
    if (seen := event_for_visitor(type_, data)) is not None:
        contact_id, name, own = seen
        topic = visitor_topic(account_id, contact_id)
        frames.append((topic, events.frame(name, cursor, event_id, at, own)))
    return Entry(str(account_id), seq, tuple(frames), epoch)


class EventLog:
    """realtime.feed.Log over the event log in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._epoch = ""

    @property
    def epoch(self) -> str:
        return self._epoch

    async def refresh_epoch(self) -> str:
        async with self._database.system() as tx:
            self._epoch = await accounts.epoch(tx)
        return self._epoch

    async def read(self, log: str, after: int, limit: int) -> list[Entry]:
        async with self._database.tenant(UUID(log)) as tx:
            rows = await tx.all(
                """
                select seq, id, type, at, data from event_log
                where account_id = $1 and seq > $2 order by seq limit $3
                """,
                tx.account_id, after, limit,
            )  # fmt: skip
        return [self._entry(UUID(log), row) for row in rows]

    def _entry(self, account_id: UUID, row: asyncpg.Record) -> Entry:
        return entry(self._epoch, account_id, row["seq"], row["id"], row["type"], row["at"], row["data"])

    async def bounds(self, log: str) -> tuple[int, int]:
        async with self._database.tenant(UUID(log)) as tx:
            row = await tx.row("select base_seq, seq from accounts where account_id = $1", tx.account_id)
        return (row["base_seq"], row["seq"]) if row else (0, 0)

    async def heads(self, logs: Collection[str]) -> dict[str, int]:
        async with self._database.system() as tx:
            rows = await tx.all(
                "select account_id, seq from accounts where account_id = any($1::uuid[])",
                [UUID(log) for log in logs],
            )
        return {str(row["account_id"]): row["seq"] for row in rows}


class FeedSource:
    """realtime.feed.Source over one shard's feed stream. Every gateway reads all of it, with a place of
    its own: a consumer group would give each event to one gateway only."""

    def __init__(self, redis: Redis, shards: int, log: EventLog) -> None:
        self._redis, self._shards, self._log = redis, shards, log

    async def batches(self) -> AsyncIterator[Sequence[Entry]]:
        # "$" would skip what comes between two reads; the newest id is looked up once and kept.
        places: dict[Any, Any] = {}
        for shard in range(self._shards):
            newest = await self._redis.xrevrange(feed_stream(shard), count=1)
            places[feed_stream(shard)] = newest[0][0] if newest else b"0"
        yield []
        while True:
            answer = await self._redis.xread(places, count=500, block=1000)
            for stream, items in answer or ():
                places[stream.decode()] = items[-1][0]
                yield [self._entry(fields) for _, fields in items]
            if not answer:
                await self._notice_a_wipe(places)

    async def _notice_a_wipe(self, places: dict[Any, Any]) -> None:
        """An emptied Redis counts on from the clock; one that was set back would hide what is new."""
        for stream, place in places.items():
            newest = await self._redis.xrevrange(stream, count=1)
            if newest and _order(newest[0][0]) < _order(
                place if isinstance(place, bytes) else place.encode()
            ):
                places[stream] = b"0"

    def _entry(self, fields: dict[bytes, bytes]) -> Entry:
        at = datetime.fromisoformat(fields[b"at"].decode())
        telemetry.arrival_to_push.observe(max(0.0, time.time() - at.timestamp()))
        return entry(
            self._log.epoch, UUID(fields[b"a"].decode()), int(fields[b"s"]), UUID(fields[b"i"].decode()),
            fields[b"t"].decode(), at, fields[b"d"],
        )  # fmt: skip


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number or 0)
