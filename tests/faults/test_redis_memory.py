"""Redis carries, PostgreSQL keeps: whatever Redis forgets, and whenever, nothing is lost (promise P5)."""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable

import pytest
from installation import until
from rig import LONG, Provider, Rig
from world import World

from inbox.consumers import delivery, intake, routing
from inbox.streams import feed_stream, intake_stream, work_stream

SEED = random.Random(time.time_ns()).randrange(10_000)
COUNT = 400 if LONG else 100


async def empty(rig: Rig) -> None:
    await rig.redis.flushall()


async def kill_and_restart_empty(rig: Rig) -> None:
    await rig.kill("redis")
    await rig.start_redis()


async def lose_the_work(rig: Rig) -> None:
    await rig.redis.delete(work_stream(0))


async def lose_the_arrivals(rig: Rig) -> None:
    await rig.redis.delete(intake_stream(0))


async def lose_the_feed(rig: Rig) -> None:
    await rig.redis.delete(feed_stream(0))


async def destroy_the_groups(rig: Rig) -> None:
    await rig.redis.xgroup_destroy(intake_stream(0), intake.GROUP)
    for group in (routing.GROUP, delivery.GROUP):
        await rig.redis.xgroup_destroy(work_stream(0), group)


async def go_back_in_time(rig: Rig) -> None:
    """A backup of a moment ago is restored over a Redis that has gone on since."""
    await rig.redis.config_set("dbfilename", "then.rdb")
    await rig.redis.save()
    backup = rig.redis_server.folder / "then.rdb"
    shutil.copy2(backup, rig.data / "then.rdb")
    before = await rig.owner.fetchval("select count(*) from event_log")
    await until(lambda: _more_events(rig, before + 20), 20, "twenty events after the backup")
    await rig.kill("redis")
    shutil.copy2(rig.data / "then.rdb", rig.redis_server.folder / "dump.rdb")
    await rig.start_redis()
    (rig.redis_server.folder / "dump.rdb").unlink(missing_ok=True)


async def _more_events(rig: Rig, count: int) -> bool:
    return bool(await rig.owner.fetchval("select count(*) from event_log") >= count)


ACCIDENTS = [
    empty, kill_and_restart_empty, lose_the_work, lose_the_arrivals, lose_the_feed, destroy_the_groups, go_back_in_time,
]  # fmt: skip


@pytest.mark.parametrize(
    "accident",
    ACCIDENTS if LONG else [empty, go_back_in_time],
    ids=lambda a: a.__name__,
)
async def test_no_message_and_no_screen_notices_what_redis_forgets(
    rig: Rig, world: World, accident: Callable[[Rig], Awaitable[None]]
) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="bot")
    await world.olga.sees("hi", seconds=20)
    provider = Provider(world, SEED)
    load = asyncio.create_task(provider.sends(COUNT, at_once=6, pace=0.02))
    await until(lambda: len(provider.acked) > COUNT // 4, 30, "some load")
    await world.olga.answers("hello")
    await accident(rig)
    await load
    assert not provider.refusals  # accepting needs no Redis
    await ines.reads("hello", seconds=45)
    await world.quiet()
    await provider.all_arrived()
    for text in provider.sent:
        await world.olga.sees(text, seconds=45)
    assert (await ines.received()).count("hello") == 1
