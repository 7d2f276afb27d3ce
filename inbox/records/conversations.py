"""Conversations: one thread of work with one contact."""

import base64
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from inbox.access import Scope
from inbox.db import Tx
from inbox.errors import BadInput, Conflict
from inbox.outbox import new_id
from inbox.views import AuthorView, ContactBrief, ConversationView, PreviewView

View = Literal["mine", "unassigned", "all", "snoozed", "resolved"]
Sort = Literal["newest", "oldest", "waiting"]

VIEW_SQL = """
    select c.id, c.contact_id, c.channel_id, c.status, c.priority, c.last_activity_at, c.created_at,
           c.version, c.title, c.assignee_id, c.label_ids, c.snoozed_until, c.waiting_since, c.unanswered,
           k.name as contact_name, k.time_zone as contact_zone, k.language as contact_language,
           h.kind as channel_kind,
           m.kind as message_kind, left(m.body, 200) as message_text, m.state as message_state,
           m.author_kind, m.author_id, m.author_name, m.deleted_at as message_deleted_at,
           (select a.kind from attachments a where a.account_id = m.account_id and a.message_id = m.id
            order by a.position limit 1) as message_attachment,
           case when m.content ? 'location' then 'location' when m.content ? 'card' then 'card'
                when m.content ? 'unsupported' then 'unsupported' end as message_shows
    from conversations c
    join contacts k on k.account_id = c.account_id and k.id = c.contact_id
    join channels h on h.account_id = c.account_id and h.id = c.channel_id
    left join messages m on m.account_id = c.account_id and m.id = c.last_message_id
"""


def view_of(row: asyncpg.Record) -> ConversationView:
    preview = None
    if row["message_kind"]:
        preview = PreviewView(
            kind=row["message_kind"],
            text="" if row["message_deleted_at"] else row["message_text"],
            author=AuthorView(row["author_kind"], row["author_id"], row["author_name"]),
            state=row["message_state"],
            attachment=row["message_attachment"],
            shows=row["message_shows"],
        )
    return ConversationView(
        id=row["id"],
        contact=ContactBrief(
            row["contact_id"], row["contact_name"], row["contact_zone"], row["contact_language"]
        ),
        channel_id=row["channel_id"],
        channel_kind=row["channel_kind"],
        status=row["status"],
        priority=row["priority"],
        last_activity_at=row["last_activity_at"],
        created_at=row["created_at"],
        version=row["version"],
        title=row["title"],
        assignee_id=row["assignee_id"],
        label_ids=tuple(row["label_ids"]),
        snoozed_until=row["snoozed_until"],
        waiting_since=row["waiting_since"],
        unanswered=row["unanswered"],
        preview=preview,
    )


async def view_unscoped(tx: Tx, conversation_id: UUID) -> ConversationView:
    """For events: what everybody who may see the conversation sees of it."""
    row = await tx.row(f"{VIEW_SQL} where c.account_id = $1 and c.id = $2", tx.account_id, conversation_id)
    assert row is not None
    return view_of(row)


async def view(scope: Scope, tx: Tx, conversation_id: UUID) -> ConversationView | None:
    row = await tx.row(f"{VIEW_SQL} where c.account_id = $1 and c.id = $2", scope.account_id, conversation_id)
    return view_of(row) if row else None


class Locked(Struct, frozen=True):
    """A conversation whose row this transaction holds."""

    id: UUID
    contact_id: UUID
    channel_id: UUID
    address: str
    lane: str
    status: str
    assignee_id: UUID | None
    snoozed_until: datetime | None
    label_ids: list[UUID]
    priority: str
    version: int


_LOCKED = """
    id, contact_id, channel_id, address, lane, status, assignee_id, snoozed_until, label_ids, priority,
    version
"""


async def lock(scope: Scope, tx: Tx, conversation_id: UUID) -> Locked | None:
    row = await tx.row(
        f"select {_LOCKED} from conversations where account_id = $1 and id = $2 for update",
        scope.account_id, conversation_id,
    )  # fmt: skip
    return Locked(**row) if row else None


async def lock_unscoped(tx: Tx, conversation_id: UUID) -> Locked | None:
    """For consumers and jobs, which act for the account itself."""
    row = await tx.row(
        f"select {_LOCKED} from conversations where account_id = $1 and id = $2 for update",
        tx.account_id, conversation_id,
    )  # fmt: skip
    return Locked(**row) if row else None


class Opened(Struct, frozen=True):
    conversation: Locked
    created: bool


async def open_for(
    tx: Tx,
    contact_id: UUID,
    channel_id: UUID,
    address: str,
    lane: str,
    title: str | None,
    reopen_after: datetime,
) -> Opened:
    """The thread that a message of this contact belongs to, locked.

    It is the newest one of the lane, unless that was resolved before `reopen_after`: then a new one. The
    unique index on open threads decides between transactions that arrive at the same instant; whoever
    loses waits for the winner's commit and finds its thread on the next look.
    """
    for _ in range(5):
        row = await tx.row(
            f"""
            select {_LOCKED}, last_activity_at from conversations
            where account_id = $1 and contact_id = $2 and lane = $3
            order by (status = 'resolved'), created_at desc limit 1 for update
            """,
            tx.account_id, contact_id, lane,
        )  # fmt: skip
        if row is not None and (row["status"] != "resolved" or row["last_activity_at"] >= reopen_after):
            return Opened(Locked(**{key: row[key] for key in Locked.__struct_fields__}), created=False)
        made = await tx.row(
            f"""
            insert into conversations (account_id, id, contact_id, channel_id, address, lane, title)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (account_id, contact_id, lane) where status <> 'resolved' do nothing
            returning {_LOCKED}
            """,
            tx.account_id, new_id(), contact_id, channel_id, address, lane, title,
        )  # fmt: skip
        if made is not None:
            return Opened(Locked(**made), created=True)
    raise Conflict("This customer's thread is changing too fast.")


async def note_inbound(
    tx: Tx, conversation_id: UUID, message_id: UUID, channel_id: UUID, address: str, sort_at: datetime
) -> ConversationView:
    """The thread after a customer's message has arrived: it is open and waits for us, and unless a newer
    message is there (with a second's grace, the clock of many providers), answers go where it came from. The
    last message is the one that stands last in the thread, not the one that arrived last. A resolved thread
    comes back without an owner: routing gives it to whoever had it, if they are there."""
    row = await tx.row(
        f"""
        with noted as (update conversations set
            status = case when status in ('resolved', 'snoozed') then 'open' else status end,
            snoozed_until = null,
            previous_assignee_id = case when status = 'resolved' then assignee_id else previous_assignee_id end,
            assignee_id = case when status = 'resolved' then null else assignee_id end,
            channel_id = case when newest then $4 else channel_id end,
            address = case when newest then $5 else address end,
            last_message_id = case when last then $3 else last_message_id end,
            last_activity_at = case when last_message_id is null then $6 else greatest(last_activity_at, $6) end,
            waiting_since = coalesce(waiting_since, $6),
            unanswered = unanswered + 1,
            version = version + 1
        from (select l.id is null or $6 >= c.last_activity_at - interval '1 second' as newest,
                     l.id is null or (n.sort_at, n.sort_order, n.id) > (l.sort_at, l.sort_order, l.id) as last
              from conversations c
              join messages n on n.account_id = c.account_id and n.id = $3
              left join messages l on l.account_id = c.account_id and l.id = c.last_message_id
              where c.account_id = $1 and c.id = $2) as place
        where account_id = $1 and id = $2 returning conversations.*)
        {VIEW_SQL.replace("from conversations c", "from noted c", 1)}
        """,
        tx.account_id, conversation_id, message_id, channel_id, address, sort_at,
    )  # fmt: skip
    assert row is not None
    return view_of(row)


async def note_outbound(tx: Tx, conversation_id: UUID, message_id: UUID, *, answered: bool) -> None:
    """We wrote something; `answered` when the customer will read it."""
    await tx.run(
        """
        update conversations set last_message_id = $3, last_activity_at = now(),
            waiting_since = case when $4 then null else waiting_since end,
            unanswered = case when $4 then 0 else unanswered end,
            version = version + 1
        where account_id = $1 and id = $2
        """,
        tx.account_id, conversation_id, message_id, answered,
    )  # fmt: skip


async def touch(tx: Tx, conversation_id: UUID) -> None:
    """Something in the thread changed (a delivery state, a reaction): its version grows."""
    await tx.run(
        "update conversations set version = version + 1 where account_id = $1 and id = $2",
        tx.account_id, conversation_id,
    )  # fmt: skip


async def move_address(tx: Tx, channel_id: UUID, old: str, new: str, old_lane: str, new_lane: str) -> None:
    """A chat lives at another address now (Telegram supergroups)."""
    await tx.run(
        """
        update conversations set address = case when address = $3 then $4 else address end,
               lane = case when lane = $5 then $6 else lane end
        where account_id = $1 and channel_id = $2 and (address = $3 or lane = $5)
        """,
        tx.account_id, channel_id, old, new, old_lane, new_lane,
    )  # fmt: skip


_CHANGEABLE = (
    "status",
    "assignee_id",
    "priority",
    "snoozed_until",
    "label_ids",
    "waiting_since",
    "unanswered",
)


async def change(tx: Tx, conversation_id: UUID, values: dict[str, Any]) -> None:
    """Set the given columns of a locked conversation.

    Raises Conflict when it would be the contact's second open thread.
    """
    assert set(values) <= set(_CHANGEABLE)
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(values, 3))
    try:
        await tx.run(
            f"update conversations set version = version + 1{sets} where account_id = $1 and id = $2",
            tx.account_id, conversation_id, *values.values(),
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Conflict("This customer already has another open conversation. Answer there.") from None


# ---------------------------------------------------------------- lists

_WHERE: dict[str, str] = {
    "mine": "c.status in ('open', 'pending') and c.assignee_id = $2",
    "unassigned": "c.status in ('open', 'pending') and c.assignee_id is null and $2::uuid is not null",
    "all": "c.status in ('open', 'pending') and $2::uuid is not null",
    "snoozed": "c.status = 'snoozed' and $2::uuid is not null",
    "resolved": "c.status = 'resolved' and $2::uuid is not null",
}
_ORDER: dict[str, tuple[str, str]] = {
    "newest": ("c.last_activity_at", "desc"),
    "oldest": ("c.last_activity_at", "asc"),
    "waiting": ("coalesce(c.waiting_since, 'infinity'::timestamptz)", "asc"),
}


class Page(Struct, frozen=True):
    items: list[ConversationView]
    next_cursor: str | None


def _decode_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"==")
        return msgspec.json.decode(raw, type=tuple[datetime, UUID])
    except (ValueError, msgspec.MsgspecError):
        raise BadInput("The page cursor is not one of ours.", field="cursor") from None


async def page(
    scope: Scope,
    tx: Tx,
    which: View,
    *,
    sort: Sort = "newest",
    label: UUID | None = None,
    channel: UUID | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page:
    """One page of a view, in the order of `sort`; pages follow each other by cursor, not by offset."""
    key, direction = _ORDER[sort]
    where = [_WHERE[which]]
    values: list[Any] = [scope.account_id, scope.user_id]
    for sql, value in (("c.channel_id = ${}", channel), ("${} = any(c.label_ids)", label)):
        if value is not None:
            values.append(value)
            where.append(sql.format(len(values)))
    if cursor:
        values += _decode_cursor(cursor)
        after = ">" if direction == "asc" else "<"
        where.append(f"({key}, c.id) {after} (${len(values) - 1}, ${len(values)})")
    rows = await tx.all(
        f"""
        {VIEW_SQL.replace("select c.id", f"select {key} as page_key, c.id", 1)}
        where c.account_id = $1 and {" and ".join(where)}
        order by {key} {direction}, c.id {direction} limit {limit + 1}
        """,
        *values,
    )
    more = None
    if len(rows) > limit:
        last = rows[limit - 1]
        key_json = msgspec.json.encode((last["page_key"], last["id"]))
        more = base64.urlsafe_b64encode(key_json).rstrip(b"=").decode()
    return Page([view_of(row) for row in rows[:limit]], more)


async def of_contact(scope: Scope, tx: Tx, contact_id: UUID, limit: int = 50) -> list[ConversationView]:
    rows = await tx.all(
        f"{VIEW_SQL} where c.account_id = $1 and c.contact_id = $2 order by c.last_activity_at desc limit $3",
        scope.account_id, contact_id, limit,
    )  # fmt: skip
    return [view_of(row) for row in rows]


async def counts(scope: Scope, tx: Tx) -> dict[str, int]:
    row = await tx.row(
        """
        select count(*) filter (where status in ('open', 'pending') and assignee_id = $2) as mine,
               count(*) filter (where status in ('open', 'pending') and assignee_id is null) as unassigned,
               count(*) filter (where status in ('open', 'pending')) as all,
               count(*) filter (where status = 'snoozed') as snoozed,
               count(*) filter (where status = 'resolved') as resolved
        from conversations where account_id = $1
        """,
        scope.account_id, scope.user_id,
    )  # fmt: skip
    assert row is not None
    return dict(row)
