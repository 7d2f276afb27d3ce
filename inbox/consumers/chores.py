"""Chores: the jobs that arq wakes. A job is a row; arq only says when to look at it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog

from channels.base import FetchError, Http
from inbox import telemetry
from inbox.actions import media
from inbox.actions.letters import bury_job
from inbox.actions.send import Sender, send_next
from inbox.adapters import Adapters
from inbox.blobs import Blobs
from inbox.outbox import JobCall, Store
from inbox.records import jobs

log = structlog.get_logger()

_LEASE = 120  # seconds; a chore is cut off before it runs out
_ATTEMPTS = 5


class Chores:
    def __init__(
        self, store: Store, adapters: Adapters, http: Http, blobs: Blobs, sender: Sender, upload_limit: int
    ) -> None:
        self._store, self._adapters, self._http, self._blobs = store, adapters, http, blobs
        self._sender, self._limit = sender, upload_limit
        self._kinds: dict[str, Callable[[UUID, dict[str, Any]], Awaitable[None]]] = {
            "media.fetch": self._fetch,
            "send.again": self._send,
        }

    async def run(self, call: JobCall) -> None:
        """Run a job if it is due and nobody else holds it. Failures come back with back-off, five times."""
        async with self._store.write(call.account_id) as work:
            job = await jobs.claim(work, call.id, _LEASE)
        if job is None:
            return
        try:
            async with asyncio.timeout(_LEASE - 10):
                await self._kinds[job.kind](call.account_id, job.payload)
        except Exception as error:  # kept with the job, tried again, and in the end shown to people
            await self._failed(call, job, error)
            return
        async with self._store.write(call.account_id) as work:
            await jobs.finish(work, job)
        telemetry.jobs.labels(job.kind, "done").inc()

    async def _failed(self, call: JobCall, job: jobs.Job, error: Exception) -> None:
        words = f"{type(error).__name__}: {error}"
        telemetry.jobs.labels(job.kind, "failed").inc()
        if not isinstance(error, FetchError):
            log.warning("job.failed", kind=job.kind, attempt=job.attempts, error=words)
        if job.attempts < _ATTEMPTS:
            async with self._store.write(call.account_id) as work:
                await jobs.postpone(work, job, 2.0**job.attempts, words)
            return
        await bury_job(self._store, call.account_id, job, words)
        if job.kind == "media.fetch":
            await media.fail(self._store, call.account_id, UUID(job.payload["attachment_id"]), words)

    async def _fetch(self, account_id: UUID, payload: dict[str, Any]) -> None:
        attachment_id = UUID(payload["attachment_id"])
        await media.fetch(
            self._store, self._adapters, self._http, self._blobs, account_id, attachment_id, self._limit
        )

    async def _send(self, account_id: UUID, payload: dict[str, Any]) -> None:
        while await send_next(self._sender, account_id, UUID(payload["conversation_id"])):
            pass
