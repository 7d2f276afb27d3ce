"""Jobs: slow work as rows, with a due time and a lease. arq only wakes the workers."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx
from inbox.outbox import new_id


class Job(Struct, frozen=True):
    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int
    lease_token: UUID


async def claim(tx: Tx, job_id: UUID, lease_seconds: int) -> Job | None:
    """Take a job that is due and that nobody holds."""
    row = await tx.row(
        """
        update jobs set lease_token = $3, lease_until = now() + make_interval(secs => $4), attempts = attempts + 1
        where account_id = $1 and id = $2 and state = 'waiting' and due_at <= now()
          and (lease_until is null or lease_until < now())
        returning id, kind, key, payload, attempts, lease_token
        """,
        tx.account_id, job_id, new_id(), lease_seconds,
    )  # fmt: skip
    return Job(**row) if row else None


async def finish(tx: Tx, job: Job) -> bool:
    """False when the lease was lost: somebody else has the job now, and this run must change nothing."""
    return bool(
        await tx.run(
            """
            update jobs set state = 'done', lease_until = null
            where account_id = $1 and id = $2 and lease_token = $3 and state = 'waiting'
            """,
            tx.account_id, job.id, job.lease_token,
        )
    )  # fmt: skip


async def postpone(tx: Tx, job: Job, seconds: float, error: str) -> None:
    await tx.run(
        """
        update jobs set due_at = now() + make_interval(secs => $4), lease_token = null, lease_until = null,
               last_error = left($5, 1000)
        where account_id = $1 and id = $2 and lease_token = $3
        """,
        tx.account_id, job.id, job.lease_token, seconds, error,
    )  # fmt: skip


async def bury(tx: Tx, job: Job, error: str) -> None:
    await tx.run(
        """
        update jobs set state = 'dead', lease_until = null, last_error = left($4, 1000)
        where account_id = $1 and id = $2 and lease_token = $3
        """,
        tx.account_id, job.id, job.lease_token, error,
    )  # fmt: skip


async def revive(tx: Tx, job_id: UUID) -> bool:
    return bool(
        await tx.run(
            """
            update jobs set state = 'waiting', attempts = 0, due_at = now(), lease_token = null
            where account_id = $1 and id = $2 and state = 'dead'
            """,
            tx.account_id, job_id,
        )
    )  # fmt: skip


async def due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """(account, job) that are due and that nobody holds. In a system transaction."""
    rows = await tx.all(
        """
        select account_id, id from jobs
        where state = 'waiting' and due_at <= now() and (lease_until is null or lease_until < now())
        order by due_at limit $1
        """,
        limit,
    )
    return [(row["account_id"], row["id"]) for row in rows]


async def prune(tx: Tx, days: int) -> int:
    return await tx.run(
        """
        delete from jobs where account_id = $1 and state = 'done' and due_at < now() - make_interval(days => $2)
        """,
        tx.account_id, days,
    )  # fmt: skip
