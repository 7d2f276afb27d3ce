"""Visitors: customers in the chat widget, and what is theirs.

A visitor is known by their contact and by the channel whose widget they write in.
"""

from uuid import UUID

import asyncpg

from inbox.db import Tx
from inbox.records.messages import Position
from inbox.views import ConversationStatus

_SEEN = """
    from messages m
    join conversations c on c.account_id = m.account_id and c.id = m.conversation_id
    where m.account_id = $1 and c.contact_id = $2 and m.channel_id = $3
      and (m.kind = 'inbound' or (m.kind = 'outbound' and m.state in ('sent', 'delivered', 'read')))
"""


async def page(
    tx: Tx,
    contact_id: UUID,
    channel_id: UUID,
    *,
    before: Position | None = None,
    after: Position | None = None,
    limit: int,
) -> tuple[list[UUID], bool]:
    """Ids of the messages that the visitor may see, oldest first, and whether there are more that way.

    The newest ones, or those next to a position. No notes, nothing that was not sent.
    """
    place = after or before
    sign, direction = (">", "asc") if after else ("<", "desc")
    values: list[object] = [tx.account_id, contact_id, channel_id]
    where = ""
    if place:
        where = f"and (m.sort_at, m.sort_order, m.id) {sign} ($4, $5, $6)"
        values += [place.at, place.order, place.id]
    rows = await tx.all(
        f"""
        select m.id {_SEEN} {where}
        order by m.sort_at {direction}, m.sort_order {direction}, m.id {direction} limit {limit + 1}
        """,
        *values,
    )
    ids = [row["id"] for row in rows[:limit]]
    return (ids if after else ids[::-1]), len(rows) > limit


async def may_see(tx: Tx, contact_id: UUID, channel_id: UUID, message_id: UUID) -> bool:
    return bool(
        await tx.value(
            f"select exists (select {_SEEN} and m.id = $4)", tx.account_id, contact_id, channel_id, message_id
        )
    )


async def thread_status(tx: Tx, contact_id: UUID, channel_id: UUID) -> ConversationStatus | None:
    """Status of the visitor's newest conversation; None before the first."""
    status: ConversationStatus | None = await tx.value(
        """
        select status from conversations where account_id = $1 and contact_id = $2 and channel_id = $3
        order by created_at desc, id desc limit 1
        """,
        tx.account_id, contact_id, channel_id,
    )  # fmt: skip
    return status


async def uploads(tx: Tx, owner: str, ids: list[UUID]) -> list[asyncpg.Record]:
    """Those of `ids` that this owner uploaded: id, message_id, name, content_type, size."""
    return await tx.all(
        """
        select id, message_id, name, content_type, size from attachments
        where account_id = $1 and uploaded_by = $2 and id = any($3)
        """,
        tx.account_id, owner, ids,
    )  # fmt: skip


async def first_widget(tx: Tx) -> UUID | None:
    """The oldest chat widget of the installation, for the demo's shop. In a system transaction."""
    channel_id: UUID | None = await tx.value(
        "select id from channels where kind = 'webchat' and enabled order by id limit 1"
    )
    return channel_id
