"""Who gets which bytes.

A run is the frames that leave together. Sockets that get the same frames share one run, and so one bytes
object: what differs between two sockets is only which of the topics *in this flush* they subscribe to.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

from realtime.feed import Entry

Subscriber = TypeVar("Subscriber")


class Run:
    """One or more encoded frames, in order. Immutable; the array is joined when it is first needed."""

    __slots__ = ("_joined", "frames", "size")

    def __init__(self, frames: tuple[bytes, ...]) -> None:
        self.frames = frames
        self.size = sum(map(len, frames)) + len(frames) + 1  # bytes on the wire: commas and brackets
        self._joined: bytes | None = None

    def __add__(self, later: "Run") -> "Run":
        return Run(self.frames + later.frames)

    @property
    def joined(self) -> bytes:
        """The JSON array. Always the same object."""
        if self._joined is None:
            self._joined = b"[" + b",".join(self.frames) + b"]"
        return self._joined


class Span:
    """The entries of one flush, and the memo of the runs that were made of them."""

    __slots__ = ("_entries", "_longer", "_runs", "topics")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.topics = frozenset(topic for entry in entries for topic, _ in entry.frames)
        self._runs: dict[tuple[frozenset[str], int], Run | None] = {}
        self._longer: dict[tuple[Run, Run], Run] = {}

    def run(self, topics: frozenset[str], after: int) -> Run | None:
        """What a subscriber of `topics` that has everything up to `after` gets; None if nothing."""
        key = (topics & self.topics, max(after, self._entries[0].seq - 1))
        if key not in self._runs:
            self._runs[key] = select(self._entries, *key)
        return self._runs[key]

    def append(self, waiting: Run | None, run: Run) -> Run:
        """`waiting` followed by `run`, built once for all the sockets where the same run waits."""
        if waiting is None:
            return run
        key = (waiting, run)
        if key not in self._longer:
            self._longer[key] = waiting + run
        return self._longer[key]


def select(entries: Iterable[Entry], topics: AbstractSet[str], after: int) -> Run | None:
    """The run of the entries later than `after` as a subscriber of `topics` sees them.

    An entry is seen at most once: through the first of its topics that is subscribed to.
    """
    frames = []
    for entry in entries:
        if entry.seq > after:
            frame = next((frame for topic, frame in entry.frames if topic in topics), None)
            if frame is not None:
                frames.append(frame)
    return Run(tuple(frames)) if frames else None


class Index(Generic[Subscriber]):
    """Subscribers by topic. A flush touches only those that subscribe to something in it."""

    __slots__ = ("_by_topic",)

    def __init__(self) -> None:
        self._by_topic: dict[str, set[Subscriber]] = {}

    def add(self, subscriber: Subscriber, topics: Iterable[str]) -> None:
        for topic in topics:
            self._by_topic.setdefault(topic, set()).add(subscriber)

    def remove(self, subscriber: Subscriber, topics: Iterable[str]) -> None:
        for topic in topics:
            subscribers = self._by_topic.get(topic)
            if subscribers is not None:
                subscribers.discard(subscriber)
                if not subscribers:
                    del self._by_topic[topic]

    def of(self, topics: Iterable[str]) -> AbstractSet[Subscriber]:
        """Those who subscribe to any of `topics`, each once."""
        found = [self._by_topic[topic] for topic in topics if topic in self._by_topic]
        return found[0] if len(found) == 1 else set().union(*found)
