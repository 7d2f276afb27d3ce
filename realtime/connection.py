"""One client: its cursor, what waits for it, and how it comes and goes.

A connection is opening (until `resume`), replaying (reads the log and writes as fast as the socket takes
it; nothing is buffered for it), live (attached to its log's stream) or closing. It goes from replaying to
live in the instant in which its cursor has reached what the feed has dispatched, with nothing awaited in
between: so nothing falls into the seam, and what is dispatched later but was read already is skipped.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from msgspec import Struct

from realtime import protocol
from realtime.feed import Entry, flaw
from realtime.limits import Limits, TokenBucket
from realtime.protocol import Cursor, encode_frame
from realtime.resume import Replay, StartAtHead, StartOver, judge
from realtime.stats import Stats
from realtime.stream import Stream
from realtime.topics import Run, select

logger = logging.getLogger(__name__)

_PONG = Run((encode_frame(protocol.Pong()),))


class Socket(Protocol):
    """A websocket that was accepted. Both raise OSError (ConnectionError) when the peer is gone."""

    async def send(self, data: bytes) -> None:
        """Sends one text frame; returns when there is room for another. May be cancelled."""
        ...

    async def close(self, code: int, reason: str) -> None: ...


class Listener(Protocol):
    """Decides what a client's wishes mean; usually calls `subscribe` or `Hub.publish_ephemeral`.

    Awaited before the client's next frame is read. An exception closes the connection (1011) and comes
    out of `Connection.run`.
    """

    async def watch(self, connection: "Connection", conversation_id: str) -> None: ...

    async def unwatch(self, connection: "Connection", conversation_id: str) -> None: ...

    async def typing(self, connection: "Connection", conversation_id: str, on: bool) -> None: ...


class LogUnavailable(Exception):
    """The log could not be read just now."""


class Host(Protocol):
    """What a connection needs of the hub."""

    limits: Limits
    stats: Stats
    listener: Listener
    draining: bool

    def register(self, connection: "Connection") -> None: ...

    def unregister(self, connection: "Connection") -> None: ...

    async def enter(self, log: str) -> Stream:
        """Follows the log until `leave`. Raises LogUnavailable."""
        ...

    def leave(self, log: str) -> None: ...

    def position(self, log: str) -> Cursor:
        """What has been dispatched of a log that was entered."""
        ...

    def base(self, log: str) -> int: ...

    async def bounds(self, log: str) -> tuple[int, int]:
        """Raises LogUnavailable."""
        ...

    async def read(self, log: str, after: int, limit: int) -> list[Entry]:
        """Raises LogUnavailable."""
        ...


class _Closing(Struct, frozen=True):
    code: int
    reason: str
    retry_after_ms: int | None = None
    said_by_peer: bool = False


_PEER_LEFT = _Closing(1000, "", said_by_peer=True)


class Connection:
    """Made by `Hub.connect`; does nothing until `run`. `user` and `tags` are the roof's, for `Hub.revoke`."""

    __slots__ = (
        "__weakref__", "_bucket", "_closing", "_host", "_resume", "_scope", "_socket", "_stream", "_waiting",
        "_wake", "_writing", "cursor", "heard_at", "log", "tags", "topics", "user", "writing_since",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        socket: Socket,
        *,
        log: str,
        topics: frozenset[str],
        user: str,
        tags: Mapping[str, str],
    ) -> None:
        now = asyncio.get_running_loop().time()
        self._host = host
        self._socket = socket
        self.log = log
        self.topics = topics
        self.user = user
        self.tags = tags
        self.cursor = 0
        self.heard_at = now
        self.writing_since: float | None = None
        self._bucket = TokenBucket(host.limits.frame_rate, host.limits.frame_burst, now)
        self._resume: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._stream: Stream | None = None
        self._waiting: Run | None = None
        self._writing = 0  # bytes handed to a send that has not returned
        self._wake: asyncio.Future[None] | None = None
        self._scope: asyncio.Timeout | None = None
        self._closing: _Closing | None = None

    async def run(self, incoming: AsyncIterator[bytes | str]) -> None:
        """Serves the client until either side closes. `incoming` yields its frames and ends when it left.

        Returns when the socket is closed and no task of the connection is left; whatever the peer does, at
        most twice `close_timeout` after the end was decided (then the server has to drop the transport).
        Raises only what the listener raised, or CancelledError after having closed the socket.
        """
        self._host.register(self)
        reader = asyncio.create_task(self._read(incoming))
        try:
            await self._write_until_closed()
        except asyncio.CancelledError:
            self.close(protocol.RESTART, "restart", 1000)
            raise
        except Exception:
            self.close(protocol.INTERNAL_ERROR, "error", 5000)
            raise
        finally:
            reader.cancel()
            self._leave()
            try:
                await asyncio.wait({reader})
                await self._say_goodbye()
            finally:
                self._host.unregister(self)
        if not reader.cancelled() and (failure := reader.exception()) is not None:
            raise failure

    # ------------------------------------------------------------ for the hub and the listener

    def subscribe(self, topic: str) -> bool:
        """From the next flush on, sees this topic too. False if it has the most topics it may have."""
        if topic not in self.topics and len(self.topics) >= self._host.limits.max_topics:
            return False
        self._change_topics(self.topics | {topic})
        return True

    def unsubscribe(self, topic: str) -> None:
        self._change_topics(self.topics - {topic})

    def _change_topics(self, topics: frozenset[str]) -> None:
        if self._stream is None:
            self.topics = topics
        else:
            self._stream.change_topics(self, topics)

    def close(self, code: int, reason: str, retry_after_ms: int | None = None) -> None:
        """Says bye and closes. What waits is not sent. The first reason to close is the one that counts."""
        self._end(_Closing(code, reason, retry_after_ms))

    def _end(self, closing: _Closing) -> None:
        if self._closing is None:
            self._closing = closing
            self._waiting = None
            if self._scope is not None and not self._scope.expired():
                self._scope.reschedule(asyncio.get_running_loop().time())

    # ------------------------------------------------------------ for the stream

    @property
    def waiting(self) -> Run | None:
        return self._waiting

    def replace_waiting(self, run: Run) -> None:
        """`run` is all that waits now. More than `max_queue_bytes`, with what is being written, closes.

        A single run is taken whatever its size, or a client could never get past it.
        """
        if self._closing is not None:
            return
        busy = self._writing or self._waiting is not None
        if busy and self._writing + run.size > self._host.limits.max_queue_bytes:
            self.close_slow()
            return
        self._waiting = run
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def push(self, run: Run) -> None:
        self.replace_waiting(run if self._waiting is None else self._waiting + run)

    def start_over(self, reason: str, head: int) -> None:
        self._waiting = None
        self.cursor = head
        self._host.stats.reset += 1
        cursor = Cursor(self._host.position(self.log).epoch, head).encode()
        self.push(Run((encode_frame(protocol.Reset(reason, cursor)),)))

    def close_slow(self) -> None:
        if self._closing is None:
            self._host.stats.dropped_slow += 1
            # Spread, because what made one socket slow has often made many of them slow.
            self.close(protocol.SLOW_CONSUMER, "slow_consumer", random.randint(1000, 5000))  # noqa: S311

    # ------------------------------------------------------------ reading

    async def _read(self, incoming: AsyncIterator[bytes | str]) -> None:
        loop = asyncio.get_running_loop()
        try:
            async for data in incoming:
                self.heard_at = loop.time()
                if not self._bucket.take(self.heard_at):
                    return self.close(protocol.TOO_MANY_FRAMES, "too_many_frames", 5000)
                await self._obey(protocol.decode_client_frame(data))
        except protocol.BadFrame as error:
            return self.close(protocol.BAD_FRAME, str(error))
        except Exception:
            self.close(protocol.INTERNAL_ERROR, "error", 5000)
            raise
        self._end(_PEER_LEFT)
        return None

    async def _obey(self, frame: protocol.ClientFrame) -> None:
        match frame:
            case protocol.Resume(cursor) if not self._resume.done():
                self._resume.set_result(cursor)
            case protocol.Resume():
                raise protocol.BadFrame("resumed twice")
            case protocol.Ping():
                self.push(_PONG)
            case protocol.Watch(conversation_id):
                await self._host.listener.watch(self, conversation_id)
            case protocol.Unwatch(conversation_id):
                await self._host.listener.unwatch(self, conversation_id)
            case protocol.Typing(conversation_id, on):
                await self._host.listener.typing(self, conversation_id, on)

    # ------------------------------------------------------------ writing

    async def _write_until_closed(self) -> None:
        """The scope is what `close` interrupts, whatever is being awaited inside."""
        if self._host.draining:
            return self.close(protocol.RESTART, "restart", 1000)
        scope = asyncio.timeout(self._host.limits.resume_timeout)
        try:
            async with scope:
                await self._write_within(scope)
        except LogUnavailable:
            self._host.stats.log_failures += 1
            logger.warning("log %s could not be read for a client", self.log, exc_info=True)
            self.close(protocol.TRY_AGAIN_LATER, "unavailable", random.randint(1000, 5000))  # noqa: S311
        except OSError:  # TimeoutError is one
            self._end(_Closing(protocol.WENT_SILENT, "no_resume") if scope.expired() else _PEER_LEFT)
        return None

    async def _write_within(self, scope: asyncio.Timeout) -> None:
        self._scope = scope
        try:
            cursor = await self._resume
            if self._closing is None:
                scope.reschedule(None)
            await self._open(cursor)
            while self._closing is None:
                await self._write_next()
        finally:
            self._scope = None

    async def _write_next(self) -> None:
        if self._waiting is None:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
            self._wake = None
        else:
            run, self._waiting = self._waiting, None
            await self._send(run)

    async def _send(self, run: Run) -> None:
        if self._closing is not None:  # decided in this very tick, and the scope has not interrupted yet
            return
        self._writing = run.size
        self.writing_since = asyncio.get_running_loop().time()
        await self._socket.send(run.joined)
        self._writing = 0
        self.writing_since = None
        self._host.stats.frames_out += 1

    # ------------------------------------------------------------ opening

    async def _open(self, cursor: str | None) -> None:
        self._stream = await self._host.enter(self.log)
        self._host.stats.connected += 1
        verdict = self._judge(cursor, self._host.position(self.log).seq)
        if verdict == StartOver("future"):  # or only ahead of what the feed has heard of: ask the truth
            _, head = await self._host.bounds(self.log)
            verdict = self._judge(cursor, max(head, self._host.position(self.log).seq))
        match verdict:
            case StartOver(reason):
                self._go_live_after_reset(reason)
            case StartAtHead():
                self._greet(self._host.position(self.log), resumed=False)
                self._go_live(self._host.position(self.log).seq)
            case Replay(after):
                self._host.stats.resumed += 1
                greeted = Cursor(self._host.position(self.log).epoch, after)
                self._greet(greeted, resumed=True)
                await self._replay(self._stream, greeted)

    def _judge(self, cursor: str | None, head: int) -> StartAtHead | Replay | StartOver:
        limit = self._host.limits.resume_limit
        epoch, base = self._host.position(self.log).epoch, self._host.base(self.log)
        return judge(cursor, epoch=epoch, base=base, head=head, limit=limit)

    def _greet(self, cursor: Cursor, *, resumed: bool) -> None:
        self.push(Run((encode_frame(protocol.Welcome(cursor.encode(), resumed)),)))

    async def _replay(self, stream: Stream, greeted: Cursor) -> None:
        generation, after = stream.generation, greeted.seq
        while self._closing is None and after < self._host.position(self.log).seq:
            entries = await self._host.read(self.log, after, self._host.limits.replay_batch)
            # In the epoch of the greeting, not of now: a new epoch is known before its logs have started over.
            # No entries: the feed has dispatched later ones, so they were there.
            reason = flaw(entries, after=after, epoch=greeted.epoch) if entries else "pruned"
            if reason is not None:
                return self._go_live_after_reset(reason)
            after = entries[-1].seq
            while self._waiting is not None:
                await self._write_next()
            if run := select(entries, self.topics, after=0):
                await self._send(run)
            if stream.generation != generation:
                return self._go_live_after_reset("epoch")
        return self._go_live(after)

    def _go_live_after_reset(self, reason: str) -> None:
        head = self._host.position(self.log).seq
        self.start_over(reason, head)
        self._go_live(head)

    def _go_live(self, cursor: int) -> None:
        assert self._stream is not None, "the log was entered"
        self.cursor = cursor
        self._stream.attach(self)

    # ------------------------------------------------------------ leaving

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.detach(self)
            self._stream = None
            self._host.leave(self.log)

    async def _say_goodbye(self) -> None:
        closing = self._closing
        assert closing is not None, "writing ends by closing"
        if closing.said_by_peer:
            return
        bye = Run((encode_frame(protocol.Bye(closing.reason, closing.retry_after_ms)),))
        try:
            async with asyncio.timeout(self._host.limits.close_timeout):
                await self._socket.send(bye.joined)
        except OSError:
            logger.debug("a client did not take its bye (%s)", closing.reason)
        try:
            async with asyncio.timeout(self._host.limits.close_timeout):
                await self._socket.close(closing.code, closing.reason)
        except OSError:
            logger.debug("a client did not take its close (%s)", closing.reason)
