"""Tell open pages that something changed, by server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

_QUEUE = 200  # events; a page that falls further behind is told to reload everything
_KEEP_ALIVE = 15.0  # seconds


class Live:
    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes]] = set()

    def tell(self, kind: str, **data: Any) -> None:
        """Never waits: a full queue is emptied and gets one "reload" instead."""
        event = f"data: {json.dumps({'type': kind, **data})}\n\n".encode()
        for queue in self._queues:
            behind = queue.full()
            while behind and not queue.empty():
                queue.get_nowait()
            queue.put_nowait(b'data: {"type": "reload"}\n\n' if behind else event)

    async def stream(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
        self._queues.add(queue)
        try:
            yield b": hello\n\n"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), _KEEP_ALIVE)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._queues.discard(queue)
