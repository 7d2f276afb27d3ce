"""From a feed that may lie by omission to every entry of a log, once, in order.

The source (Redis) may lose, repeat, reorder, stall or fail. The log (PostgreSQL) is the truth. The feed
dispatches what continues a log, drops what it has dispatched before, and reads from the log what is
missing. At every heartbeat it asks the log for its heads, because a lost last entry leaves no gap behind.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from typing import NamedTuple, Protocol

from realtime.stats import Stats
from realtime.track import Track, Verdict

logger = logging.getLogger(__name__)

_FIRST_DELAY, _LONGEST_DELAY = 0.05, 2.0  # seconds of back-off, before jitter


class Entry(NamedTuple):
    """One event of a log: for each topic that may see it, the JSON object that this topic sees.

    A subscriber gets the frame of the first topic that it subscribes to. A frame contains its cursor.
    `epoch`, when given, is the epoch of that cursor; an entry of another epoch than the feed's is never
    dispatched. Without it, entries that arrive between a restore and the next heartbeat may be mixed up.
    """

    log: str
    seq: int
    frames: tuple[tuple[str, bytes], ...]
    epoch: str = ""


class Log(Protocol):
    """The truth: per log, a dense sequence 1, 2, 3 … whose oldest part may have been pruned.

    Must be read from the store that commits (a replica that lags looks like a restored backup). Every
    method may raise; the feed tries again, a connection that needs it now is closed with 1013. Time-outs
    are the implementation's.
    """

    @property
    def epoch(self) -> str: ...

    async def refresh_epoch(self) -> str:
        """The epoch as the store knows it now."""
        ...

    async def read(self, log: str, after: int, limit: int) -> list[Entry]:
        """At most `limit` of the oldest entries later than `after`, ascending."""
        ...

    async def bounds(self, log: str) -> tuple[int, int]:
        """(base, head): the log holds the entries base+1 … head."""
        ...

    async def heads(self, logs: Collection[str]) -> dict[str, int]:
        """The newest seq of each log; a log that no longer exists is left out."""
        ...


class Source(Protocol):
    def batches(self) -> AsyncIterator[Sequence[Entry]]:
        """Entries of any logs as they are published. Called again after it has ended or raised."""
        ...


class Sink(Protocol):
    """Where the feed dispatches to. Called from the loop, must not block."""

    def deliver(self, log: str, entries: Sequence[Entry]) -> None:
        """These continue the log, without a hole."""
        ...

    def reset(self, log: str, reason: str, head: int) -> None:
        """The log cannot be continued; it goes on after `head`."""
        ...

    def head(self, log: str, seq: int) -> None:
        """The truth was asked, and everything up to `seq` has been delivered."""
        ...


def flaw(entries: Sequence[Entry], *, after: int, epoch: str) -> str | None:
    """Why `entries` do not continue a log of `epoch` at `after` without a hole; None if they do."""
    for expected, entry in enumerate(entries, start=after + 1):
        if entry.epoch not in ("", epoch):
            return "epoch"
        if entry.seq != expected:
            return "pruned"
    return None


class Feed:
    """Follows the logs that somebody needs. `run` must be running while logs are followed."""

    def __init__(
        self, log: Log, source: Source, sink: Sink, stats: Stats, *, heartbeat: float, batch: int
    ) -> None:
        self._log = log
        self._source = source
        self._sink = sink
        self._stats = stats
        self._heartbeat = heartbeat
        self._batch = batch
        self._tracks: dict[str, Track] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._suspecting = False
        self.epoch = log.epoch

    # ------------------------------------------------------------ for those who follow

    async def follow(self, log: str) -> None:
        """From here until `unfollow`, the log's entries are dispatched. Raises what `Log.bounds` raises."""
        track = self._tracks.setdefault(log, Track(log))
        track.followers += 1
        try:
            async with track.starting:
                if track.last is None:
                    await self._start(track)
        except BaseException:
            self.unfollow(log)
            raise

    def unfollow(self, log: str) -> None:
        track = self._tracks[log]
        track.followers -= 1
        if not track.followers:
            del self._tracks[log]

    def last(self, log: str) -> int:
        """The newest seq that was dispatched of a followed log."""
        last = self._tracks[log].last
        assert last is not None, "follow() has returned"
        return last

    def base(self, log: str) -> int:
        """A lower bound of what the log still holds, as it was when it was last asked."""
        return self._tracks[log].base

    def suspect_epoch(self) -> None:
        """Somebody saw an entry of another epoch: asks the log now instead of at the next heartbeat."""
        if not self._suspecting:
            self._suspecting = True
            self._spawn(self._settle_suspicion())

    async def _start(self, track: Track) -> None:
        while True:
            epoch = self.epoch
            base, head = await self._log.bounds(track.log)
            if epoch == self.epoch:
                break
        track.base, track.last = base, head
        if track.seen > head:  # announced while the bounds were on their way
            self._heal(track)

    # ------------------------------------------------------------ running

    async def run(self) -> None:
        """Runs until it is cancelled; no failure of the source or the log ends it."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._listen())
            while True:
                await asyncio.sleep(self._heartbeat)
                await self._beat_or_complain()

    async def beat(self) -> None:
        """One heartbeat: finds a lost tail, a rewound log and a changed epoch. Raises what the log raises."""
        if await self._renew_epoch():
            return
        before = {track.log: track.last for track in self._tracks.values() if track.last is not None}
        heads = await self._log.heads(before.keys())
        for log, head in heads.items():
            track = self._tracks.get(log)
            if track is None or track.last is None:
                continue
            if head < before[log] and track.broken is None:
                track.broken = "rewound"
                self._heal(track)
            elif head > track.last:
                track.seen = max(track.seen, head)
                self._heal(track)
            elif not track.healing:
                self._sink.head(log, track.last)

    async def _beat_or_complain(self) -> None:
        try:
            await self.beat()
        except Exception:
            self._stats.log_failures += 1
            logger.warning("the heads of the logs could not be read", exc_info=True)

    async def _listen(self) -> None:
        # While the source is away, every attempt is followed by a look at the heads: then the log is
        # polled at the pace of the back-off, and screens lag by seconds instead of a heartbeat.
        delay = _FIRST_DELAY
        while True:
            try:
                async for batch in self._source.batches():
                    delay = _FIRST_DELAY
                    self._take(batch)
                    await asyncio.sleep(0)  # a source that has much in hand must not starve the sockets
            except Exception:
                self._stats.source_failures += 1
                logger.warning("the feed's source failed, it will be asked again", exc_info=True)
            await asyncio.sleep(_jittered(delay))
            delay = min(delay * 2, _LONGEST_DELAY)
            await self._beat_or_complain()

    def _take(self, batch: Sequence[Entry]) -> None:
        ready: dict[str, list[Entry]] = {}
        gaps = []
        for entry in batch:
            track = self._tracks.get(entry.log)
            if track is None:
                continue
            if entry.epoch not in ("", self.epoch):
                self.suspect_epoch()
                continue
            verdict = track.take(entry.seq)
            if verdict is Verdict.NEXT:
                ready.setdefault(entry.log, []).append(entry)
            elif verdict is Verdict.DUPLICATE:
                self._stats.duplicates += 1
            elif verdict is Verdict.GAP:
                gaps.append(track)
        for log, entries in ready.items():
            self._sink.deliver(log, entries)
        for track in gaps:
            self._heal(track)

    # ------------------------------------------------------------ healing

    def _heal(self, track: Track) -> None:
        if not track.healing:
            track.healing = True
            self._spawn(self._heal_until_whole(track))

    async def _heal_until_whole(self, track: Track) -> None:
        delay = _FIRST_DELAY
        while self._tracks.get(track.log) is track:
            try:
                whole = await (self._read_on(track) if track.broken is None else self._start_over(track))
                delay = _FIRST_DELAY
            except Exception:
                self._stats.log_failures += 1
                logger.warning("log %s could not be read, it will be tried again", track.log, exc_info=True)
                await asyncio.sleep(_jittered(delay))
                delay = min(delay * 2, _LONGEST_DELAY)
                continue
            if whole:
                break
        track.healing = False

    async def _read_on(self, track: Track) -> bool:
        """Dispatches the next entries from the log; True when nothing that was announced is missing."""
        after = track.last
        assert after is not None, "only a started track is healed"
        entries = await self._log.read(track.log, after, self._batch)
        if track.broken is not None or self._tracks.get(track.log) is not track:
            return False
        reason = flaw(entries, after=after, epoch=self.epoch)
        if reason == "epoch":
            if not await self._renew_epoch():
                raise RuntimeError(f"log {track.log} holds entries of an epoch that it denies")
            return False
        if reason is not None:
            track.broken = reason
            return False
        if not entries:
            return await self._explain_nothing(track, after)
        track.last = entries[-1].seq
        self._stats.gaps_healed += 1
        self._sink.deliver(track.log, entries)
        return self._is_whole(track) if len(entries) < self._batch else False

    async def _explain_nothing(self, track: Track, after: int) -> bool:
        announced = track.seen
        base, head = await self._log.bounds(track.log)
        if track.broken is not None:
            return False
        if base > after or head < after:
            track.broken = "pruned" if base > after else "rewound"
            return False
        if head > after:  # committed since it was read; but a store that insists is not asked without pause
            await asyncio.sleep(_jittered(_FIRST_DELAY))
            return False
        if track.seen == announced:
            track.seen = after  # whoever announced more than the log holds was wrong
        return self._is_whole(track)

    async def _start_over(self, track: Track) -> bool:
        epoch = self.epoch
        base, head = await self._log.bounds(track.log)
        if epoch != self.epoch or self._tracks.get(track.log) is not track:
            return False
        reason, track.broken = track.broken, None
        assert reason is not None, "only a broken track starts over"
        track.base, track.last = base, head
        self._sink.reset(track.log, reason, head)
        return self._is_whole(track)

    def _is_whole(self, track: Track) -> bool:
        assert track.last is not None, "only a started track is healed"
        if track.seen > track.last:
            return False
        self._sink.head(track.log, track.last)
        return True

    # ------------------------------------------------------------ epoch

    async def _renew_epoch(self) -> bool:
        """Asks for the epoch; if it has changed, every log starts over."""
        epoch = await self._log.refresh_epoch()
        if epoch == self.epoch:
            return False
        logger.warning("the log's epoch changed from %s to %s: every client is reset", self.epoch, epoch)
        self.epoch = epoch
        for track in self._tracks.values():
            if track.last is not None:
                track.broken = "epoch"
                self._heal(track)
        return True

    async def _settle_suspicion(self) -> None:
        try:
            await self._renew_epoch()
        except Exception:
            self._stats.log_failures += 1
            logger.warning("the epoch could not be read", exc_info=True)
        finally:
            self._suspecting = False

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        assert self._tasks is not None, "the feed is running"
        self._tasks.create_task(work)


def _jittered(delay: float) -> float:
    return delay * random.uniform(0.5, 1.0)  # noqa: S311 — spreads load, guards nothing
