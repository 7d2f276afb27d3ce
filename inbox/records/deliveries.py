"""Deliveries: the claims, attempts and parts of messages that we send."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx
from inbox.outbox import new_id


class Claimed(Struct, frozen=True):
    """A message that this worker, and only this one, may send until `lease_until`."""

    id: UUID
    conversation_id: UUID
    channel_id: UUID
    address: str
    body: str
    content: dict[str, Any]
    reply_to_external: str | None
    attempts: int
    lease_token: UUID
    created_at: datetime
    parts_done: int


async def claim_next(tx: Tx, conversation_id: UUID, lease_seconds: int) -> Claimed | None:
    """Claim the conversation's oldest unsent message, if it is due and nobody is sending there.

    The caller holds the conversation's row, so a thread leaves in the order in which it was written.
    """
    token = new_id()
    row = await tx.row(
        """
        with head as (
            select id, state, next_attempt_at from messages
            where account_id = $1 and conversation_id = $2 and kind = 'outbound'
              and state in ('queued', 'sending')
            order by sort_at, sort_order, id limit 1
        )
        update messages m set state = 'sending', lease_token = $3, attempts = m.attempts + 1,
               lease_until = now() + make_interval(secs => $4), version = m.version + 1
        from head, conversations c, channels h
        where m.account_id = $1 and m.id = head.id and head.state = 'queued'
          and (head.next_attempt_at is null or head.next_attempt_at <= now())
          and c.account_id = m.account_id and c.id = m.conversation_id
          and h.account_id = m.account_id and h.id = m.channel_id
          and (h.paused_until is null or h.paused_until <= now())
        returning m.id, m.conversation_id, m.channel_id,
                  coalesce(m.content->'context'->>'address', c.address) as address, m.body, m.content,
                  m.reply_to_external, m.attempts, m.lease_token, m.created_at,
                  (select count(distinct part)::int from message_parts p
                   where p.account_id = m.account_id and p.message_id = m.id) as parts_done
        """,
        tx.account_id, conversation_id, token, lease_seconds,
    )  # fmt: skip
    return Claimed(**row) if row else None


async def add_part(tx: Tx, claimed: Claimed, part: int, external_ids: tuple[str, ...]) -> None:
    """The provider took part `part`. Kept even if the lease was lost: it is a fact."""
    await tx.many(
        """
        insert into message_parts (account_id, message_id, part, position, channel_id, external_id)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing
        """,
        [
            (tx.account_id, claimed.id, part, position, claimed.channel_id, external_id)
            for position, external_id in enumerate(external_ids)
        ],
    )


async def extend(tx: Tx, claimed: Claimed, lease_seconds: int) -> bool:
    """Keep the claim for another call; False when it was lost."""
    return bool(
        await tx.run(
            """
            update messages set lease_until = now() + make_interval(secs => $4)
            where account_id = $1 and id = $2 and lease_token = $3 and state = 'sending'
            """,
            tx.account_id, claimed.id, claimed.lease_token, lease_seconds,
        )
    )  # fmt: skip


async def settle(
    tx: Tx,
    claimed: Claimed,
    state: str,
    *,
    code: str | None = None,
    words: str | None = None,
    next_attempt_at: datetime | None = None,
) -> bool:
    """End the claim: sent, failed, unknown, or queued again. False when the claim was lost meanwhile;
    then nothing changed, and whoever took over speaks for the message."""
    return bool(
        await tx.run(
            """
            update messages set state = $4, error_code = $5, error_words = $6, next_attempt_at = $7,
                   lease_token = null, lease_until = null, version = version + 1
            where account_id = $1 and id = $2 and lease_token = $3 and state = 'sending'
            """,
            tx.account_id, claimed.id, claimed.lease_token, state, code, words, next_attempt_at,
        )
    )  # fmt: skip


async def start_attempt(tx: Tx, message_id: UUID, attempt: int, part: int) -> UUID:
    attempt_id = new_id()
    await tx.run(
        """
        insert into send_attempts (account_id, id, message_id, attempt, part, outcome)
        values ($1, $2, $3, $4, $5, 'started')
        """,
        tx.account_id, attempt_id, message_id, attempt, part,
    )  # fmt: skip
    return attempt_id


async def finish_attempt(
    tx: Tx, attempt_id: UUID, outcome: str, code: str | None = None, words: str | None = None
) -> None:
    await tx.run(
        """
        update send_attempts set outcome = $3, code = $4, words = $5, finished_at = clock_timestamp()
        where account_id = $1 and id = $2
        """,
        tx.account_id, attempt_id, outcome, code, words,
    )  # fmt: skip


async def abandon_attempts(tx: Tx, message_id: UUID) -> None:
    """Nobody will say how the attempts that are still open ended."""
    await tx.run(
        """
        update send_attempts set outcome = 'unknown', code = 'interrupted', finished_at = clock_timestamp()
        where account_id = $1 and message_id = $2 and outcome = 'started'
        """,
        tx.account_id, message_id,
    )  # fmt: skip


async def requeue(tx: Tx, message_id: UUID, states: tuple[str, ...]) -> bool:
    """Back into the queue on a person's word; False when it is in none of `states`."""
    return bool(
        await tx.run(
            """
            update messages set state = 'queued', error_code = null, error_words = null, attempts = 0,
                   next_attempt_at = null, lease_token = null, version = version + 1, created_at = now()
            where account_id = $1 and id = $2 and kind = 'outbound' and state = any($3::text[])
            """,
            tx.account_id, message_id, list(states),
        )
    )  # fmt: skip


async def cancel(tx: Tx, message_id: UUID) -> bool:
    """Take back what has not left; False when it is being sent or was sent."""
    return bool(
        await tx.run(
            """
            update messages set state = 'failed', error_code = 'cancelled',
                   error_words = 'Cancelled before sending.', next_attempt_at = null, version = version + 1
            where account_id = $1 and id = $2 and kind = 'outbound' and state = 'queued'
            """,
            tx.account_id, message_id,
        )
    )  # fmt: skip


class Stuck(Struct, frozen=True):
    account_id: UUID
    conversation_id: UUID
    message_id: UUID


async def abandoned(tx: Tx, limit: int) -> list[Stuck]:
    """Messages whose worker stopped while sending. In a system transaction."""
    rows = await tx.all(
        """
        select account_id, conversation_id, id as message_id from messages
        where kind = 'outbound' and state = 'sending' and lease_until < now() order by lease_until limit $1
        """,
        limit,
    )
    return [Stuck(**row) for row in rows]


async def lock_abandoned(tx: Tx, message_id: UUID) -> Claimed | None:
    """Take over a message whose lease ran out; None when somebody else did. Its state stays sending."""
    row = await tx.row(
        """
        update messages m set lease_token = $3, lease_until = now() + interval '30 seconds'
        from conversations c
        where m.account_id = $1 and m.id = $2 and m.state = 'sending' and m.lease_until < now()
          and c.account_id = m.account_id and c.id = m.conversation_id
        returning m.id, m.conversation_id, m.channel_id, c.address, m.body, m.content, m.reply_to_external,
                  m.attempts, m.lease_token, m.created_at, 0 as parts_done
        """,
        tx.account_id, message_id, new_id(),
    )  # fmt: skip
    return Claimed(**row) if row else None


async def due(tx: Tx, limit: int) -> list[Stuck]:
    """Queued messages whose time has come, also those whose wake-up was lost. In a system transaction."""
    rows = await tx.all(
        """
        select account_id, conversation_id, id as message_id from messages
        where kind = 'outbound' and state = 'queued'
          and coalesce(next_attempt_at, created_at + interval '1 second') <= now()
        order by next_attempt_at nulls first limit $1
        """,
        limit,
    )
    return [Stuck(**row) for row in rows]


class AttemptView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    message_id: UUID
    conversation_id: UUID
    at: datetime
    channel_name: str
    attempt: int
    part: int
    outcome: str
    code: str | None = None
    words: str | None = None
    ms: int | None = None


async def attempts(tx: Tx, outcome: str | None, before: UUID | None, limit: int) -> list[AttemptView]:
    """The delivery log, newest first."""
    rows = await tx.all(
        """
        select a.id, a.message_id, m.conversation_id, a.started_at as at, coalesce(h.name, '') as channel_name,
               a.attempt, a.part, a.outcome, a.code, a.words,
               (extract(epoch from a.finished_at - a.started_at) * 1000)::int as ms
        from send_attempts a
        join messages m on m.account_id = a.account_id and m.id = a.message_id
        left join channels h on h.account_id = m.account_id and h.id = m.channel_id
        where a.account_id = $1 and ($2::text is null or a.outcome = $2) and ($3::uuid is null or a.id < $3)
        order by a.id desc limit $4
        """,
        tx.account_id, outcome, before, limit,
    )  # fmt: skip
    return [AttemptView(**row) for row in rows]


async def prune_attempts(tx: Tx, days: int) -> int:
    return await tx.run(
        "delete from send_attempts where account_id = $1 and started_at < now() - make_interval(days => $2)",
        tx.account_id, days,
    )  # fmt: skip
