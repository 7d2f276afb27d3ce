"""Retention: drop what is older than its setting."""

from uuid import UUID

from inbox.blobs import Blobs
from inbox.outbox import Store
from inbox.records import accounts, attachments, deliveries, effects, jobs, raw_events, sessions

_UNUSED_UPLOAD_HOURS = 24


async def prune(store: Store, blobs: Blobs, *, raw_days: int, event_days: int) -> None:
    """One round over every account. What was never processed is never dropped."""
    async with store.database.system() as tx:
        everybody = await accounts.every(tx)
        await accounts.prune_events(tx, event_days)
    for account_id in everybody:
        await _prune_account(store, blobs, account_id, raw_days)


async def _prune_account(store: Store, blobs: Blobs, account_id: UUID, raw_days: int) -> None:
    async with store.write(account_id) as work:
        await raw_events.prune(work, raw_days)
        await deliveries.prune_attempts(work, raw_days)
        await effects.prune(work, raw_days)
        await jobs.prune(work, 7)
        await sessions.prune(work)
        unused = await attachments.forget_unused(work, _UNUSED_UPLOAD_HOURS)
    await blobs.delete(unused)
