"""Channels: configured connections (this bot, that web site's chat)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from inbox.db import Tx


class Channel(Struct, frozen=True):
    """`secrets` stay sealed until an adapter needs them (inbox.crypto)."""

    account_id: UUID
    id: UUID
    kind: str
    name: str
    settings: dict[str, str]
    secrets: bytes
    enabled: bool
    paused_until: datetime | None
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    last_error: str | None


_COLUMNS = """
    account_id, id, kind, name, settings, secrets, enabled, paused_until, last_inbound_at,
    last_outbound_at, last_error
"""


def _channel(row: asyncpg.Record) -> Channel:
    return Channel(**row)


async def create(
    tx: Tx, channel_id: UUID, kind: str, name: str, settings: dict[str, str], secrets: bytes
) -> None:
    await tx.run(
        """
        insert into channels (account_id, id, kind, name, settings, secrets)
        values ($1, $2, $3, $4, $5, $6)
        """,
        tx.account_id, channel_id, kind, name, settings, secrets,
    )  # fmt: skip


async def find(tx: Tx, channel_id: UUID) -> Channel | None:
    """A channel by its id alone, which is all that a webhook knows. In a system transaction."""
    row = await tx.row(f"select {_COLUMNS} from channels where id = $1", channel_id)
    return _channel(row) if row else None


async def get(tx: Tx, channel_id: UUID) -> Channel | None:
    row = await tx.row(
        f"select {_COLUMNS} from channels where account_id = $1 and id = $2", tx.account_id, channel_id
    )
    return _channel(row) if row else None


async def of_message(tx: Tx, message_id: UUID | None) -> Channel | None:
    """The channel that a message came through."""
    row = await tx.row(
        f"""
        select {_COLUMNS} from channels where account_id = $1 and id = (
            select channel_id from messages where account_id = $1 and id = $2)
        """,
        tx.account_id, message_id,
    )  # fmt: skip
    return _channel(row) if row else None


async def every(tx: Tx) -> list[Channel]:
    rows = await tx.all(
        f"select {_COLUMNS} from channels where account_id = $1 order by name, id", tx.account_id
    )
    return [_channel(row) for row in rows]


_CHANGEABLE = ("name", "enabled", "settings", "secrets", "paused_until", "last_error")


async def change(tx: Tx, channel_id: UUID, values: dict[str, Any]) -> bool:
    """Set the given columns; False when there is no such channel."""
    assert set(values) <= set(_CHANGEABLE)
    assert values
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 3))
    return bool(
        await tx.run(
            f"update channels set {sets} where account_id = $1 and id = $2",
            tx.account_id, channel_id, *values.values(),
        )
    )  # fmt: skip


async def note_inbound(tx: Tx, channel_id: UUID) -> None:
    """Remember that something arrived. At most once a second, so that a busy channel is no hot row."""
    await tx.run(
        """
        update channels set last_inbound_at = now() where account_id = $1 and id = $2
        and (last_inbound_at is null or last_inbound_at < now() - interval '1 second')
        """,
        tx.account_id, channel_id,
    )  # fmt: skip


async def note_outbound(tx: Tx, channel_id: UUID, error: str | None) -> None:
    await tx.run(
        """
        update channels set last_error = $3,
               last_outbound_at = case when $3::text is null then now() else last_outbound_at end
        where account_id = $1 and id = $2
          and ($3 is distinct from last_error or last_outbound_at is null
               or last_outbound_at < now() - interval '1 second')
        """,
        tx.account_id, channel_id, error,
    )  # fmt: skip
