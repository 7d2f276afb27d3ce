"""Dead letters: what could not be processed, kept with its reason until somebody deals with it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx
from inbox.outbox import new_id


class Letter(Struct, frozen=True):
    id: UUID
    source: str
    raw_event_id: UUID | None
    channel_id: UUID | None
    state: str
    payload: dict[str, Any]


async def write(
    tx: Tx,
    source: str,
    reason: str,
    detail: str,
    *,
    raw_event_id: UUID | None = None,
    channel_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> UUID:
    letter_id = new_id()
    await tx.run(
        """
        insert into dead_letters (account_id, id, source, raw_event_id, channel_id, reason, detail, payload)
        values ($1, $2, $3, $4, $5, left($6, 500), left($7, 4000), $8)
        """,
        tx.account_id, letter_id, source, raw_event_id, channel_id, reason, detail, payload or {},
    )  # fmt: skip
    return letter_id


async def lock(tx: Tx, letter_id: UUID) -> Letter | None:
    row = await tx.row(
        """
        select id, source, raw_event_id, channel_id, state, payload from dead_letters
        where account_id = $1 and id = $2 for update
        """,
        tx.account_id, letter_id,
    )  # fmt: skip
    return Letter(**row) if row else None


async def close(tx: Tx, letter_id: UUID, state: str) -> None:
    await tx.run(
        """
        update dead_letters set state = $3, closed_at = now(), attempts = attempts + 1
        where account_id = $1 and id = $2
        """,
        tx.account_id, letter_id, state,
    )  # fmt: skip


async def close_of(tx: Tx, raw_event_id: UUID) -> None:
    """The event was read after all: its open letters are answered."""
    await tx.run(
        """
        update dead_letters set state = 'processed', closed_at = now(), attempts = attempts + 1
        where account_id = $1 and raw_event_id = $2 and state = 'open'
        """,
        tx.account_id, raw_event_id,
    )  # fmt: skip


async def open_count(tx: Tx) -> int:
    return int(
        await tx.value(
            "select count(*) from dead_letters where account_id = $1 and state = 'open'", tx.account_id
        )
    )


class LetterView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    at: datetime
    source: str
    reason: str
    detail: str
    state: str
    attempts: int
    channel_id: UUID | None = None
    channel_name: str = ""
    excerpt: str = ""


async def page(tx: Tx, before: UUID | None, limit: int) -> list[LetterView]:
    """Open letters first, then the newest."""
    rows = await tx.all(
        """
        select l.id, l.created_at as at, l.source, l.reason, l.detail, l.state, l.attempts, l.channel_id,
               coalesce(h.name, '') as channel_name, substring(e.body from 1 for 400) as excerpt
        from dead_letters l
        left join channels h on h.account_id = l.account_id and h.id = l.channel_id
        left join raw_events e on e.account_id = l.account_id and e.id = l.raw_event_id
        where l.account_id = $1 and ($2::uuid is null or l.id < $2)
        order by l.id desc limit $3
        """,
        tx.account_id, before, limit,
    )  # fmt: skip
    return [
        LetterView(**{**row, "excerpt": (row["excerpt"] or b"").decode("utf-8", "replace")}) for row in rows
    ]


async def view(tx: Tx, letter_id: UUID) -> LetterView | None:
    row = await tx.row(
        """
        select id, created_at as at, source, reason, detail, state, attempts, channel_id
        from dead_letters where account_id = $1 and id = $2
        """,
        tx.account_id, letter_id,
    )  # fmt: skip
    return LetterView(**row) if row else None
