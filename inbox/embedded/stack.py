"""Both embedded servers for the length of a block."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from inbox import datadir
from inbox.embedded.places import Urls, urls
from inbox.embedded.postgres import Postgres
from inbox.embedded.redis import Redis
from inbox.embedded.servers import Server
from inbox.processes import Report

_STOP_SECONDS = 60.0


@contextlib.asynccontextmanager
async def running(data: Path, report: Report) -> AsyncIterator[Urls]:
    """Both servers for the length of a block, for tests and for commands; nothing restarts them.

    The caller holds the data folder (`datadir.hold`). Raises ConfigurationError as the servers do.
    """
    servers: tuple[Server, ...] = (Postgres(data, report), Redis(data, report))
    async with contextlib.AsyncExitStack() as stack:
        started = []
        for server in servers:
            process = await server.spawn()
            stack.push_async_callback(process.end, server.stop_signals, _STOP_SECONDS)
            started.append((server, process))
        for server, process in started:
            await server.ready(process)
        yield urls(data)


@contextlib.asynccontextmanager
async def reachable(data: Path, report: Report) -> AsyncIterator[Urls]:
    """The servers of a running product where one holds the folder, else our own for the length of the block.

    For commands that work beside a running product and without one.
    """
    if datadir.holder(data) is not None:
        yield urls(data)
        return
    with datadir.hold(data, None):
        async with running(data, report) as found:
            yield found
