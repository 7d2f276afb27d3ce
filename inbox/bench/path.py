"""From a webhook to the agents' screens, everything running, beside the bare sum of what that must cost."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis

from inbox.bench import requests
from inbox.bench.load import Load, Outcome, Plan, percentiles
from inbox.bench.machine import Meter, facts
from inbox.bench.place import Channel, Place, place
from inbox.bench.screens import Screen

Say = Callable[[str], None]

SCREENS = 21
PEOPLE = 200  # customers who write in turn
_WARM_UP = 3.0  # seconds: every customer has a thread before it counts, or nearly
_PATIENCE = 10.0
_BARE_ROUNDS = 500


async def measure(seconds: float, rate: float, say: Say) -> dict[str, Any]:
    """One object with everything; `ratio` is the bare sum's median to ours."""
    async with place() as here, here.web(), here.process("-m", "inbox", "worker"):
        client, channel = await here.found()
        async with _screens(here, client) as (marker, screens):
            say(f"{rate:.0f} messages/s for {_WARM_UP + seconds:.0f} s, {len(screens)} screens")
            load = Load(_plan(here, channel, marker, rate, seconds))
            meter = Meter()
            outcome = await load.run()
            missing = await _arrived(screens, load)
            foreign = meter.foreign()
        await client.aclose()
        say("the bare sum")
        bare = await _bare(here)
    return _result(outcome, load, screens, missing, bare, rate, seconds) | {
        "foreign_cores": foreign,
        "machine": facts(),
    }


def _plan(here: Place, channel: Channel, marker: str, rate: float, seconds: float) -> Plan:
    count = int((_WARM_UP + seconds) * rate) + 2
    signed = [requests.message(channel, number, number % PEOPLE, marker) for number in range(count)]
    return Plan(
        port=here.settings.port, requests=signed, connections=16, seconds=seconds, warm_up=_WARM_UP, rate=rate
    )


@contextlib.asynccontextmanager
async def _screens(here: Place, client: httpx.AsyncClient) -> AsyncIterator[tuple[str, list[Screen]]]:
    marker = f"path{time.time_ns()}"
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    port = here.settings.port
    loop = asyncio.get_running_loop()
    screens = []
    try:
        for _ in range(SCREENS):
            _, screen = await loop.create_connection(
                lambda: Screen(f"127.0.0.1:{port}", cookie, marker), "127.0.0.1", port
            )
            await asyncio.wait_for(screen.ready, _PATIENCE)
            screens.append(screen)
        yield marker, screens
    finally:
        for screen in screens:
            screen.close()


async def _arrived(screens: list[Screen], load: Load) -> int:
    """Wait until every screen has every message; how many are missing in the end, over all screens."""
    deadline = time.perf_counter() + _PATIENCE
    while True:
        missing = sum(len(load.due_at) - len(screen.seen) for screen in screens)
        if not missing or time.perf_counter() > deadline:
            return missing
        await asyncio.sleep(0.05)


def _result(
    outcome: Outcome, load: Load, screens: list[Screen], missing: int, bare: tuple[float, float, float, float],
    rate: float, seconds: float,
) -> dict[str, Any]:  # fmt: skip
    counted = {number: due for number, due in load.due_at.items() if due >= load.counted_from}
    first = [screens[0].seen[number] - due for number, due in counted.items() if number in screens[0].seen]
    last = [
        max(screen.seen[number] for screen in screens) - due
        for number, due in counted.items()
        if all(number in screen.seen for screen in screens)
    ]
    p50, p95, p99, most = percentiles(first)
    last_p50, _, last_p99, _ = percentiles(last)
    return {
        "bench": "path",
        "ratio": round(bare[0] / p50, 3) if p50 else 0.0,
        "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": most,
        "last_screen_p50_ms": last_p50, "last_screen_p99_ms": last_p99,
        "rate": rate, "seconds": seconds, "screens": len(screens), "messages": len(first), "missing": missing,
        "accept": outcome,
        "bare_sum": {"p50_ms": bare[0], "p95_ms": bare[1], "p99_ms": bare[2]},
    }  # fmt: skip


async def _bare(here: Place) -> tuple[float, float, float, float]:
    """INSERT and commit, XADD, XREAD, one write to a socket: the same bytes, in one process, one by one."""
    body = b"x" * 900
    connection = await asyncpg.connect(here.urls.owner, timeout=5)
    redis: Redis = Redis.from_url(here.urls.redis)
    (_kept, server), (client, _other) = await _socket_pair()
    samples, place_read = [], b"$"
    try:
        await connection.execute("create table bare (id bigserial primary key, body bytea)")
        insert = await connection.prepare("insert into bare (body) values ($1)")
        for _ in range(_BARE_ROUNDS):
            began = time.perf_counter()
            await insert.fetch(body)
            added = await redis.xadd("bare", {"d": body})
            await redis.xread({"bare": b"0" if place_read == b"$" else place_read}, count=1, block=1000)
            place_read = added
            server.write(body)
            await client.readexactly(len(body))
            samples.append(time.perf_counter() - began)
            await asyncio.sleep(0.002)
    finally:
        server.close()
        await redis.aclose()
        await connection.close()
    return percentiles(samples)


_End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _socket_pair() -> tuple[_End, _End]:
    """A TCP connection over loopback. Both ends must be kept: a reader that is let go of ends its connection."""
    accepted: asyncio.Future[_End] = asyncio.get_running_loop().create_future()
    listener = await asyncio.start_server(lambda *end: accepted.set_result(end), "127.0.0.1", 0)
    opened = await asyncio.open_connection("127.0.0.1", listener.sockets[0].getsockname()[1])
    try:
        return await accepted, opened
    finally:
        listener.close()
