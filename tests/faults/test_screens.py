"""Screens that fall off the line and come back miss nothing (promise P6)."""

import asyncio
import contextlib
import json
import random
import socket
import time

from installation import until
from rig import LONG, Provider, Rig
from screen import Screen
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from world import World

SEED = random.Random(time.time_ns()).randrange(10_000)
SCREENS = 20
MESSAGES = 1000 if LONG else 200  # each makes at least one event


async def test_twenty_screens_cut_at_random_are_told_everything_once_and_in_order(
    rig: Rig, world: World
) -> None:
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


async def test_a_slow_screen_is_closed_with_4408_and_catches_up_when_it_returns(
    rig: Rig, world: World
) -> None:
    screen = world.diego.screen
    await screen.close()
    slow = await slow_socket(rig, screen)
    await slow.send(json.dumps({"type": "resume", "cursor": screen.cursor}))
    code = asyncio.create_task(_close_code(slow))
    slow.transport.pause_reading()
    sent: list[str] = []
    dropped = await dropped_slow(rig)
    while await dropped_slow(rig) == dropped:  # until more waits than the system's buffers and ours may hold
        assert len(sent) < 3000, "the socket that does not read was never closed"
        sent += await _write_much(world, len(sent))
    slow.transport.resume_reading()
    assert await asyncio.wait_for(code, 30) == 4408
    await screen.open()
    for text in sent:
        await screen.message(text, seconds=45)


async def slow_socket(rig: Rig, screen: Screen) -> ClientConnection:
    """A websocket whose system keeps little for it while it does not read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", rig.settings.port))
    return await connect(
        screen._url, sock=plain, additional_headers=screen._headers, max_size=None, compression=None
    )


async def dropped_slow(rig: Rig) -> float:
    """How many sockets the web process has closed for being slow."""
    metrics = (await rig.http.get(f"{rig.url}/metrics")).text
    found = [line for line in metrics.splitlines() if line.startswith("inbox_sockets") and "slow" in line]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


async def _write_much(world: World, number: int) -> list[str]:
    texts = [f"{number + n} " + "x" * 9_000 for n in range(100)]
    await world.bot.says([world.bot.event(text, f"slow-{SEED}-{number + n}") for n, text in enumerate(texts)])
    await world.olga.sees(texts[-1], seconds=30)
    return texts


async def _close_code(slow: ClientConnection) -> int | None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in slow:
            pass
    return slow.close_code
