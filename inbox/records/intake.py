"""Intake: what a raw event, and a customer's message in it, meet in the records.

This is the busiest path of the worker, and a round trip costs more than a join: each function asks once for
everything that the next decision needs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx

_CHANNEL = (
    "account_id", "id", "kind", "name", "settings", "secrets", "enabled", "paused_until", "last_inbound_at",
    "last_outbound_at", "last_error",
)  # fmt: skip


class Held(Struct, frozen=True, kw_only=True):
    """A raw event whose row this transaction holds, with its channel (none when it was deleted)."""

    id: UUID
    received_at: datetime
    body: bytes
    state: str
    channel: dict[str, Any] | None
    channel_noted: bool  # that something arrived was written down less than a second ago
    account_settings: dict[str, Any]
    has_letters: bool  # it failed before, and the failure is still open


async def hold(tx: Tx, raw_id: UUID) -> Held | None:
    row = await tx.row(
        f"""
        select e.id, e.received_at, e.body, e.state, a.settings as account_settings,
               {", ".join(f"h.{name} as channel_{name}" for name in _CHANNEL)},
               coalesce(h.last_inbound_at > now() - interval '1 second', false) as channel_noted,
               exists (select from dead_letters l where l.account_id = e.account_id and l.raw_event_id = e.id
                       and l.state = 'open') as has_letters
        from raw_events e
        join accounts a on a.account_id = e.account_id
        left join channels h on h.account_id = e.account_id and h.id = e.channel_id
        where e.account_id = $1 and e.id = $2 for update of e
        """,
        tx.account_id, raw_id,
    )  # fmt: skip
    if row is None:
        return None
    channel = {name: row[f"channel_{name}"] for name in _CHANNEL} if row["channel_id"] else None
    return Held(
        id=row["id"], received_at=row["received_at"], body=row["body"], state=row["state"], channel=channel,
        channel_noted=row["channel_noted"], account_settings=row["account_settings"],
        has_letters=row["has_letters"],
    )  # fmt: skip


class Met(Struct, frozen=True, kw_only=True):
    """`seen`: the channel gave us this message before. Contact and thread are None when there is none yet;
    the thread is the lane's newest one, its row held, and may have been resolved long ago."""

    seen: bool
    contact_id: UUID | None
    contact_name: str | None
    thread_id: UUID | None
    thread_status: str | None
    thread_active_at: datetime | None


async def meet(tx: Tx, channel_id: UUID, external_id: str, identity: tuple[str, str, str], lane: str) -> Met:
    """What a message meets; `identity` is its author's (kind, scope, external id).

    Until the commit nobody else stores this message or lets an effect wait for it (see effects.meet).
    """
    row = await tx.row(
        """
        select exists (select from messages where account_id = $1 and channel_id = $2 and external_id = $3)
            or exists (select from message_parts where account_id = $1 and channel_id = $2 and external_id = $3)
               as seen,
               i.contact_id, k.name as contact_name,
               c.id as thread_id, c.status as thread_status, c.last_activity_at as thread_active_at
        from (select pg_advisory_xact_lock(hashtextextended($2::uuid::text || $3::text, 0))) as met
        left join contact_identities i
          on i.account_id = $1 and i.kind = $4 and i.scope = $5 and i.external_id = $6
        left join contacts k on k.account_id = $1 and k.id = i.contact_id
        left join lateral (
            select id, status, last_activity_at from conversations
            where account_id = $1 and contact_id = i.contact_id and lane = $7
            order by (status = 'resolved'), created_at desc limit 1 for update) as c on true
        """,
        tx.account_id, channel_id, external_id, *identity, lane,
    )  # fmt: skip
    assert row is not None
    return Met(**row)
