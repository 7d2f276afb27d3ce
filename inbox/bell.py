"""The bell: after a commit, wake whoever should look. Losing a ring costs a second, never work."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from arq import ArqRedis
from redis.asyncio import Redis

from inbox.outbox import JobCall
from inbox.records.raw_events import Arrival
from inbox.relay import Relay, poke_channel
from inbox.streams import REDIS_ERRORS, intake_stream, shard_of

log = structlog.get_logger()

_INTAKE_KEPT = 200_000  # entries are only wake-ups; what is trimmed is found by the sweep
_SHARING = 8  # arrivals in one entry
JOB_FUNCTION = "run_job"
JOB_QUEUE = "meridian:jobs"


def _wake_ups(arrivals: Sequence[Arrival]) -> Iterator[tuple[UUID, list[UUID]]]:
    """Arrivals of one account share stream entries, few enough to each that workers share the work."""
    by_account: dict[UUID, list[UUID]] = {}
    for arrival in arrivals:
        by_account.setdefault(arrival.account_id, []).append(arrival.id)
    for account_id, ids in by_account.items():
        for start in range(0, len(ids), _SHARING):
            yield account_id, ids[start : start + _SHARING]


class RedisBell:
    """Rings through Redis, and directly for the relays that live in this process."""

    def __init__(self, redis: Redis, queue: ArqRedis, shards: int, relays: Sequence[Relay] = ()) -> None:
        self._redis, self._queue = redis, queue
        self._shards = shards
        self._relays = dict(enumerate(relays))
        self._pending: set[asyncio.Task[None]] = set()

    async def ring(self, account_id: UUID, jobs: list[JobCall]) -> None:
        shard = shard_of(account_id, self._shards)
        if (relay := self._relays.get(shard)) is not None:
            relay.wake()
        if relay is None or jobs:
            # Redis may be slow or away; whoever committed does not wait for it.
            task = asyncio.create_task(self._through_redis(shard, poke=relay is None, jobs=jobs))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def _through_redis(self, shard: int, *, poke: bool, jobs: list[JobCall]) -> None:
        try:
            if poke:
                await self._redis.publish(poke_channel(shard), b"1")
            for job in jobs:
                due = job.due_at if job.due_at and job.due_at > datetime.now(UTC) else None
                await self._queue.enqueue_job(
                    JOB_FUNCTION, str(job.account_id), str(job.id), _defer_until=due, _queue_name=JOB_QUEUE
                )
        except REDIS_ERRORS as error:
            log.warning("bell.lost", error=str(error))

    async def announce(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the intake workers of raw events that were just committed."""
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for account_id, ids in _wake_ups(arrivals):
                    pipe.xadd(
                        intake_stream(shard_of(account_id, self._shards)),
                        {"a": account_id.hex, "r": " ".join(item.hex for item in ids)},
                        maxlen=_INTAKE_KEPT,
                        approximate=True,
                    )
                await pipe.execute()
        except REDIS_ERRORS as error:
            log.warning("bell.lost", error=str(error), arrivals=len(arrivals))
