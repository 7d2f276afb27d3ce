"""An HTTP load generator, small enough not to be what is measured. Runs as a process of its own.

`python -m inbox.bench.load` reads a Plan as MessagePack on stdin and writes an Outcome as JSON on stdout.
A plan with a rate is an open loop: requests are due at fixed times, whether the server keeps up or not, and
their latency counts from when they were due. Without a rate it is a closed loop: every connection asks again
as soon as it is answered.
"""

import asyncio
import selectors
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

_LOOKS = 2000  # every 10 ms, for the answers that are still missing at the end
_SEPARATOR, _LENGTH = b"\r\n\r\n", b"content-length: "


class Plan(Struct, frozen=True, kw_only=True):
    """`requests` are whole HTTP requests, sent in turn. The first `warm_up` seconds are not counted."""

    host: str = "127.0.0.1"
    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    warm_up: float = 0.5
    rate: float = 0.0


class Outcome(Struct, frozen=True, kw_only=True):
    """`statuses` counts the answers; `broken` the connections that ended, whose request may have counted."""

    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    statuses: dict[str, int]
    broken: int
    late_ms: float  # how far behind its own schedule the generator fell, at the 99th percentile


def percentiles(samples: Sequence[float]) -> tuple[float, float, float, float]:
    """50th, 95th, 99th percentile and maximum of seconds, in milliseconds; zeros when there are none."""
    if not samples:
        return 0.0, 0.0, 0.0, 0.0
    ordered = sorted(samples)
    last = len(ordered) - 1
    p50, p95, p99, most = (ordered[min(last, int(len(ordered) * q))] * 1000 for q in (0.50, 0.95, 0.99, 1.0))
    return round(p50, 3), round(p95, 3), round(p99, 3), round(most, 3)


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop that keeps time to microseconds; epoll, and uvloop, wait for whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class Load:
    """Sends a plan's requests and keeps the book."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.statuses: dict[str, int] = {}
        self.samples: list[float] = []
        self.late: list[float] = []
        self.broken = 0
        self.waiting = 0
        self.counted_from = 0.0
        self.ends = 0.0
        self.due_at: dict[int, float] = {}  # of an open loop: when the n-th request was due
        self._next = -1

    def request(self) -> bytes:
        self._next += 1
        return self.plan.requests[self._next % len(self.plan.requests)]

    def answered(self, connection: "Connection", status: str) -> None:
        now = time.perf_counter()
        self.waiting -= 1
        if connection.began >= self.counted_from:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.samples.append(now - connection.began)
        if self.due:
            connection.ask(self.due.popleft())
        elif not self.plan.rate and now < self.ends:
            connection.ask(now)
        else:
            self.idle.append(connection)

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        for _ in range(self.plan.connections):
            await loop.create_connection(lambda: Connection(self), self.plan.host, self.plan.port)
        self.counted_from = time.perf_counter() + self.plan.warm_up
        self.ends = self.counted_from + self.plan.seconds
        if self.plan.rate:
            await self._open_loop()
        else:
            while self.idle:
                self.idle.popleft().ask(time.perf_counter())
            await asyncio.sleep(self.plan.warm_up + self.plan.seconds)
        for _ in range(_LOOKS):
            if self.waiting <= 0 and not self.due:
                break
            await asyncio.sleep(0.01)
        return self._outcome()

    async def _open_loop(self) -> None:
        began, number = time.perf_counter(), 0
        while (due := began + number / self.plan.rate) < self.ends:
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            self.late.append(time.perf_counter() - due)
            self.due_at[number] = due
            if self.idle:
                self.idle.popleft().ask(due)
            else:
                self.due.append(due)
            number += 1
            if number % 32 == 0:
                await asyncio.sleep(0)

    def _outcome(self) -> Outcome:
        p50, p95, p99, most = percentiles(self.samples)
        return Outcome(
            per_second=round(len(self.samples) / self.plan.seconds, 1),
            p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=most,
            statuses=self.statuses, broken=self.broken, late_ms=percentiles(self.late)[2],
        )  # fmt: skip


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self.began = 0.0
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._load.idle.append(self)

    def ask(self, began: float) -> None:
        assert self._transport is not None
        self.began, self._asked = began, True
        self._load.waiting += 1
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(_SEPARATOR)
        if head < 0:
            return
        place = self._buffer.find(_LENGTH) + len(_LENGTH)
        length = int(self._buffer[place : self._buffer.find(b"\r\n", place)])
        if len(self._buffer) < head + len(_SEPARATOR) + length:
            return
        status, self._buffer = self._buffer[9:12].decode(), b""
        self._asked = False
        self._load.answered(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.broken += 1
        if self._asked:
            self._load.waiting -= 1


async def run(plan: Plan) -> Outcome:
    return await Load(plan).run()


def main() -> None:
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=precise_loop if plan.rate else uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(run(plan))))


if __name__ == "__main__":
    main()
