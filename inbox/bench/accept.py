"""How fast a webhook is kept: the real route beside its ceilings, all on this machine, one after the other."""

import time
from collections.abc import Callable
from typing import Any

import asyncpg

from inbox.bench import requests
from inbox.bench.load import Outcome, Plan
from inbox.bench.machine import Meter, facts
from inbox.bench.place import Channel, Place, place
from inbox.outbox import new_id
from inbox.records import raw_events
from inbox.records.raw_events import Arrival

Say = Callable[[str], None]

CONNECTIONS = 64
OPEN_LOOP_RATE = 2000.0
_OPEN_CONNECTIONS = 256
_REQUESTS = 4000
_SERVER_CORE = (0,)  # one core for the web process; the generator and the database have the rest
_BATCHES = (16, 64, 256)


async def measure(seconds: float, say: Say) -> dict[str, Any]:
    """One object with everything; `ratio` is the route's throughput to that of the same route without a store."""
    meter = Meter()
    async with place() as here:
        say("starting the web process")
        async with here.web(cores=_SERVER_CORE):
            client, channel = await here.found()
            await client.aclose()
            say(f"the route as it is, {CONNECTIONS} connections")
            real = await _closed(here, channel, seconds)
            say(f"the route as it is, {OPEN_LOOP_RATE:.0f} requests/s")
            paced = await _open(here, channel, seconds)
        say("the same route without a store")
        async with here.route("none", _SERVER_CORE):
            ceiling = await _closed(here, channel, seconds)
            ceiling_paced = await _open(here, channel, seconds)
        say("the same route, one INSERT per request")
        async with here.route("insert", _SERVER_CORE):
            single = await _closed(here, channel, seconds)
            single_paced = await _open(here, channel, seconds)
        say("PostgreSQL alone")
        rows = await _bare_postgres(here, channel, seconds / 2)
    return {
        "bench": "accept",
        "ratio": round(real.per_second / ceiling.per_second, 3),
        "ratio_to_insert_each": round(real.per_second / single.per_second, 2),
        "per_second": real.per_second,
        "p50_ms": paced.p50_ms,
        "p95_ms": paced.p95_ms,
        "p99_ms": paced.p99_ms,
        "rate": OPEN_LOOP_RATE,
        "connections": CONNECTIONS,
        "seconds": seconds,
        "closed_loop": {"real": real, "no_store": ceiling, "insert_each": single},
        "open_loop": {"real": paced, "no_store": ceiling_paced, "insert_each": single_paced},
        "postgres_rows_per_second": rows,
        "foreign_cores": meter.foreign(),
        "machine": facts(),
    }


async def _closed(here: Place, channel: Channel, seconds: float) -> Outcome:
    return await here.load(
        Plan(port=here.settings.port, requests=_signed(channel), connections=CONNECTIONS, seconds=seconds)
    )


async def _open(here: Place, channel: Channel, seconds: float) -> Outcome:
    return await here.load(
        Plan(
            port=here.settings.port, requests=_signed(channel), connections=_OPEN_CONNECTIONS, seconds=seconds,
            rate=OPEN_LOOP_RATE,
        )
    )  # fmt: skip


def _signed(channel: Channel) -> list[bytes]:
    marker = f"accept{time.time_ns()}"
    return [requests.message(channel, number, number % 100, marker) for number in range(_REQUESTS)]


async def _bare_postgres(here: Place, channel: Channel, seconds: float) -> dict[str, float]:
    """Rows per second of the accept statement itself on one connection, by batch size."""
    async with (
        asyncpg.create_pool(here.urls.owner, min_size=1, max_size=1) as pool,
        pool.acquire() as connection,
    ):
        found = await connection.fetchval("select account_id from channels where id = $1", channel.id)
        body = requests.message(channel, 0, 0, "raw").partition(b"\r\n\r\n")[2]
        rates = {}
        for size in _BATCHES:
            count, began = 0, time.perf_counter()
            while time.perf_counter() - began < seconds / len(_BATCHES):
                batch = [Arrival(found, new_id(), new_id(), "{}", body) for _ in range(size)]
                await raw_events.accept(connection, batch)
                count += size
            rates[str(size)] = round(count / (time.perf_counter() - began), 0)
        return rates
