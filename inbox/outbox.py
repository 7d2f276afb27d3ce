"""The one door for events: a change and its events are one transaction.

`Store.write` opens a transaction on one account. What is recorded in it is appended to the event log by the
commit itself (a deferred trigger, migration 0001): the account's row gives the sequence numbers, and holding
that row while the commit is written makes commit order sequence order, without holes. Lock order everywhere:
conversation, contact, account.

After the commit the bell is rung so that the relay and the workers need not wait for their next look.
A lost ring costs a second, never an event.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import uuid_utils.compat
from msgspec import Struct

from inbox import events
from inbox.db import Database, Tx
from inbox.events import Event


def new_id() -> UUID:
    """A UUID of version 7: unique, and in the order of creation."""
    return uuid_utils.compat.uuid7()


class JobCall(Struct, frozen=True):
    """A row of the jobs table, to be woken at its time."""

    account_id: UUID
    id: UUID
    due_at: datetime | None


class Bell(Protocol):
    """Told after a commit. Must not raise and must not be waited for long."""

    async def ring(self, account_id: UUID, jobs: list[JobCall]) -> None: ...


class Work(Tx):
    """A transaction that changes an account."""

    __slots__ = ("_events", "_jobs")

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx.connection, tx.account_id)
        self._events: list[tuple[UUID, Event, UUID | None]] = []
        self._jobs: list[JobCall] = []

    def record(self, event: Event, subject: UUID | None = None) -> UUID:
        """Append the event when this transaction commits; its id. `subject` is the conversation."""
        event_id = new_id()
        self._events.append((event_id, event, subject))
        return event_id

    def forget(self, mark: tuple[int, int]) -> None:
        """Back to `mark`: what was recorded since belongs to a savepoint that was rolled back."""
        del self._events[mark[0] :]
        del self._jobs[mark[1] :]

    def mark(self) -> tuple[int, int]:
        return len(self._events), len(self._jobs)

    async def job(self, kind: str, key: str, payload: dict[str, Any], due_at: datetime | None = None) -> None:
        """Ask for slow work. One live job per kind and key: asking again moves its time."""
        row = await self.row(
            """
            insert into jobs (account_id, id, kind, key, payload, due_at)
            values ($1, $2, $3, $4, $5, coalesce($6, now()))
            on conflict (account_id, kind, key) where state = 'waiting'
            do update set due_at = excluded.due_at, payload = excluded.payload
            returning id, due_at
            """,
            self.account_id, new_id(), kind, key, payload, due_at,
        )  # fmt: skip
        assert row is not None
        self._jobs.append(JobCall(self.account_id, row["id"], due_at))

    async def _append(self) -> None:
        if not self._events:
            return
        ids, types, subjects, data = [], [], [], []
        for event_id, event, subject in self._events:
            ids.append(event_id)
            types.append(events.type_name(event))
            subjects.append(subject)
            data.append(events.encode(event).decode())
        await self.run(
            """
            insert into recorded_events (account_id, id, ids, types, subjects, data)
            values ($1, $2, $3, $4, $5, $6)
            """,
            self.account_id, new_id(), ids, types, subjects, data,
        )  # fmt: skip


class Store:
    """Where actions begin: reads and writes of one account."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self.database = database
        self._bell = bell

    def read(self, account_id: UUID) -> contextlib.AbstractAsyncContextManager[Tx]:
        return self.database.tenant(account_id)

    @contextlib.asynccontextmanager
    async def write(self, account_id: UUID) -> AsyncIterator[Work]:
        """All or nothing: what the block changes, and the events and jobs that it records."""
        async with self.database.tenant(account_id) as tx:
            work = Work(tx)
            yield work
            await work._append()
        if work._events or work._jobs:
            await self._bell.ring(account_id, work._jobs)
