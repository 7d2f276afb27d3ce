"""An agent's screen: a real websocket that applies events the way the inbox's pages do."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]


class Screen:
    """Everything that one socket was told, applied in order.

    `conversations` and `messages` hold the newest state by id; `events` every event as it came. It is an
    AssertionError, raised by whoever waits next, when an event is missing, doubled or out of order.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url, self._headers = url.replace("http", "ws", 1) + "/realtime", headers
        self.events: list[Json] = []
        self.frames: list[Json] = []
        self.bytes = bytearray()
        self.conversations: dict[str, Json] = {}
        self.messages: dict[str, Json] = {}
        self.cursor: str | None = None
        self.closed_with: int | None = None
        self._problem = ""
        self._news = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, cursor: str | None = None) -> None:
        """Connect and resume at `cursor` (a boot snapshot's, or where this screen was); waits for welcome."""
        self.cursor = cursor or self.cursor
        self.closed_with = None
        seen = len(self.frames)
        self._socket = await connect(self._url, additional_headers=self._headers, max_size=None)
        with contextlib.suppress(websockets.ConnectionClosed):  # then `closed_with` says why
            await self._socket.send(json.dumps({"type": "resume", "cursor": self.cursor}))
        self._task = asyncio.create_task(self._listen(self._socket))
        await self.until(lambda: len(self.frames) > seen or self.closed_with, what="a welcome")

    async def drop(self) -> None:
        """Lose the connection without a goodbye, as in a tunnel."""
        assert self._socket is not None
        self._socket.transport.abort()
        assert self._task is not None
        await self._task

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._task is not None:
            await self._task

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                raw = data.encode() if isinstance(data, str) else data
                self.bytes += raw
                for frame in json.loads(raw):
                    self._apply(frame)
                async with self._news:
                    self._news.notify_all()
        except websockets.ConnectionClosedError:
            pass
        self.closed_with = socket.close_code or 1006
        async with self._news:
            self._news.notify_all()

    def _apply(self, frame: Json) -> None:
        if "data" not in frame:
            self.frames.append(frame)
            if frame["type"] in ("welcome", "reset", "head"):
                self.cursor = frame["cursor"]
            return
        epoch, _, seq = frame["cursor"].partition(":")
        last_epoch, _, last = (self.cursor or "").partition(":")
        if last_epoch == epoch and int(seq) != int(last) + 1:
            self._problem = self._problem or f"event {seq} came after {last}"
        self.cursor = frame["cursor"]
        self.events.append(frame)
        self._keep(frame["data"])

    def _keep(self, data: Json) -> None:
        for name, kept in (
            ("conversation", self.conversations),
            ("message", self.messages),
            ("activity", self.messages),
        ):
            if (found := data.get(name)) is not None:
                before = kept.get(found["id"])
                if before is None or before["version"] <= found["version"]:
                    kept[found["id"]] = found

    async def until(self, look: Callable[[], Any], seconds: float = 10.0, what: str = "") -> Any:
        """What `look` gives as soon as it is true."""
        try:
            async with asyncio.timeout(seconds), self._news:
                while not (found := look()):
                    assert not self._problem, self._problem
                    await self._news.wait()
                assert not self._problem, self._problem
                return found
        except TimeoutError:
            seen = [event["type"] for event in self.events[-12:]]
            raise AssertionError(f"the screen never showed {what or 'it'}; the last events: {seen}") from None

    async def message(self, text: str, *, state: str | None = None, seconds: float = 10.0) -> Json:
        """The newest message that reads `text` (and is in `state`), as soon as the screen shows it."""

        def look() -> Json | None:
            found = [m for m in self.messages.values() if m["text"] == text and state in (None, m["state"])]
            return found[-1] if found else None

        return await self.until(look, seconds, f"{text[:60]!r} ({state or 'any state'})")

    async def state(self, message_id: str, state: str, seconds: float = 10.0) -> Json:
        """The message once it is in `state`."""
        return await self.until(
            lambda: (found := self.messages.get(message_id)) and found["state"] == state and found,
            seconds, f"message in state {state}; it is {self.messages.get(message_id, {}).get('state')}",
        )  # fmt: skip

    async def event(
        self, type_: str, look: Callable[[Json], Any] = lambda _: True, seconds: float = 10.0
    ) -> Json:
        """The data of the first event of this type that `look` accepts."""
        return await self.until(
            lambda: next((e["data"] for e in self.events if e["type"] == type_ and look(e["data"])), None),
            seconds, type_,
        )  # fmt: skip

    def states_of(self, message_id: str) -> list[str]:
        """Every state that this screen was shown for a message, in order."""
        shown = [e["data"]["message"]["state"] for e in self.events
                 if (e["data"].get("message") or {}).get("id") == message_id]  # fmt: skip
        return [state for n, state in enumerate(shown) if n == 0 or shown[n - 1] != state]
