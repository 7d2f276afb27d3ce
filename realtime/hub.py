"""Every connection of one process, and what reaches them."""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence

from realtime import protocol
from realtime.connection import Connection, Listener, LogUnavailable, Socket
from realtime.feed import Entry, Feed, Log, Source
from realtime.limits import Limits
from realtime.protocol import Cursor, encode_frame
from realtime.stats import Stats
from realtime.stream import Stream

_MAX_CONCURRENT_READS = 16  # by connections that resume; the others wait their turn
_SILENT_HEARTBEATS = 2.5
_STUCK_HEARTBEATS = 2.0


class Hub:
    """Connects sockets to logs.

    `run` must be running while connections are. The order at shutdown: `drain`, then cancel `run`.
    """

    def __init__(
        self,
        log: Log,
        source: Source,
        listener: Listener,
        *,
        max_queue_bytes: int = 1024 * 1024,
        resume_limit: int = 10_000,
        heartbeat: float = 15.0,
        gather: float = 0.003,
        resume_timeout: float = 10.0,
        close_timeout: float = 1.0,
        replay_batch: int = 100,
    ) -> None:
        self.stats = Stats()
        self.listener = listener
        self.draining = False
        self.limits = Limits(
            max_queue_bytes=max_queue_bytes,
            resume_limit=resume_limit,
            replay_batch=replay_batch,
            resume_timeout=resume_timeout,
            close_timeout=close_timeout,
            heartbeat=heartbeat,
        )
        self._log = log
        self._gather = gather
        self._feed = Feed(log, source, self, self.stats, heartbeat=heartbeat, batch=replay_batch)
        self._reads = asyncio.Semaphore(_MAX_CONCURRENT_READS)
        self._connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._streams: dict[str, tuple[Stream, int]] = {}

    # ------------------------------------------------------------ for the roof

    async def run(self) -> None:
        """Follows the feed and keeps the heartbeat, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._feed.run())
            tasks.create_task(self._sweep())

    def connect(
        self,
        socket: Socket,
        *,
        log: str,
        topics: Collection[str],
        user: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Connection:
        """A connection of an authenticated client, to be `run` in the task that owns the socket."""
        return Connection(self, socket, log=log, topics=frozenset(topics), user=user, tags=tags or {})

    def publish_ephemeral(self, log: str, topic: str, frame: bytes) -> None:
        """Sends one JSON object to who is live now. Never repeated, and dropped for who is behind."""
        if log in self._streams:
            stream, _ = self._streams[log]
            behind = self.limits.max_queue_bytes // 16
            self.stats.dropped_ephemeral += stream.ephemeral(topic, frame, behind)

    def revoke(
        self,
        predicate: Callable[[Connection], bool],
        *,
        code: int = protocol.FORBIDDEN,
        reason: str = "forbidden",
    ) -> int:
        """Closes the running connections that match; nothing that waits for them is sent. Returns how many.

        A connection that is authenticated but does not run yet is not found.
        """
        matching = [connection for connection in self._connections if predicate(connection)]
        for connection in matching:
            connection.close(code, reason)
        return len(matching)

    async def drain(self, spread: float = 5.0) -> None:
        """Closes every connection (1012) with a moment within `spread` seconds at which to come back.

        Returns when all have ended, which takes at most twice the close time-out. Later ones are turned away.
        """
        self.draining = True
        for connection in self._connections:
            connection.close(protocol.RESTART, "restart", round(random.uniform(0, spread * 1000)))  # noqa: S311
        await self._empty.wait()

    async def beat(self) -> None:
        """One heartbeat now. Raises what the log raises."""
        await self._feed.beat()

    # ------------------------------------------------------------ for the feed

    def deliver(self, log: str, entries: Sequence[Entry]) -> None:
        self.stats.events_in += len(entries)
        if log in self._streams:
            self._streams[log][0].deliver(entries)

    def reset(self, log: str, reason: str, head: int) -> None:
        if log in self._streams:
            self._streams[log][0].reset(reason, head)

    def head(self, log: str, seq: int) -> None:
        if log in self._streams:
            self._streams[log][0].head(seq, self._encode_head)

    def _encode_head(self, seq: int) -> bytes:
        return encode_frame(protocol.Head(Cursor(self._feed.epoch, seq).encode()))

    # ------------------------------------------------------------ for connections

    def register(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._empty.clear()
        self.stats.open = len(self._connections)

    def unregister(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.stats.open = len(self._connections)
        if not self._connections:
            self._empty.set()

    async def enter(self, log: str) -> Stream:
        try:
            await self._feed.follow(log)
        except Exception as error:
            raise LogUnavailable(log) from error
        stream, members = self._streams.get(log) or (Stream(self._gather), 0)
        self._streams[log] = (stream, members + 1)
        self.stats.logs = len(self._streams)
        return stream

    def leave(self, log: str) -> None:
        self._feed.unfollow(log)
        stream, members = self._streams[log]
        if members > 1:
            self._streams[log] = (stream, members - 1)
        else:
            stream.close()
            del self._streams[log]
        self.stats.logs = len(self._streams)

    def position(self, log: str) -> Cursor:
        return Cursor(self._feed.epoch, self._feed.last(log))

    def base(self, log: str) -> int:
        return self._feed.base(log)

    async def bounds(self, log: str) -> tuple[int, int]:
        try:
            async with self._reads:
                return await self._log.bounds(log)
        except Exception as error:
            raise LogUnavailable(log) from error

    async def read(self, log: str, after: int, limit: int) -> list[Entry]:
        try:
            async with self._reads:
                entries = await self._log.read(log, after, limit)
        except Exception as error:
            raise LogUnavailable(log) from error
        if any(entry.epoch not in ("", self._feed.epoch) for entry in entries):
            self._feed.suspect_epoch()
        return entries

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.heartbeat / 4)
            now = loop.time()
            for connection in self._connections:
                self._judge_silence(connection, now)

    def _judge_silence(self, connection: Connection, now: float) -> None:
        writing_since = connection.writing_since
        if writing_since is not None and now - writing_since > _STUCK_HEARTBEATS * self.limits.heartbeat:
            connection.close_slow()
        elif now - connection.heard_at > _SILENT_HEARTBEATS * self.limits.heartbeat:
            connection.close(protocol.WENT_SILENT, "went_silent", 0)
