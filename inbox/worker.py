"""The roof of the worker process: the relays, the consumers of the streams, the clock.

Order of stopping: the consumers take nothing new and finish what they hold (a message being sent is not
cut off), then the relays publish what was committed, then the pools close.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from arq import cron, func
from arq.typing import WorkerCoroutine
from arq.worker import Worker
from prometheus_client import start_http_server

from inbox import failpoints, telemetry
from inbox.actions.retention import prune
from inbox.actions.send import Sender
from inbox.bell import JOB_FUNCTION, JOB_QUEUE, RedisBell
from inbox.consumers import delivery, intake, routing
from inbox.consumers.chores import Chores
from inbox.consumers.delivery import Delivery
from inbox.consumers.intake import Intake
from inbox.consumers.routing import Routing
from inbox.consumers.sweeps import Sweeps
from inbox.crypto import Signer
from inbox.db import CONNECTION_ERRORS, RETRY_ERRORS
from inbox.ground import Ground, stand_on
from inbox.outbox import JobCall, Store
from inbox.relay import Relay
from inbox.settings import Settings
from inbox.streams import REDIS_ERRORS, Consumer, intake_stream, work_stream

log = structlog.get_logger()

GROUPS = (routing.GROUP, delivery.GROUP)  # of the work streams
_STOP_SECONDS = 40.0  # a call to a provider may take half of that


class Staff:
    """Everything that works in one worker process."""

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self._relays = [
            Relay(ground.database, ground.redis, shard, GROUPS) for shard in range(settings.stream_shards)
        ]
        self._bell = RedisBell(ground.redis, ground.queue, settings.stream_shards, self._relays)
        self._store = Store(ground.database, self._bell)
        self._ground = ground
        sender = Sender(
            self._store, ground.adapters, ground.http, ground.blobs, Signer(settings, "file links"),
            settings.origin, ground.deadline, settings.send_lease,
        )  # fmt: skip
        self._chores = Chores(
            self._store, ground.adapters, ground.http, ground.blobs, sender, settings.upload_limit
        )
        self._sweeps = Sweeps(self._store, ground.adapters, sender, self._bell.announce, self._chores.run)
        self._consumers = self._make_consumers(sender)
        self._clock = self._make_clock()

    def _make_consumers(self, sender: Sender) -> list[Consumer]:
        name = f"{socket.gethostname()}-{os.getpid()}"
        redis = self._ground.redis
        taking = Intake(self._store, self._ground.adapters)
        assigning, sending = Routing(self._store), Delivery(sender)
        made = []
        for shard in range(self._ground.settings.stream_shards):
            work = work_stream(shard)
            made += [
                Consumer(redis, intake_stream(shard), intake.GROUP, name, taking.handle, taking.bury, concurrency=6),
                Consumer(redis, work, routing.GROUP, name, assigning.handle, assigning.bury, concurrency=4),
                # Sending waits for providers: many at once, and nobody takes over one that is at it.
                Consumer(
                    redis, work, delivery.GROUP, name, sending.handle, sending.bury,
                    concurrency=32, min_idle=90.0,
                ),
            ]  # fmt: skip
        return made

    def _make_clock(self) -> Worker:
        """arq: runs the schedules, and wakes for jobs at their time."""

        async def run_job(ctx: dict[Any, Any], *ids: Any, **_: Any) -> None:
            account_id, job_id = ids
            await self._chores.run(JobCall(UUID(account_id), UUID(job_id), None))

        seconds = set(range(0, 60, 2))
        options: dict[str, Any] = {"second": seconds, "unique": True, "keep_result": 0, "timeout": 30}
        schedules = [
            cron(_guarded(self._sweeps.arrivals), name="sweep.arrivals", **options),
            cron(_guarded(self._sweeps.sends), name="sweep.sends", **options),
            cron(_guarded(self._sweeps.clock), name="sweep.clock", **options),
            cron(_guarded(self._sweeps.jobs), name="sweep.jobs", **options),
            cron(
                _guarded(self._prune),
                name="prune",
                hour=3,
                minute=17,
                unique=True,
                keep_result=0,
                timeout=900,
            ),
        ]
        return Worker(
            functions=[func(run_job, name=JOB_FUNCTION, keep_result=0, max_tries=1)],
            cron_jobs=schedules,
            redis_pool=self._ground.queue,
            queue_name=JOB_QUEUE,
            poll_delay=0.02,
            job_timeout=130,
            max_jobs=8,
            handle_signals=False,
            health_check_interval=3600,
            log_results=False,
        )

    async def _prune(self) -> None:
        settings = self._ground.settings
        await prune(
            self._store, self._ground.blobs,
            raw_days=settings.raw_retention_days, event_days=settings.event_retention_days,
        )  # fmt: skip

    async def work(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        relays = [asyncio.create_task(relay.run()) for relay in self._relays]
        consumers = [asyncio.create_task(consumer.run()) for consumer in self._consumers]
        clock = asyncio.create_task(self._run_clock(stop))
        waiting = asyncio.create_task(stop.wait())
        tasks: list[asyncio.Task[Any]] = [*relays, *consumers, clock]
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for consumer in self._consumers:
            consumer.stop()
        clock.cancel()
        chores = [task for task in self._clock.tasks.values() if not task.done()]
        await asyncio.wait([*consumers, *chores, clock], timeout=_STOP_SECONDS)
        for relay in self._relays:
            relay.stop()
        await asyncio.wait(relays, timeout=5)
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)
        for task in done - {waiting}:
            task.result()  # something died that should not: let the supervisor see it

    async def _run_clock(self, stop: asyncio.Event) -> None:
        """arq ends when Redis goes away; the clock must not."""
        pause = 0.1
        while not stop.is_set():
            try:
                await self._clock.async_run()
            except REDIS_ERRORS as error:
                log.warning("clock.interrupted", error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _guarded(sweep: Callable[[], Awaitable[None]]) -> WorkerCoroutine:
    """A sweep that fails for want of a server is made up for by the next."""

    async def run(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
        try:
            await sweep()
        except (*CONNECTION_ERRORS, *RETRY_ERRORS, *REDIS_ERRORS) as error:
            log.warning("sweep.interrupted", error=str(error))

    return run


async def run(settings: Settings) -> None:
    """Run the worker process until SIGTERM or SIGINT."""
    telemetry.configure(settings.log_level, settings.log_format)
    failpoints.arm(settings.failpoints)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        if settings.worker_metrics_port:
            start_http_server(settings.worker_metrics_port, addr="127.0.0.1")
        ground = await stack.enter_async_context(stand_on(settings))
        await Staff(ground).work(stop)
