"""The queue: conversations as routing and the clock see them."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx


async def take_turn(tx: Tx) -> None:
    """Until the commit, nobody else decides in this account: two decisions at once would both see the same
    people with the same load."""
    await tx.run("select pg_advisory_xact_lock(hashtextextended('route ' || $1, 0))", str(tx.account_id))


async def claim(tx: Tx, conversation_id: UUID, agent_id: UUID, version: int) -> bool:
    """Give an ownerless conversation an owner, unless anything about it changed since `version`."""
    return bool(
        await tx.run(
            """
            update conversations set assignee_id = $3, version = version + 1, routed_version = version + 1,
                   route_at = null
            where account_id = $1 and id = $2 and version = $4 and assignee_id is null
              and status in ('open', 'pending')
            """,
            tx.account_id, conversation_id, agent_id, version,
        )
    )  # fmt: skip


async def put(tx: Tx, conversation_id: UUID, version: int, route_at: datetime | None) -> None:
    """Routing found nobody; look again at `route_at`, or when somebody becomes available."""
    await tx.run(
        """
        update conversations set routed_version = version, route_at = $4
        where account_id = $1 and id = $2 and version = $3 and assignee_id is null
        """,
        tx.account_id, conversation_id, version, route_at,
    )  # fmt: skip


async def waiting_unscoped(tx: Tx, limit: int) -> list[UUID]:
    """Ownerless conversations, most urgent and longest waiting first."""
    rows = await tx.all(
        """
        select id from conversations
        where account_id = $1 and assignee_id is null and status in ('open', 'pending')
        order by array_position(array['urgent', 'high', 'medium', 'none', 'low'], priority),
                 coalesce(waiting_since, created_at), id
        limit $2
        """,
        tx.account_id, limit,
    )  # fmt: skip
    return [row["id"] for row in rows]


class ToRoute(Struct, frozen=True):
    id: UUID
    version: int
    channel_id: UUID
    channel_kind: str
    priority: str
    waiting_since: datetime | None
    created_at: datetime
    contact_language: str | None
    assignee_id: UUID | None
    status: str
    previous_owner_id: UUID | None


async def to_route_unscoped(tx: Tx, conversation_id: UUID) -> ToRoute | None:
    """What routing must know of a conversation, its row held: nothing changes under the decision."""
    row = await tx.row(
        """
        select c.id, c.version, c.channel_id, h.kind as channel_kind, c.priority, c.waiting_since,
               c.created_at, k.language as contact_language, c.assignee_id, c.status,
               coalesce(c.previous_assignee_id, (
                 select d.agent_id from decisions d where d.account_id = c.account_id
                 and d.conversation_id = c.id and d.applied and d.agent_id is not null
                 order by d.at desc limit 1)) as previous_owner_id
        from conversations c
        join contacts k on k.account_id = c.account_id and k.id = c.contact_id
        join channels h on h.account_id = c.account_id and h.id = c.channel_id
        where c.account_id = $1 and c.id = $2 for update of c
        """,
        tx.account_id, conversation_id,
    )  # fmt: skip
    return ToRoute(**row) if row else None


async def sleeping(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """(account, conversation) whose snooze has ended. In a system transaction."""
    rows = await tx.all(
        """
        select account_id, id from conversations
        where status = 'snoozed' and snoozed_until <= now() order by snoozed_until limit $1
        """,
        limit,
    )
    return [(row["account_id"], row["id"]) for row in rows]


async def unrouted(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """(account, conversation) without an owner that routing missed or should look at again. System."""
    rows = await tx.all(
        """
        select account_id, id from conversations
        where assignee_id is null and status in ('open', 'pending')
          and ((routed_version is null and created_at < now() - interval '2 seconds') or route_at <= now())
        order by route_at nulls first, id limit $1
        """,
        limit,
    )
    return [(row["account_id"], row["id"]) for row in rows]
