"""Raw events: what arrived, byte for byte, before anybody tried to understand it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from inbox.db import Tx


class RawEvent(Struct, frozen=True):
    account_id: UUID
    id: UUID
    channel_id: UUID
    received_at: datetime
    body: bytes
    state: str
    attempts: int


class Arrival(Struct, frozen=True):
    """A request on its way into the table. `headers` is a small JSON object."""

    account_id: UUID
    id: UUID
    channel_id: UUID
    headers: str
    body: bytes


async def accept(
    connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", batch: Sequence[Arrival]
) -> None:
    """Commit a batch of arrivals of any accounts: one statement, one transaction, one round trip.

    The function (migration 0001) can add rows and do nothing else, so no account needs to be put on.
    """
    await connection.execute(
        "select accept_raw_events($1, $2, $3, $4, $5)",
        [arrival.account_id for arrival in batch],
        [arrival.id for arrival in batch],
        [arrival.channel_id for arrival in batch],
        [arrival.headers for arrival in batch],
        [arrival.body for arrival in batch],
    )


async def hold(tx: Tx, raw_id: UUID) -> RawEvent | None:
    """An event, its row held until the end of the transaction."""
    row = await tx.row(
        """
        select account_id, id, channel_id, received_at, body, state, attempts from raw_events
        where account_id = $1 and id = $2 for update
        """,
        tx.account_id, raw_id,
    )  # fmt: skip
    return RawEvent(**row) if row else None


async def settle(tx: Tx, raw_id: UUID, state: str, reason: str | None = None) -> None:
    await tx.run(
        """
        update raw_events set state = $3, reason = $4, processed_at = clock_timestamp()
        where account_id = $1 and id = $2
        """,
        tx.account_id, raw_id, state, reason,
    )  # fmt: skip


async def reopen(tx: Tx, raw_id: UUID) -> None:
    """Wait to be processed once more (replay)."""
    await tx.run(
        """
        update raw_events set state = 'pending', reason = null, attempts = 0
        where account_id = $1 and id = $2
        """,
        tx.account_id, raw_id,
    )  # fmt: skip


async def overdue(tx: Tx, seconds: float, limit: int) -> list[RawEvent]:
    """Accepted events that no worker has taken for so long; each look counts as an attempt.

    In a system transaction.
    """
    rows = await tx.all(
        """
        update raw_events set attempts = attempts + 1 where (account_id, id) in (
            select account_id, id from raw_events
            where state = 'pending' and received_at < now() - make_interval(secs => $1 * (1 << least(attempts, 10)))
            order by received_at limit $2 for update skip locked)
        returning account_id, id, channel_id, received_at, body, state, attempts
        """,
        seconds, limit,
    )  # fmt: skip
    return [RawEvent(**row) for row in rows]


class RawView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    received_at: datetime
    channel_id: UUID
    channel_name: str
    state: str
    size: int
    attempts: int
    reason: str | None = None
    processed_at: datetime | None = None


async def page(
    tx: Tx, *, channel_id: UUID | None, state: str | None, before: UUID | None, limit: int
) -> list[RawView]:
    """The log of everything that arrived, newest first."""
    rows = await tx.all(
        """
        select e.id, e.received_at, e.channel_id, coalesce(h.name, '') as channel_name, e.state,
               length(e.body) as size, e.attempts, e.reason, e.processed_at
        from raw_events e left join channels h on h.account_id = e.account_id and h.id = e.channel_id
        where e.account_id = $1 and ($2::uuid is null or e.channel_id = $2)
          and ($3::text is null or e.state = $3) and ($4::uuid is null or e.id < $4)
        order by e.id desc limit $5
        """,
        tx.account_id, channel_id, state, before, limit,
    )  # fmt: skip
    return [RawView(**row) for row in rows]


class RawDetail(Struct, frozen=True):
    headers: dict[str, str]
    body: bytes


async def detail(tx: Tx, raw_id: UUID) -> RawDetail | None:
    row = await tx.row(
        "select headers, body from raw_events where account_id = $1 and id = $2", tx.account_id, raw_id
    )
    return RawDetail(**row) if row else None


async def prune(tx: Tx, days: int) -> int:
    """Drop what is older; what was never processed stays."""
    return await tx.run(
        """
        delete from raw_events where account_id = $1 and state in ('processed', 'duplicate')
          and received_at < now() - make_interval(days => $2)
        """,
        tx.account_id, days,
    )  # fmt: skip
