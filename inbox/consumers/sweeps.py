"""Sweeps: find the work whose wake-up was lost, and what the clock has made due.

Nothing depends on a sweep being quick, and everything on its happening: Redis may forget every wake-up.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from inbox import telemetry
from inbox.actions import receive
from inbox.actions.change import wake
from inbox.actions.route import route
from inbox.actions.send import Sender, send_next, settle_abandoned
from inbox.adapters import Adapters
from inbox.outbox import JobCall, Store
from inbox.records import deliveries, jobs, queue, raw_events
from inbox.records.raw_events import Arrival

log = structlog.get_logger()

_LIMIT = 200
_ATTEMPTS = 5

Announce = Callable[[Sequence[Arrival]], Awaitable[None]]
RunJob = Callable[[JobCall], Awaitable[None]]


class Sweeps:
    def __init__(
        self, store: Store, adapters: Adapters, sender: Sender, announce: Announce, run_job: RunJob
    ) -> None:
        self._store, self._adapters, self._sender = store, adapters, sender
        self._announce, self._run_job = announce, run_job

    async def arrivals(self) -> None:
        """Accepted events that no worker took: announce them again; give up on what failed too often."""
        async with self._store.database.system() as tx:
            overdue = await raw_events.overdue(tx, 2.0, _LIMIT)
        for raw in overdue:
            telemetry.sweeps.labels("arrival").inc()
            if raw.attempts > _ATTEMPTS:
                reason = f"{raw.attempts} attempts did not come to an end"
                await receive.give_up(self._store, raw.account_id, raw.id, reason)
        again = [raw for raw in overdue if raw.attempts <= _ATTEMPTS]
        await self._announce([Arrival(raw.account_id, raw.id, raw.channel_id, "{}", b"") for raw in again])

    async def sends(self) -> None:
        """Messages that wait to be sent, and those whose worker stopped in the middle."""
        async with self._store.database.system() as tx:
            abandoned = await deliveries.abandoned(tx, _LIMIT)
            due = await deliveries.due(tx, _LIMIT)
        for stuck in abandoned:
            telemetry.sweeps.labels("abandoned send").inc()
            await settle_abandoned(self._sender, stuck.account_id, stuck.message_id)
        for account_id, conversation_id in {(item.account_id, item.conversation_id) for item in due}:
            if await send_next(self._sender, account_id, conversation_id):
                telemetry.sweeps.labels("send").inc()

    async def clock(self) -> None:
        """Snoozes that have ended, and queued conversations that are worth another look."""
        async with self._store.database.system() as tx:
            sleeping = await queue.sleeping(tx, _LIMIT)
            unrouted = await queue.unrouted(tx, _LIMIT)
        for account_id, conversation_id in sleeping:
            await wake(self._store, account_id, conversation_id)
        for account_id, conversation_id in unrouted:
            telemetry.sweeps.labels("route").inc()
            await route(self._store, account_id, conversation_id)

    async def jobs(self) -> None:
        """Jobs that are due and that nobody was woken for."""
        async with self._store.database.system() as tx:
            due = await jobs.due(tx, _LIMIT)
        for account_id, job_id in due:
            telemetry.sweeps.labels("job").inc()
            await self._run_job(JobCall(account_id, job_id, None))
