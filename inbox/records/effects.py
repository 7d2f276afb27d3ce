"""Early effects: an edit, reaction, deletion or receipt that came before its message waits here."""

from typing import Any
from uuid import UUID

from inbox.db import Tx
from inbox.outbox import new_id


async def keep(tx: Tx, channel_id: UUID, external_id: str, effect: dict[str, Any]) -> None:
    await tx.run(
        "insert into early_effects (account_id, id, channel_id, external_id, effect) values ($1, $2, $3, $4, $5)",
        tx.account_id, new_id(), channel_id, external_id, effect,
    )  # fmt: skip


async def meet(tx: Tx, channel_id: UUID, external_ids: list[str]) -> None:
    """Until the commit, nobody else stores these messages or lets an effect wait for them.

    Without it a message and its effect that are stored at the same instant would each miss the other.
    """
    await tx.run(
        """
        select pg_advisory_xact_lock(hashtextextended(key, 0))
        from (select $1::text || e as key from unnest($2::text[]) as e order by e) as keys
        """,
        str(channel_id), external_ids,
    )  # fmt: skip


async def take(tx: Tx, channel_id: UUID, external_ids: list[str]) -> list[dict[str, Any]]:
    """What waits for a message that this transaction has stored, in the order of arrival; it waits no
    longer."""
    await meet(tx, channel_id, external_ids)
    rows = await tx.all(
        """
        with taken as (
            delete from early_effects
            where account_id = $1 and channel_id = $2 and external_id = any($3::text[]) returning id, effect)
        select effect from taken order by id
        """,
        tx.account_id, channel_id, external_ids,
    )  # fmt: skip
    return [row["effect"] for row in rows]


async def prune(tx: Tx, days: int) -> int:
    """Drop what waited in vain."""
    return await tx.run(
        "delete from early_effects where account_id = $1 and created_at < now() - make_interval(days => $2)",
        tx.account_id, days,
    )  # fmt: skip
