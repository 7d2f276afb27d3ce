"""What web and worker both stand on: the pool, Redis, keys, files, the way out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
from arq import ArqRedis
from arq.connections import RedisSettings, create_pool
from msgspec import Struct
from redis.asyncio import Redis

from channels import registry
from inbox import db, streams
from inbox.adapters import Adapters
from inbox.blobs import Blobs
from inbox.crypto import Seals
from inbox.db import Database
from inbox.errors import ConfigurationError
from inbox.http import GuardedHttp
from inbox.safety import refuse_unsafe
from inbox.settings import Settings

_PATIENCE = 120.0  # seconds for servers that are starting and migrations that are running


class Ground(Struct, frozen=True, kw_only=True):
    settings: Settings
    database: Database
    redis: Redis
    queue: ArqRedis
    adapters: Adapters
    blobs: Blobs
    http: GuardedHttp

    @property
    def deadline(self) -> timedelta:
        return timedelta(seconds=self.settings.send_deadline)


@contextlib.asynccontextmanager
async def stand_on(settings: Settings) -> AsyncIterator[Ground]:
    """Open everything, waiting for what is starting; close it in the reverse order.

    Raises ConfigurationError for what does not come, or would lose data.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await db.connect(
            settings.database_url,
            size=settings.database_pool,
            statement_cache=settings.database_statement_cache,
            patience=_PATIENCE,
        )
        stack.push_async_callback(database.close)
        redis = streams.connect(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        await _wait_for_redis(redis)
        await _wait_for_schema(database)
        async with database.pool.acquire() as connection:
            await refuse_unsafe(connection, redis)
        queue = await create_pool(RedisSettings.from_dsn(settings.redis_url))
        stack.push_async_callback(queue.aclose)
        http = GuardedHttp(timeout=settings.http_timeout, allow_private=settings.allow_private_addresses)
        stack.push_async_callback(http.close)
        yield Ground(
            settings=settings,
            database=database,
            redis=redis,
            queue=queue,
            adapters=Adapters(Seals(settings), registry.adapter),
            blobs=Blobs(settings),
            http=http,
        )


async def _wait_for_redis(redis: Redis) -> None:
    async def ask() -> str:
        await redis.ping()
        return ""

    await _wait(ask, "Redis")


async def _wait_for_schema(database: Database) -> None:
    async def ask() -> str:
        async with database.system() as tx:
            ours, applied = db.migrations_of_this_version(), await db.applied_migrations(tx)
        if newer := applied - ours:
            raise ConfigurationError(
                f"The database was written by a newer version of Meridian ({max(newer)})."
            )
        missing = ours - applied
        return f"migration {min(missing)} is missing; run `inbox migrate`" if missing else ""

    await _wait(ask, "the database")


async def _wait(ask: Callable[[], Awaitable[str]], what: str) -> None:
    """Ask until it answers with no obstacle."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + _PATIENCE, 0.01
    while True:
        try:
            obstacle = await ask()
        except (*streams.REDIS_ERRORS, asyncpg.PostgresError) as error:
            obstacle = str(error)
        if not obstacle:
            return
        if loop.time() > deadline:
            raise ConfigurationError(f"{what} is not ready: {obstacle}.")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 1.0)
