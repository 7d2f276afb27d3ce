"""Accounts: one team's workspace each."""

from uuid import UUID

from msgspec import Struct

from inbox.db import Tx


class Account(Struct, frozen=True):
    id: UUID
    name: str
    settings: dict[str, object]


async def create(tx: Tx, account_id: UUID, name: str, shard: int) -> None:
    """In a system transaction: there is no account to be walled into yet."""
    await tx.run("insert into accounts (account_id, name) values ($1, $2)", account_id, name)
    await tx.run("insert into relay_cursors (account_id, shard, seq) values ($1, $2, 0)", account_id, shard)


async def hold_founding(tx: Tx) -> None:
    """One founding at a time: the row of the installation is held until the commit."""
    await tx.run("update installation set restore_count = restore_count")


async def enter(tx: Tx, account_id: UUID) -> None:
    """Put on the account that this system transaction has just created."""
    await tx.run("set local role meridian_app")
    await tx.value("select set_config('app.account_id', $1, true)", str(account_id))
    tx.account_id = account_id


async def exists(tx: Tx) -> bool:
    """Whether this installation has any account. In a system transaction."""
    return bool(await tx.value("select exists (select from accounts)"))


async def get(tx: Tx) -> Account:
    row = await tx.row(
        "select account_id as id, name, settings from accounts where account_id = $1", tx.account_id
    )
    assert row is not None
    return Account(**row)


async def head(tx: Tx) -> int:
    """Sequence number of the newest event."""
    return int(await tx.value("select seq from accounts where account_id = $1", tx.account_id))


async def epoch(tx: Tx) -> str:
    """Identity of this database's history: a restored backup has another. In a system transaction."""
    return str(
        await tx.value(
            """
            select to_hex((s.system_identifier # (c.timeline_id::bigint << 40)
                           # (i.restore_count::bigint << 20)))
            from pg_control_system() s, pg_control_checkpoint() c, installation i
            """
        )
    )


async def every(tx: Tx) -> list[UUID]:
    """In a system transaction."""
    return [row["account_id"] for row in await tx.all("select account_id from accounts order by account_id")]


async def prune_events(tx: Tx, days: int) -> int:
    """Drop old events that are published, and remember how far: a client that comes back from further
    ago is told to start over. In a system transaction."""
    return await tx.run(
        """
        with cut as (
            select a.account_id, coalesce(max(e.seq), a.base_seq) as seq
            from accounts a join relay_cursors c on c.account_id = a.account_id
            left join event_log e on e.account_id = a.account_id and e.seq <= c.seq
                 and e.at < now() - make_interval(days => $1)
            group by a.account_id, a.base_seq
        ), moved as (
            update accounts a set base_seq = cut.seq from cut
            where a.account_id = cut.account_id and cut.seq > a.base_seq returning a.account_id, a.base_seq
        )
        delete from event_log e using moved where e.account_id = moved.account_id and e.seq <= moved.base_seq
        """,
        max(days, 2),
    )
