"""The live end of one log: gathers entries, and hands each subscriber its run.

After a pause of `gather` seconds, an entry leaves in the same loop tick. Those that arrive while a flush is
being written, or within `gather` seconds of its end, leave together; so the busier the process, the more of
them share a write. A subscriber whose own write takes longer finds what gathered when it is done.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from realtime.feed import Entry
from realtime.topics import Index, Run, Span

_MAX_GATHERED = 256 * 1024  # bytes; more than this leaves at once


class Subscriber(Protocol):
    """`cursor`: what it had when it was attached. It may have read further than the stream has come."""

    cursor: int
    topics: frozenset[str]

    @property
    def waiting(self) -> Run | None: ...

    def replace_waiting(self, run: Run) -> None: ...

    def push(self, run: Run) -> None: ...

    def start_over(self, reason: str, head: int) -> None: ...


class Stream:
    """`generation` grows when the log starts over: what was read before that belongs to another history."""

    def __init__(self, gather: float) -> None:
        self._gather = gather
        self._index: Index[Subscriber] = Index()
        self._attached: set[Subscriber] = set()
        self._entries: list[Entry] = []
        self._gathered = 0
        self._flushing = False
        self._flushed_at = float("-inf")
        self._timer: asyncio.Handle | None = None
        self.generation = 0

    def attach(self, subscriber: Subscriber) -> None:
        """From here, it is given everything later than its cursor that has not been flushed yet."""
        self._attached.add(subscriber)
        self._index.add(subscriber, subscriber.topics)

    def detach(self, subscriber: Subscriber) -> None:
        self._attached.discard(subscriber)
        self._index.remove(subscriber, subscriber.topics)

    def change_topics(self, subscriber: Subscriber, topics: frozenset[str]) -> None:
        """In force for everything that has not been flushed yet."""
        before, subscriber.topics = subscriber.topics, topics
        if subscriber in self._attached:
            self._index.remove(subscriber, before - topics)
            self._index.add(subscriber, topics - before)

    def deliver(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)
        self._gathered += sum(len(frame) for entry in entries for _, frame in entry.frames)
        if self._gathered > _MAX_GATHERED:
            self.flush()
        else:
            self._schedule()

    def _schedule(self) -> None:
        if self._entries and self._timer is None and not self._flushing:
            loop = asyncio.get_running_loop()
            due = self._flushed_at + self._gather
            self._timer = loop.call_soon(self.flush) if due <= loop.time() else loop.call_at(due, self.flush)

    def flush(self) -> None:
        entries = self._forget_gathered()
        if not entries:
            return
        self._flushing = True
        span = Span(entries)
        for subscriber in self._index.of(span.topics):
            run = span.run(subscriber.topics, subscriber.cursor)
            if run is not None:
                subscriber.replace_waiting(span.append(subscriber.waiting, run))
        # The subscribers that were idle have been woken before, so they write before this runs.
        asyncio.get_running_loop().call_soon(self._finish_flush)

    def _finish_flush(self) -> None:
        self._flushing = False
        self._flushed_at = asyncio.get_running_loop().time()
        self._schedule()

    def _forget_gathered(self) -> list[Entry]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._entries, self._gathered = self._entries, [], 0
        return entries

    def reset(self, reason: str, head: int) -> None:
        """Nothing that was gathered or waits is sent; every subscriber starts over at `head`."""
        self.generation += 1
        self._forget_gathered()
        for subscriber in self._attached:
            subscriber.start_over(reason, head)

    def head(self, seq: int, encode: Callable[[int], bytes]) -> None:
        """Tells every subscriber that it has been given everything up to `seq`."""
        self.flush()
        shared = Run((encode(seq),))
        for subscriber in self._attached:
            subscriber.push(shared if subscriber.cursor <= seq else Run((encode(subscriber.cursor),)))

    def ephemeral(self, topic: str, frame: bytes, max_waiting: int) -> int:
        """Sends a frame that has no place in the log; returns how many subscribers were too far behind."""
        shared, dropped = Run((frame,)), 0
        for subscriber in self._index.of((topic,)):
            if subscriber.waiting is not None and subscriber.waiting.size > max_waiting:
                dropped += 1
            else:
                subscriber.push(shared)
        return dropped

    def close(self) -> None:
        """Nobody is left; nothing is sent later."""
        self._forget_gathered()
