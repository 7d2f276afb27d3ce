"""Screens that fall off the line and come back miss nothing (promise P6)."""

import asyncio
import contextlib
import json
import random
import time
from typing import Any

from installation import until
from rig import LONG, Provider, Rig
from screen import Screen
from websockets.asyncio.client import connect
from world import World

SEED = random.Random(time.time_ns()).randrange(10_000)
SCREENS = 20
MESSAGES = 1000 if LONG else 200  # each makes at least one event


async def test_twenty_screens_cut_at_random_are_told_everything_once_and_in_order(rig: Rig, world: World) -> None:
    dice = random.Random(SEED)
    screens = [world.olga.new_screen() for _ in range(SCREENS)]
    for screen in screens:
        await screen.open((await world.olga.get("/api/v1/boot"))["cursor"])
    provider = Provider(world, SEED, people=30)
    load = asyncio.create_task(provider.sends(MESSAGES, at_once=6))
    cuts = 0
    while not load.done():
        screen = dice.choice(screens)
        await screen.drop()
        await screen.open()
        cuts += 1
    await load
    await world.quiet()
    for screen in screens:
        for text in provider.sent:
            await screen.message(text, seconds=45)
        assert screen._problem == "", f"seed {SEED}: {screen._problem}"
    assert cuts > SCREENS // 2
    await same_as_the_server(world, screens)
    for screen in screens:
        await screen.close()


async def same_as_the_server(world: World, screens: list[Screen]) -> None:
    """What a screen made of its events is what a reload would show."""
    shown = {item["id"]: item["version"] for item in await world.olga.conversations()}

    def equal(screen: Screen) -> bool:
        return {id_: item["version"] for id_, item in screen.conversations.items()} == shown

    for screen in screens:
        await until(lambda screen=screen: equal(screen), 20, f"seed {SEED}: a screen like the server's")


async def test_a_killed_web_process_costs_its_screens_nothing(rig: Rig, world: World) -> None:
    provider = Provider(world, SEED)
    await provider.sends(5)
    for text in provider.sent:
        await world.olga.sees(text, seconds=20)
    await rig.kill("web")
    await rig.start("web")
    await provider.sends(5)
    await world.olga.screen.open()
    await world.diego.screen.open()
    for text in provider.sent:
        await world.olga.sees(text, seconds=20)


async def test_a_slow_screen_is_closed_with_4408_and_catches_up_when_it_returns(rig: Rig, world: World) -> None:
    screen = world.diego.screen
    await screen.close()
    cursor = screen.cursor
    slow = await connect(
        screen._url, additional_headers=screen._headers, max_size=None, max_queue=1, compression=None
    )
    slow.transport.pause_reading()
    await slow.send(json.dumps({"type": "resume", "cursor": cursor}))
    big = "x" * 9_000
    sent: list[str] = []
    closed = asyncio.create_task(_close_code(slow, sent))
    provider = Provider(world, SEED)
    for _ in range(60):
        sent.append(await _write(world, provider, big))
        if closed.done():
            break
    slow.transport.resume_reading()
    assert await asyncio.wait_for(closed, 60) == 4408
    await screen.open(cursor)
    for text in sent:
        await screen.message(text, seconds=30)


async def _write(world: World, provider: Provider, filler: str) -> str:
    text = f"{len(provider.sent)} {filler}"
    provider.sent.append(text)
    await world.bot.says(world.bot.event(text, f"slow-{SEED}-{len(provider.sent)}"))
    return text


async def _close_code(socket: Any, _: list[str]) -> int | None:
    with contextlib.suppress(Exception):
        async for _frame in socket:
            pass
    return int(socket.close_code or 0)
