"""The product's webhook route with another store behind it, as a process: what the real one is compared with.

`python -m inbox.bench.stores none` answers at once (the ceiling of the route); `insert` commits one INSERT per
request on a pool of sixteen connections (the usual way).
"""

import contextlib
import sys

import msgspec
import uvicorn
import uvloop

from inbox import app, telemetry
from inbox.api.hooks import Accept, ChannelCache, Hooks
from inbox.ground import Ground, stand_on
from inbox.records import raw_events
from inbox.records.raw_events import Arrival
from inbox.settings import from_environment

_POOL = 16


async def _at_once(_: Arrival) -> None:
    return


def _one_insert(ground: Ground) -> Accept:
    async def accept(arrival: Arrival) -> None:
        async with ground.database.pool.acquire() as connection:
            await raw_events.accept(connection, [arrival])

    return accept


async def serve(store: str) -> None:
    settings = msgspec.structs.replace(from_environment(), database_pool=_POOL)
    telemetry.configure(settings.log_level, settings.log_format)
    async with contextlib.AsyncExitStack() as stack:
        ground = await stack.enter_async_context(stand_on(settings))
        accept = _at_once if store == "none" else _one_insert(ground)
        hooks = Hooks(ChannelCache(ground.database, ground.adapters), accept, settings.body_limit)
        application = app.assemble(settings, hooks, None, None)
        await uvicorn.Server(app.server_config(settings, application)).serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
