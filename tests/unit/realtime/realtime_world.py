"""A log, a feed and clients that live in one process, and a loop whose time passes only when all wait."""

import asyncio
import itertools
import json
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from realtime.connection import Connection
from realtime.feed import Entry
from realtime.hub import Hub
from realtime.protocol import Cursor

T = TypeVar("T")
ACCOUNT = "account-1"


class _InstantSelector(selectors.DefaultSelector):
    """Never waits: what the loop would have waited is added to its clock."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for something that nothing will bring about")
        self.waited += max(0.0, timeout)
        return super().select(0)


class _InstantLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.waited

    def spend(self, seconds: float) -> None:
        self._instant.waited += seconds


def spend(seconds: float) -> None:
    """What the caller does keeps the processor busy for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _InstantLoop)
    loop.spend(seconds)


def in_virtual_time(main: Awaitable[T], limit: float = 600.0) -> T:
    """Runs `main` and demands that it ends within `limit` virtual seconds, leaving no task behind."""

    async def bounded() -> T:
        async with asyncio.timeout(limit):
            result = await main
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"orphan tasks: {left}"
        return result

    with asyncio.Runner(loop_factory=_InstantLoop) as runner:
        return runner.run(bounded())


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    for _ in range(200_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"waited in vain for {what}")


class Event(NamedTuple):
    topic: str
    body: int


class Truth:
    """The log. `pauses` says for how many loop turns each answer lingers before and after it is read."""

    def __init__(self, pauses: Iterable[int] = (0,)) -> None:
        self.epoch = "e1"
        self.base = 0
        self.events: list[Event] = []
        self.histories: dict[str, list[Event]] = {"e1": self.events}
        self.failures = 0  # so many of the next calls raise
        self.reads = 0
        self.held: dict[str, asyncio.Event] = {}  # answers of these methods wait, as they were read
        self.stored_epoch = "e1"
        self._pauses = itertools.cycle(pauses)
        self._bodies = itertools.count()

    # -------------------------------------------------------- what happens to it

    def commit(self, *topics: str) -> list[Entry]:
        first = len(self.events) + 1
        self.events.extend(Event(topic, next(self._bodies)) for topic in topics)
        return [self.entry(seq) for seq in range(first, len(self.events) + 1)]

    def prune(self, base: int) -> None:
        self.base = max(self.base, min(base, len(self.events)))

    def restore(self, head: int) -> None:
        """An older backup: what came later is lost, and another history begins."""
        self.stored_epoch = f"e{len(self.histories) + 1}"
        self.events = self.events[:head]
        self.base = min(self.base, len(self.events))
        self.histories[self.stored_epoch] = self.events

    def entry(self, seq: int) -> Entry:
        event, epoch = self.events[seq - 1], self.stored_epoch
        frame = {"type": "event", "cursor": Cursor(epoch, seq).encode(), "body": event.body}
        return Entry(ACCOUNT, seq, ((event.topic, json.dumps(frame).encode()),), epoch)

    # -------------------------------------------------------- realtime.feed.Log

    async def refresh_epoch(self) -> str:
        await self._linger()
        self.epoch = self.stored_epoch
        return self.epoch

    async def read(self, log: str, after: int, limit: int) -> list[Entry]:
        await self._linger()
        self.reads += 1
        seqs = range(max(after, self.base) + 1, len(self.events) + 1)[:limit]
        found = [self.entry(seq) for seq in seqs]
        await self._linger("read")
        return found

    async def bounds(self, log: str) -> tuple[int, int]:
        await self._linger()
        found = self.base, len(self.events)
        await self._linger("bounds")
        return found

    async def heads(self, logs: Collection[str]) -> dict[str, int]:
        await self._linger()
        found = dict.fromkeys(logs, len(self.events))
        await self._linger()
        return found

    async def _linger(self, answering: str = "") -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the log is away")
        for _ in range(next(self._pauses)):
            await asyncio.sleep(0)
        if answering in self.held:
            await self.held[answering].wait()


class Wire:
    """The source: what is put on it arrives, an exception that is put on it is raised."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Sequence[Entry] | Exception] = asyncio.Queue()

    def put(self, item: Sequence[Entry] | Exception) -> None:
        self._queue.put_nowait(item)

    async def batches(self) -> AsyncIterator[Sequence[Entry]]:
        while True:
            item = await self._queue.get()
            if isinstance(item, Exception):
                raise item
            yield item


class Wishes:
    """The listener: a watched conversation is a topic of its own."""

    def __init__(self) -> None:
        self.typed: list[tuple[str, bool]] = []

    async def watch(self, connection: Connection, conversation_id: str) -> None:
        if conversation_id == "broken":
            raise LookupError("the listener failed")
        connection.subscribe(conversation_id)

    async def unwatch(self, connection: Connection, conversation_id: str) -> None:
        connection.unsubscribe(conversation_id)

    async def typing(self, connection: Connection, conversation_id: str, on: bool) -> None:
        self.typed.append((conversation_id, on))


class Client:
    """A browser: keeps every frame, and can stop reading."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self.connection: Connection | None = None
        self._outgoing: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    # -------------------------------------------------------- realtime.connection.Socket

    async def send(self, data: bytes) -> None:
        await self.reading.wait()
        if self.closed is not None:
            raise ConnectionError("sent after close")
        self.received.append(data)
        for frame in json.loads(data):
            self.on_frame(frame)

    async def close(self, code: int, reason: str) -> None:
        self.closed = code, reason

    # -------------------------------------------------------- what a test does with it

    def on_frame(self, frame: dict[str, Any]) -> None:
        """For a client that has an opinion."""

    def open(self, hub: Hub, *topics: str, user: str = "") -> "Client":
        self.connection = hub.connect(self, log=ACCOUNT, topics=topics, user=user)
        self.task = asyncio.create_task(self.connection.run(self._incoming()))
        return self

    def says(self, type: str, **fields: object) -> "Client":
        self._outgoing.put_nowait(json.dumps({"type": type, **fields}))
        return self

    def sends(self, raw: bytes | str) -> "Client":
        self._outgoing.put_nowait(raw)
        return self

    async def leaves(self) -> None:
        self._outgoing.put_nowait(None)
        await self.ended()

    async def ended(self) -> None:
        assert self.task is not None
        await self.task

    async def gets(self, type: str, count: int = 1) -> dict[str, Any]:
        await until(lambda: len(self.frames(type)) >= count, f"{count} {type}, got {self.frames()}")
        return self.frames(type)[count - 1]

    def frames(self, type: str | None = None) -> list[dict[str, Any]]:
        every = [frame for data in self.received for frame in json.loads(data)]
        return [frame for frame in every if type is None or frame["type"] == type]

    def seqs(self) -> list[int]:
        return [int(frame["cursor"].split(":")[1]) for frame in self.frames("event")]

    async def _incoming(self) -> AsyncIterator[bytes | str]:
        while (raw := await self._outgoing.get()) is not None:
            yield raw


class World(NamedTuple):
    hub: Hub
    truth: Truth
    wire: Wire
    wishes: Wishes

    def publish(self, *topics: str) -> list[Entry]:
        """Commits, and the feed hears of it."""
        entries = self.truth.commit(*topics)
        self.wire.put(entries)
        return entries

    async def arrives(self, *topics: str, user: str = "", cursor: str | None = None) -> Client:
        client = Client().open(self.hub, *topics, user=user).says("resume", cursor=cursor)
        await until(lambda: client.frames("welcome") or client.frames("reset"), "a greeting")
        return client


@asynccontextmanager
async def world(truth: Truth | None = None, **options: Any) -> AsyncIterator[World]:
    truth, wire, wishes = truth or Truth(), Wire(), Wishes()
    hub = Hub(truth, wire, wishes, **options)
    running = asyncio.create_task(hub.run())
    try:
        yield World(hub, truth, wire, wishes)
        await hub.drain()
    finally:
        running.cancel()
        await asyncio.wait({running})
