"""Agents' screens: websocket clients that note when a marked message reaches them (RFC 6455)."""

import asyncio
import base64
import os
import re
import struct
import time
from typing import cast

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_RESUME = b'{"type":"resume","cursor":null}'


class Screen(asyncio.Protocol):
    """One live feed from now on. `seen` maps a message's number to when its first frame was here.

    Messages are those whose text starts with `marker:number:`. The first frame with it counts: that of
    message.received, or of a conversation.created that was committed, and is sent, with it.
    """

    def __init__(self, host: str, cookie: str, marker: str) -> None:
        self.seen: dict[int, float] = {}
        self.frames, self.bytes = 0, 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False
        self._host, self._cookie = host, cookie
        self._pattern = re.compile(marker.encode() + rb":(\d+):")
        self._buffer = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            (
                f"GET /realtime HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nCookie: {self._cookie}\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._buffer += data
        if not self._upgraded and not self._upgrade():
            return
        while (frame := self._frame()) is not None:
            self._take(*frame, now)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(self._buffer[:200].decode(errors="replace")))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _upgrade(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        assert self._transport is not None
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self._transport.abort()
            return False
        self._upgraded, self._buffer = True, rest
        self._write(_TEXT, _RESUME)
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame of a server, which are neither masked nor fragmented here."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length == 126:
            start = 4
            length = struct.unpack_from("!H", buffer, 2)[0] if len(buffer) >= 4 else 1 << 62
        elif length == 127:
            start = 10
            length = struct.unpack_from("!Q", buffer, 2)[0] if len(buffer) >= 10 else 1 << 62
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 0x0F, buffer[start : start + length]

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == _PING:
            self._write(_PONG, payload)
        elif opcode == _TEXT:
            self.frames += 1
            self.bytes += len(payload)
            if not self.ready.done():
                self.ready.set_result(None)
            for number in self._pattern.findall(payload):
                self.seen.setdefault(int(number), now)

    def _write(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        assert len(payload) < 126
        mask = b"\x00\x00\x00\x00"  # allowed, and saves the generator the work
        self._transport.write(bytes((0x80 | opcode, 0x80 | len(payload))) + mask + payload)
