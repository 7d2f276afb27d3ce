"""Messages of a thread, and what became of those that we sent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from inbox.access import Scope
from inbox.db import Tx
from inbox.views import (
    AttachmentView,
    AuthorView,
    CardView,
    DeliveryError,
    LocationView,
    MarkView,
    MessageView,
    ReactionView,
    ReplyView,
)

_VIEW_SQL = """
    select m.id, m.conversation_id, m.channel_id, m.kind, m.state, m.author_kind, m.author_id, m.author_name,
           m.body, m.content, m.reactions, m.client_key, m.sort_at, m.sort_order, m.version, m.edited_at,
           m.deleted_at, m.next_attempt_at, m.error_code, m.error_words, m.reply_to_id, m.reply_to_external,
           left(r.body, 200) as reply_text,
           (select jsonb_agg(jsonb_build_object(
                'id', a.id, 'kind', a.kind, 'state', a.state, 'name', a.name, 'content_type', a.content_type,
                'size', a.size, 'width', a.width, 'height', a.height, 'duration', a.duration,
                'error', a.error) order by a.position)
            from attachments a where a.account_id = m.account_id and a.message_id = m.id) as files
    from messages m
    left join messages r on r.account_id = m.account_id and r.id = m.reply_to_id
"""


class Content(Struct, frozen=True, omit_defaults=True):
    """What a message holds beside its text; the `content` column."""

    marks: tuple[MarkView, ...] = ()
    location: LocationView | None = None
    card: CardView | None = None
    quote: str | None = None
    unsupported: str | None = None
    forwarded_from: str | None = None
    album: str | None = None
    activity: dict[str, str] | None = None
    context: dict[str, str] | None = None


def sort_key(at: datetime, order: int, message_id: UUID) -> str:
    """Position in a thread as a string that compares like (time, order, id)."""
    return f"{int(at.timestamp() * 1_000_000):020d}.{order:020d}.{message_id}"


def _view(row: asyncpg.Record) -> MessageView:
    content = msgspec.convert(row["content"], Content)
    deleted = row["deleted_at"] is not None
    error = None
    if row["error_code"] is not None and row["state"] in ("queued", "failed", "unknown"):
        error = DeliveryError(row["error_code"], row["error_words"] or "")
    reply = None
    if row["reply_to_id"] or row["reply_to_external"] or content.quote:
        reply = ReplyView(row["reply_to_id"], content.quote or row["reply_text"] or "")
    return MessageView(
        id=row["id"],
        conversation_id=row["conversation_id"],
        channel_id=row["channel_id"],
        kind=row["kind"],
        author=AuthorView(row["author_kind"], row["author_id"], row["author_name"]),
        text="" if deleted else row["body"],
        state=row["state"],
        at=row["sort_at"],
        sort=sort_key(row["sort_at"], row["sort_order"], row["id"]),
        version=row["version"],
        marks=() if deleted else content.marks,
        attachments=() if deleted else tuple(msgspec.convert(row["files"] or [], list[AttachmentView])),
        location=None if deleted else content.location,
        card=None if deleted else content.card,
        reply_to=reply,
        reactions=tuple(msgspec.convert(row["reactions"], list[ReactionView])),
        error=error,
        next_attempt_at=row["next_attempt_at"] if row["state"] == "queued" else None,
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        client_key=row["client_key"],
        unsupported=content.unsupported,
        forwarded_from=content.forwarded_from,
        activity=content.activity,
        context=content.context,
    )


async def view_unscoped(tx: Tx, message_id: UUID) -> MessageView:
    """For events: what everybody who may see the conversation sees of it."""
    row = await tx.row(f"{_VIEW_SQL} where m.account_id = $1 and m.id = $2", tx.account_id, message_id)
    assert row is not None
    return _view(row)


async def view(scope: Scope, tx: Tx, conversation_id: UUID, message_id: UUID) -> MessageView | None:
    row = await tx.row(
        f"{_VIEW_SQL} where m.account_id = $1 and m.conversation_id = $2 and m.id = $3",
        scope.account_id, conversation_id, message_id,
    )  # fmt: skip
    return _view(row) if row else None


class Position(Struct, frozen=True):
    """A place in a thread; the parsed form of MessageView.sort."""

    at: datetime
    order: int
    id: UUID


async def thread(
    scope: Scope,
    tx: Tx,
    conversation_id: UUID,
    *,
    before: Position | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> tuple[list[MessageView], bool]:
    """Messages in thread order and whether there are more in the asked direction.

    The newest ones, or those before or after a position.
    """
    where = ""
    values: list[object] = [scope.account_id, conversation_id]
    if place := before or after:
        sign = "<" if before else ">"
        where = f"and (m.sort_at, m.sort_order, m.id) {sign} ($3, $4, $5)"
        values += [place.at, place.order, place.id]
    direction = "asc" if after else "desc"
    rows = await tx.all(
        f"""
        {_VIEW_SQL} where m.account_id = $1 and m.conversation_id = $2 {where}
        order by m.sort_at {direction}, m.sort_order {direction}, m.id {direction} limit {limit + 1}
        """,
        *values,
    )
    items = [_view(row) for row in rows[:limit]]
    return (items if after else items[::-1]), len(rows) > limit


async def views_unscoped(tx: Tx, message_ids: Sequence[UUID]) -> list[MessageView]:
    """Several messages in thread order; for a customer's own page, whose ids were chosen by who they are."""
    rows = await tx.all(
        f"""
        {_VIEW_SQL} where m.account_id = $1 and m.id = any($2::uuid[])
        order by m.sort_at, m.sort_order, m.id
        """,
        tx.account_id, list(message_ids),
    )  # fmt: skip
    return [_view(row) for row in rows]


class Draft(Struct, kw_only=True):
    """A message that is about to be stored."""

    id: UUID
    conversation_id: UUID
    channel_id: UUID | None
    kind: str
    state: str
    author_kind: str
    author_id: UUID | None = None
    author_name: str = ""
    external_id: str | None = None
    body: str = ""
    content: Content = Content()
    reply_to_id: UUID | None = None
    reply_to_external: str | None = None
    client_key: str | None = None
    provider_at: datetime | None = None
    sort_at: datetime
    sort_order: int = 0


_INSERT = """
    insert into messages (account_id, id, conversation_id, channel_id, kind, state, author_kind,
        author_id, author_name, external_id, body, content, reply_to_id, reply_to_external, client_key,
        sent_at_provider, sort_at, sort_order)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
        least(greatest($17::timestamptz, same.after), same.before), $18
    from (select max(sort_at) filter (where sort_order < $18::bigint) as after,
                 min(sort_at) filter (where sort_order > $18::bigint) as before
          from messages
          where account_id = $1 and conversation_id = $3 and $5::text = 'inbound'
            and sent_at_provider = $16::timestamptz
            and sort_at >= $17::timestamptz - interval '1 second') as same
    on conflict do nothing
"""


_AWAITED = """
    , exists (select from early_effects f where f.account_id = m.account_id and f.channel_id = m.channel_id
              and f.external_id = m.external_id) as awaited
"""


def _values(tx: Tx, draft: Draft) -> tuple[object, ...]:
    return (
        tx.account_id, draft.id, draft.conversation_id, draft.channel_id, draft.kind, draft.state,
        draft.author_kind, draft.author_id, draft.author_name, draft.external_id, draft.body,
        msgspec.to_builtins(draft.content, str_keys=True), draft.reply_to_id, draft.reply_to_external,
        draft.client_key, draft.provider_at, draft.sort_at, draft.sort_order,
    )  # fmt: skip


async def insert(tx: Tx, draft: Draft) -> bool:
    """Store a message; False when the channel already gave us one of that external id, or the author
    one of that client key.

    Customers' messages of one provider second stand in the order in which the provider counts them, in
    whatever order they arrived.
    """
    return bool(await tx.run(_INSERT, *_values(tx, draft)))


async def insert_received(tx: Tx, draft: Draft) -> tuple[MessageView, bool] | None:
    """Store a customer's message as `insert` does: what is seen of it before it has any files, and whether
    effects that came earlier wait for it. None when we have it already."""
    row = await tx.row(
        f"""
        with stored as ({_INSERT} returning *)
        {_VIEW_SQL.replace("from messages m", _AWAITED + " from stored m", 1)}
        """,
        *_values(tx, draft),
    )
    return (_view(row), row["awaited"]) if row else None


class Known(Struct, frozen=True):
    id: UUID
    conversation_id: UUID
    kind: str
    state: str
    version: int
    edited_at: datetime | None
    reactions: list[dict[str, str]]
    sort_at: datetime


_KNOWN = "m.id, m.conversation_id, m.kind, m.state, m.version, m.edited_at, m.reactions, m.sort_at"


async def find_external(tx: Tx, channel_id: UUID, external_id: str) -> Known | None:
    """The message that the channel knows by this id, received or sent."""
    row = await tx.row(
        f"""
        select {_KNOWN} from messages m
        where m.account_id = $1 and m.channel_id = $2 and m.external_id = $3
        union all
        select {_KNOWN} from message_parts p
        join messages m on m.account_id = p.account_id and m.id = p.message_id
        where p.account_id = $1 and p.channel_id = $2 and p.external_id = $3
        limit 1
        """,
        tx.account_id, channel_id, external_id,
    )  # fmt: skip
    return Known(**row) if row else None


async def by_client_key(tx: Tx, author_id: UUID, client_key: str) -> tuple[UUID, UUID] | None:
    """(conversation, message) that this author already wrote with this key."""
    row = await tx.row(
        """
        select conversation_id, id from messages
        where account_id = $1 and author_id = $2 and client_key = $3
        """,
        tx.account_id, author_id, client_key,
    )  # fmt: skip
    return (row["conversation_id"], row["id"]) if row else None


async def external_of(tx: Tx, conversation_id: UUID, message_id: UUID) -> tuple[UUID, str | None] | None:
    """(channel, the channel's id) of a message of this conversation."""
    row = await tx.row(
        """
        select m.channel_id, coalesce(m.external_id, p.external_id) as external_id
        from messages m left join message_parts p
          on p.account_id = m.account_id and p.message_id = m.id and p.part = 0 and p.position = 0
        where m.account_id = $1 and m.conversation_id = $2 and m.id = $3
        """,
        tx.account_id, conversation_id, message_id,
    )  # fmt: skip
    return (row["channel_id"], row["external_id"]) if row else None


async def conversation_of(tx: Tx, message_id: UUID) -> UUID | None:
    found: UUID | None = await tx.value(
        "select conversation_id from messages where account_id = $1 and id = $2", tx.account_id, message_id
    )
    return found


async def touch(tx: Tx, message_id: UUID) -> None:
    """Something about the message changed (a file of it)."""
    await tx.run(
        "update messages set version = version + 1 where account_id = $1 and id = $2",
        tx.account_id,
        message_id,
    )


async def edit(tx: Tx, message_id: UUID, body: str, content: Content, at: datetime) -> bool:
    """Apply an edit unless a later one was applied before."""
    return bool(
        await tx.run(
            """
            update messages set body = $3, content = content || $4, edited_at = $5, version = version + 1
            where account_id = $1 and id = $2 and (edited_at is null or edited_at < $5) and deleted_at is null
            """,
            tx.account_id, message_id, body, {"marks": []} | msgspec.to_builtins(content), at,
        )
    )  # fmt: skip


async def move_pin(tx: Tx, message_id: UUID, location: LocationView) -> bool:
    """A live location moved on: same message, no mark of an edit."""
    return bool(
        await tx.run(
            """
            update messages set content = jsonb_set(content, '{location}', $3), version = version + 1
            where account_id = $1 and id = $2
            """,
            tx.account_id, message_id, msgspec.to_builtins(location),
        )
    )  # fmt: skip


async def delete(tx: Tx, message_id: UUID, at: datetime) -> bool:
    return bool(
        await tx.run(
            """
            update messages set deleted_at = $3, version = version + 1
            where account_id = $1 and id = $2 and deleted_at is null
            """,
            tx.account_id, message_id, at,
        )
    )  # fmt: skip


async def react(tx: Tx, message_id: UUID, reactions: Sequence[dict[str, str]]) -> bool:
    """Replace all reactions; False when they were these already."""
    return bool(
        await tx.run(
            """
            update messages set reactions = $3, version = version + 1
            where account_id = $1 and id = $2 and reactions <> $3
            """,
            tx.account_id, message_id, list(reactions),
        )
    )  # fmt: skip


async def advance(tx: Tx, message_id: UUID, state: str, code: str | None, words: str | None) -> bool:
    """Move the delivery state forward; False when it is there or further already.

    queued < sending < sent < delivered < read. `failed` holds unless a receipt proves it wrong
    (delivered, read), and never replaces one of those.
    """
    ladder = "array['queued', 'sending', 'unknown', 'sent', 'failed', 'delivered', 'read']"
    return bool(
        await tx.run(
            f"""
            update messages set state = $3, error_code = $4, error_words = $5, version = version + 1,
                   lease_token = null, lease_until = null
            where account_id = $1 and id = $2 and kind = 'outbound'
              and array_position({ladder}, $3::text) > array_position({ladder}, state)
            """,
            tx.account_id, message_id, state, code, words,
        )
    )  # fmt: skip


async def sent_before(tx: Tx, conversation_id: UUID, sort_at: datetime) -> list[UUID]:
    """Our messages up to a moment that are not read yet (watermark receipts)."""
    rows = await tx.all(
        """
        select id from messages where account_id = $1 and conversation_id = $2 and kind = 'outbound'
          and state in ('sent', 'delivered') and sort_at <= $3 order by sort_at
        """,
        tx.account_id, conversation_id, sort_at,
    )  # fmt: skip
    return [row["id"] for row in rows]
