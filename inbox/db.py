"""PostgreSQL: the pool, and transactions that are walled into one account.

Every statement of the product runs in a transaction that has put on one of two roles (see migration
0001): `tenant` sees one account, `system` carries messages between accounts. The login role itself may
touch nothing, so a forgotten wall is an error, not a leak. Both are set for the transaction only, which
also makes this work behind PgBouncer in transaction mode.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from pogo_core.util import migrate as pogo
from pogo_core.util import sql as pogo_sql

from inbox.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x6D657269  # one migrator at a time

# What an interrupted write may raise. Its outcome is unknown: the row may be there (reliability D10).
CONNECTION_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
    TimeoutError,
)
# The transaction did nothing and may simply be run again.
RETRY_ERRORS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


def _as_is(value: bytes) -> bytes:
    return value


class Tx:
    """A running transaction. Statements as in asyncpg; values always as $n."""

    __slots__ = ("account_id", "connection")

    def __init__(
        self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", account_id: UUID
    ) -> None:
        self.connection = connection
        self.account_id = account_id

    async def all(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        return await self.connection.fetch(sql, *values)

    async def row(self, sql: str, *values: Any) -> asyncpg.Record | None:
        return await self.connection.fetchrow(sql, *values)

    async def value(self, sql: str, *values: Any) -> Any:
        return await self.connection.fetchval(sql, *values)

    async def run(self, sql: str, *values: Any) -> int:
        """Execute; the number of rows it touched."""
        status = await self.connection.execute(sql, *values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self.connection.executemany(sql, rows)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone; what came before stays."""
        await self.connection.execute("savepoint s")
        try:
            yield
        except BaseException:
            await self.connection.execute("rollback to savepoint s")
            raise
        else:
            await self.connection.execute("release savepoint s")


class Database:
    """The pool of one process."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, transaction_pooling: bool) -> None:
        self.pool = pool
        self._prelude = (
            "set local statement_timeout = '10s'; set local lock_timeout = '2s'; "
            "set local idle_in_transaction_session_timeout = '10s'; "
            if transaction_pooling
            else ""
        )

    def tenant(self, account_id: UUID) -> contextlib.AbstractAsyncContextManager[Tx]:
        """A transaction that sees the rows of this account and no others."""
        opening = f"set local role meridian_app; set local app.account_id = '{UUID(str(account_id))}'"
        return self._transaction(opening, account_id)

    def system(self) -> contextlib.AbstractAsyncContextManager[Tx]:
        """A transaction that sees what the carriers of messages need of all accounts, and no more."""
        return self._transaction("set local role meridian_system", UUID(int=0))

    @contextlib.asynccontextmanager
    async def _transaction(self, opening: str, account_id: UUID) -> AsyncIterator[Tx]:
        async with self.pool.acquire(timeout=5) as connection:
            try:
                # One simple query, one round trip: asyncpg cannot pipeline, and this is every transaction.
                await connection.execute(f"begin; {self._prelude}{opening}")
                yield Tx(connection, account_id)
            except BaseException:
                if not connection.is_closed():
                    with contextlib.suppress(*CONNECTION_ERRORS):  # the first error is the one to report
                        await connection.execute("rollback")
                raise
            await connection.execute("commit")

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + _encode(value),
        decoder=lambda raw: _decode(raw[1:]),
        schema="pg_catalog",
        format="binary",
    )
    # Event data is encoded once and never decoded on its way to a screen.
    await connection.set_type_codec(
        "json", encoder=_as_is, decoder=_as_is, schema="pg_catalog", format="binary"
    )


async def _keep(_connection: Any) -> None:
    """Nothing to reset: every setting of ours ends with its transaction."""


async def connect(url: str, *, size: int, statement_cache: int = 1024, patience: float = 0.0) -> Database:
    """Open the pool, waiting up to `patience` seconds for a server that is starting.

    Raises ConfigurationError when it does not come.
    """
    limits = {
        "statement_timeout": "10s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "10s",
    }
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                timeout=3,
                command_timeout=12,
                statement_cache_size=statement_cache,
                max_inactive_connection_lifetime=300,
                init=_prepare,
                reset=_keep,
                server_settings=limits if statement_cache else {},
            )
            return Database(pool, transaction_pooling=not statement_cache)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise ConfigurationError(f"PostgreSQL cannot be reached: {error}.") from error
            await asyncio.sleep(0.02)


async def migrate(owner_url: str) -> list[str]:
    """Bring the schema up to date; the names of what was applied. One migrator at a time.

    Raises ConfigurationError when the database was written by a newer version than this.
    """
    try:
        connection = await asyncpg.connect(owner_url, timeout=5, statement_cache_size=0)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise ConfigurationError(f"PostgreSQL cannot be reached: {error}.") from error
    try:
        await connection.execute("select pg_advisory_lock($1)", _MIGRATION_LOCK)
        await pogo_sql.ensure_pogo_sync(connection)
        before = await pogo_sql.get_applied_migrations(connection, schema_name="public")
        ours = migrations_of_this_version()
        if newer := before - ours:
            raise ConfigurationError(
                f"This database was written by a newer version of Meridian (it has {max(newer)}): "
                "start that version, or restore a backup of before."
            )
        if ours - before:
            await connection.execute("set lock_timeout = '5s'")
            await pogo.apply(connection, MIGRATIONS, schema_name="public")
        return sorted(ours - before)
    finally:
        await connection.close(timeout=5)


def migrations_of_this_version() -> set[str]:
    return {path.stem for path in MIGRATIONS.glob("*.sql")}


async def applied_migrations(tx: Tx) -> set[str]:
    """In a system transaction, which fails where no schema of ours is."""
    rows = await tx.all("select migration_id from _pogo_migration")
    return {row["migration_id"] for row in rows}


async def pending_migrations(connection: asyncpg.Connection) -> tuple[set[str], set[str]]:
    """(not applied yet, applied but unknown to this version)."""
    if await connection.fetchval("select to_regclass('public._pogo_migration')") is None:
        return {path.stem for path in MIGRATIONS.glob("*.sql")}, set()
    applied = {
        row["migration_id"] for row in await connection.fetch("select migration_id from _pogo_migration")
    }
    ours = {path.stem for path in MIGRATIONS.glob("*.sql")}
    return ours - applied, applied - ours
