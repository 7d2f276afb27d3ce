"""The live feed at /realtime, and the visitors' one: authenticate, then hand the socket to the hub."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from inbox.access import agent_topic
from inbox.api.guards import lower_headers, same_origin, session_token
from inbox.api.services import Services
from inbox.db import CONNECTION_ERRORS
from realtime.connection import Connection
from realtime.protocol import FORBIDDEN, UNAUTHENTICATED

log = structlog.get_logger()


class SocketOf:
    """realtime.connection.Socket over Litestar's websocket."""

    def __init__(self, socket: WebSocket[Any, Any, Any]) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        try:
            # The frame was encoded once for all sockets; as text it is one decode, in C.
            await self._socket.send_data(data.decode(), mode="text")
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionError("the socket is gone") from error

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code=code, reason=reason)


async def frames_of(socket: WebSocket[Any, Any, Any]) -> AsyncIterator[bytes | str]:
    """What the client sends, until it leaves."""
    while True:
        try:
            yield await socket.receive_data(mode="text")
        except (WebSocketDisconnect, RuntimeError, ConnectionError):
            return


class Wishes:
    """realtime.connection.Listener. Watching and typing get their meaning with presence; until then they
    are understood and change nothing that others see."""

    async def watch(self, connection: Connection, conversation_id: str) -> None:
        return

    async def unwatch(self, connection: Connection, conversation_id: str) -> None:
        return

    async def typing(self, connection: Connection, conversation_id: str, on: bool) -> None:
        return


@websocket("/realtime")
async def realtime(socket: WebSocket[Any, Any, Any], services: Services) -> None:
    """Everything that happens in the account, from the cursor that the client resumes at."""
    await socket.accept()
    if not same_origin(lower_headers(socket.scope), services):
        await socket.close(code=FORBIDDEN, reason="other origin")
        return
    token = session_token(socket, services)
    try:
        scope = await services.sessions.scope_of(token) if token else None
    except CONNECTION_ERRORS:
        await socket.close(code=1013, reason="try again later")
        return
    if scope is None or token is None:
        await socket.close(code=UNAUTHENTICATED, reason="please sign in")
        return
    connection = services.hub.connect(
        SocketOf(socket),
        log=str(scope.account_id),
        topics={agent_topic(scope.account_id)},
        user=str(scope.user_id),
        tags={"session": services.csrf.fixed(token)},
    )
    await connection.run(frames_of(socket))
