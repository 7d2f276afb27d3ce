"""What must hold after every test, as SQL over one account. Each query names a broken promise per row."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from installation import Installation, until

from inbox.streams import intake_stream, work_stream

# Names as in the promises of docs/architecture.md. $1 is the account.
ORACLES = {
    "P1/P13: an accepted event was neither processed nor kept as a failure": """
        select id, state, reason from raw_events e where account_id = $1 and (state = 'pending'
            or (state = 'dead' and not exists (select from dead_letters l
                where l.account_id = e.account_id and l.raw_event_id = e.id)))""",
    "P2: one provider message twice": """
        select channel_id, external_id from messages where account_id = $1 and external_id is not null
        group by 1, 2 having count(*) > 1""",
    "P2: a message that nobody sent us": """
        select id from messages m where account_id = $1 and kind = 'inbound' and not exists (
            select from raw_events e where e.account_id = m.account_id and e.channel_id = m.channel_id)""",
    "P3: two open threads of one contact": """
        select contact_id, lane from conversations where account_id = $1 and status <> 'resolved'
        group by 1, 2 having count(*) > 1""",
    "P3: a thread or a contact without anything in it": """
        select c.id from conversations c where account_id = $1 and not exists (
            select from messages m where m.account_id = c.account_id and m.conversation_id = c.id)""",
    "P4: a thread that is not in the provider's order": """
        select id from (
            select id, sent_at_provider, lag(sent_at_provider) over w as earlier from messages
            where account_id = $1 and kind = 'inbound' and sort_at = sent_at_provider
            window w as (partition by conversation_id order by sort_at, sort_order, id)) t
        where sent_at_provider < earlier""",
    "P4: an effect still waits though its message is there": """
        select f.id from early_effects f where account_id = $1 and exists (
            select from messages m where m.account_id = f.account_id and m.channel_id = f.channel_id
            and m.external_id = f.external_id)""",
    "P6: the event log has a hole": """
        select count(*), min(seq), max(seq) from event_log where account_id = $1
        having max(seq) - min(seq) + 1 <> count(*)""",
    "P6: the log's head is not the account's": """
        select a.seq, l.seq as newest from accounts a
        left join lateral (select max(seq) as seq from event_log e where e.account_id = a.account_id) l on true
        where a.account_id = $1 and a.seq <> coalesce(l.seq, a.base_seq)""",
    "P6: events that were never published": """
        select a.seq, c.seq as published from accounts a join relay_cursors c using (account_id)
        where a.account_id = $1 and a.seq <> c.seq""",
    "P6: a conversation is newer than the last event about it": """
        select c.id, c.version, l.version as told from conversations c
        left join lateral (
            select (data->'conversation'->>'version')::bigint as version from event_log e
            where e.account_id = c.account_id and e.subject_id = c.id
              and (data->'conversation'->>'id')::uuid = c.id
            order by seq desc limit 1) l on true
        where c.account_id = $1 and c.version is distinct from l.version""",
    "P6: a message is not what the last event said of it": """
        select m.id, m.state, l.told from messages m
        left join lateral (
            select coalesce(data->'message', data->'activity')->>'state' as told,
                   coalesce(data->'message', data->'activity')->>'text' as text from event_log e
            where e.account_id = m.account_id and e.subject_id = m.conversation_id
              and (coalesce(data->'message', data->'activity')->>'id')::uuid = m.id
            order by seq desc limit 1) l on true
        where m.account_id = $1 and (m.state is distinct from l.told
              or (m.deleted_at is null and m.body is distinct from l.text))""",
    "P7: a message is being sent for ever, or is due and nobody sends it": """
        select id, state, next_attempt_at from messages m where account_id = $1 and kind = 'outbound'
          and (state = 'sending' or (state = 'queued' and coalesce(next_attempt_at, created_at) < now()
               and not exists (select from messages o where o.account_id = m.account_id
                 and o.conversation_id = m.conversation_id and o.state = 'queued'
                 and (o.sort_at, o.sort_order, o.id) < (m.sort_at, m.sort_order, m.id))
               and not exists (select from channels h where h.account_id = m.account_id
                 and h.id = m.channel_id and h.paused_until > now())))""",
    "P7: one key, two messages": """
        select author_id, client_key from messages where account_id = $1 and client_key is not null
        group by 1, 2 having count(*) > 1""",
    "P7: sent without the provider's id": """
        select id from messages m where account_id = $1 and state in ('sent', 'delivered', 'read')
          and kind = 'outbound' and not exists (
            select from message_parts p where p.account_id = m.account_id and p.message_id = m.id)""",
    "P10: an assignment by routing without its decision": """
        select m.conversation_id from messages m where account_id = $1 and kind = 'activity'
          and content->'activity'->>'what' = 'routed' and not exists (
            select from decisions d where d.account_id = m.account_id
            and d.conversation_id = m.conversation_id and d.applied)""",
    "P13: a consumer gave up": """
        select reason, detail from dead_letters where account_id = $1 and source = 'consumer'""",
    "P13: an open attempt nobody finished": """
        select id from send_attempts where account_id = $1 and outcome = 'started'""",
    "a file is said to be here and its bytes are not described": """
        select id from attachments where account_id = $1 and state = 'ready'
          and (sha256 is null or size is null or blob_key is null)""",
}

_BUSY = """
    select (select count(*) from raw_events where account_id = $1 and state = 'pending')
         + (select count(*) from messages where account_id = $1 and kind = 'outbound' and state = 'sending')
         + (select count(*) from jobs where account_id = $1 and state = 'waiting' and due_at <= now() + interval '1 s')
         + (select abs(a.seq - c.seq) from accounts a join relay_cursors c using (account_id)
            where a.account_id = $1)
"""


async def quiet(installation: Installation, account_id: UUID, seconds: float = 20.0) -> None:
    """Wait until nothing is under way for the account and no stream holds an entry that was not taken."""

    async def calm() -> bool:
        if await installation.owner.fetchval(_BUSY, account_id) or not await streams_are_empty(installation):
            return False
        # What was taken last may have recorded events since the first look.
        return not await installation.owner.fetchval(_BUSY, account_id) and await streams_are_empty(
            installation
        )

    await until(calm, seconds, "quiet")


async def streams_are_empty(installation: Installation) -> bool:
    for shard in range(installation.settings.stream_shards):
        for stream in (intake_stream(shard), work_stream(shard)):
            newest = await installation.redis.xrevrange(stream, count=1)
            if not newest:
                continue
            for group in await installation.redis.xinfo_groups(stream):
                if group["pending"] or group["last-delivered-id"] != newest[0][0]:
                    return False
    return True


async def broken_promises(owner: "asyncpg.Pool[asyncpg.Record]", account_id: UUID) -> list[str]:
    """Every oracle that gives a row, with its first rows."""
    broken = []
    for promise, sql in ORACLES.items():
        rows = await owner.fetch(sql, account_id)
        if rows:
            broken.append(f"{promise}: {[dict(row) for row in rows[:3]]}")
    return broken


async def broken_files(owner: "asyncpg.Pool[asyncpg.Record]", account_id: UUID, files: Path) -> list[str]:
    """Files that are not byte for byte what their rows say."""
    rows: list[Any] = await owner.fetch(
        "select blob_key, size, sha256 from attachments where account_id = $1 and state = 'ready'", account_id
    )
    broken = []
    for row in rows:
        body = (files / row["blob_key"]).read_bytes()
        if len(body) != row["size"] or hashlib.sha256(body).digest() != row["sha256"]:
            broken.append(f"file {row['blob_key']} differs from its row")
    return broken
