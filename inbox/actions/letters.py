"""Letters: what could not be processed is kept, and tried again or put aside on a person's word."""

from collections.abc import Awaitable
from uuid import UUID

from inbox import events, telemetry
from inbox.access import Scope
from inbox.errors import Conflict, NotFound
from inbox.outbox import Store
from inbox.records import jobs, letters, raw_events
from inbox.streams import Entry


async def bury_entry(store: Store, group: str, entry: Entry, reason: str) -> None:
    """A consumer failed five times on an event; its own sweep may still find the work."""
    fields = {key.decode(): value.decode("utf-8", "replace") for key, value in entry.fields.items()}
    async with store.write(entry.uuid("a")) as work:
        letter_id = await letters.write(
            work, "consumer", f"{group} failed", reason, payload={"group": group, **fields}
        )
        telemetry.dead_letters.labels("consumer").inc()
        work.record(events.IntakeFailed(letter_id, None, f"{group} failed", await letters.open_count(work)))


async def bury_job(store: Store, account_id: UUID, job: jobs.Job, reason: str) -> None:
    """A job failed five times."""
    async with store.write(account_id) as work:
        await jobs.bury(work, job, reason)
        letter_id = await letters.write(
            work, "job", f"{job.kind} failed", reason, payload={"job_id": str(job.id), **job.payload}
        )
        telemetry.dead_letters.labels("job").inc()
        work.record(
            events.IntakeFailed(letter_id, None, f"{job.kind} failed", await letters.open_count(work))
        )


async def replay(store: Store, scope: Scope, letter_id: UUID) -> UUID | None:
    """Try it again: the raw event waits to be processed once more, or the job to be run. The id of the
    raw event to announce, or None. Raises NotFound, and Conflict for a letter that is closed."""
    scope.require_admin()
    async with store.write(scope.account_id) as work:
        letter = await _open(letters.lock(work, letter_id))
        if letter.raw_event_id is not None:
            if await raw_events.hold(work, letter.raw_event_id) is None:
                raise Conflict("The raw event is older than its retention and was deleted.")
            # What fails once more writes a letter of its own.
            await letters.close_of(work, letter.raw_event_id)
            await raw_events.reopen(work, letter.raw_event_id)
        elif letter.source == "job":
            await jobs.revive(work, UUID(letter.payload["job_id"]))
            await letters.close(work, letter_id, "processed")
        else:
            raise Conflict("This one can only be discarded: the work itself is looked after by a sweep.")
        work.record(events.IntakeReplayed(letter_id, "processed", await letters.open_count(work)))
        return letter.raw_event_id


async def discard(store: Store, scope: Scope, letter_id: UUID) -> None:
    """Put it aside. Raises NotFound, Conflict."""
    scope.require_admin()
    async with store.write(scope.account_id) as work:
        await _open(letters.lock(work, letter_id))
        await letters.close(work, letter_id, "discarded")
        work.record(events.IntakeReplayed(letter_id, "discarded", await letters.open_count(work)))


async def _open(found: Awaitable[letters.Letter | None]) -> letters.Letter:
    letter = await found
    if letter is None:
        raise NotFound("This failure is not in the list any more.")
    if letter.state != "open":
        raise Conflict("Somebody has dealt with this already.")
    return letter
