"""What is configured, reachable and current, and what to do about what is not."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
import obstore
from msgspec import Struct
from obstore.store import LocalStore, from_url
from redis.asyncio import Redis
from redis.exceptions import RedisError

from inbox import datadir
from inbox.db import pending_migrations
from inbox.embedded.places import urls
from inbox.safety import Finding, database_findings, redis_findings
from inbox.settings import Settings, with_secret_key

_SECONDS = 3.0  # what one connection or request may take
_CHECK_SECONDS = 15.0
_LOW_SPACE = 1024**3  # bytes
_LEAST_SECRET = 32  # characters

# What may fail when the other side is away or refuses; the words go into the table.
_FAILURES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    RedisError,
    httpx.HTTPError,
)


class Check(Struct, frozen=True):
    """One row of the table: what was examined, how it is, what was found, what to do about it."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    what_to_do: str = ""


async def examine(settings: Settings) -> list[Check]:
    """Examine the installation without changing it. Bounded: no check takes longer than 15 seconds.

    With embedded servers, it looks at those of the product that is running on the data folder.
    """
    located = _located(settings)
    groups: Sequence[tuple[str, Callable[[Settings], Awaitable[list[Check]]]]] = (
        ("Data folder", _data_folder),
        ("Secret key", _secret_key),
        ("Public address", _public_address),
        ("PostgreSQL", _database),
        ("Redis", _redis),
        ("Files", _files),
        ("Search", _search),
    )
    answers = await asyncio.gather(*(_bounded(name, check, located) for name, check in groups))
    return [check for answer in answers for check in answer]


async def _bounded(
    name: str, check: Callable[[Settings], Awaitable[list[Check]]], settings: Settings
) -> list[Check]:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check(settings)
    except TimeoutError:
        return [Check(name, "fail", f"no answer in {_CHECK_SECONDS:.0f} s", "See whether it hangs.")]


def _located(settings: Settings) -> Settings:
    if datadir.holder(settings.data_dir) is None:
        return settings
    found = urls(settings.data_dir)
    changes: dict[str, str] = {}
    if settings.embedded_postgres:
        changes |= {"database_url": found.app, "database_owner_url": found.owner}
    if settings.embedded_redis:
        changes |= {"redis_url": found.redis}
    return msgspec.structs.replace(settings, **changes)


async def _data_folder(settings: Settings) -> list[Check]:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        return [Check("Data folder", "warn", f"{folder} does not exist yet", "`inbox serve` creates it.")]
    holder = datadir.holder(folder)
    user = f"in use by process {holder.get('pid')}" if holder else "not in use"
    free = shutil.disk_usage(folder).free
    full, low = free < datadir.LEAST_FREE, free < _LOW_SPACE
    return [
        Check("Data folder", "ok", f"{folder}, {user}"),
        Check(
            "Disk",
            "fail" if full else "warn" if low else "ok",
            f"{free // 2**20:,} MiB free",
            "Make room: a full disk stops PostgreSQL." if low else "",
        ),
    ]


async def _secret_key(settings: Settings) -> list[Check]:
    if not settings.secret_key:
        kept = settings.data_dir / "secret_key"
        found = f"kept in {kept}" if kept.exists() else "made at the first start"
        return [Check("Secret key", "ok", found)]
    if len(settings.secret_key) < _LEAST_SECRET or len(set(settings.secret_key)) < 10:
        return [
            Check(
                "Secret key",
                "fail",
                "easy to guess",
                "Give SECRET_KEY 32 random characters, for instance from `openssl rand -base64 48`.",
            )
        ]
    return [Check("Secret key", "ok", f"{len(settings.secret_key)} characters")]


async def _public_address(settings: Settings) -> list[Check]:
    name = "Public address"
    parts = urlsplit(settings.origin)
    if parts.scheme == "https":
        return [Check(name, "ok", settings.origin)]
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        advice = "Set PUBLIC_URL to an https address when providers and colleagues are to reach this."
        return [Check(name, "warn", f"{settings.origin}, this machine only", advice)]
    advice = "Put TLS in front and set PUBLIC_URL to the https address: sign-ins travel in the clear."
    return [Check(name, "fail", settings.origin, advice)]


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(
        url, timeout=_SECONDS, command_timeout=_SECONDS, statement_cache_size=0
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=_SECONDS)


async def _database(settings: Settings) -> list[Check]:
    name = "PostgreSQL"
    if not settings.database_url:
        return [Check(name, "warn", "embedded, not running", "Start it with `inbox serve`.")]
    try:
        async with _connection(settings.database_url) as connection:
            checks = [Check(name, "ok", _address(settings.database_url))]
            checks += _rows(await database_findings(connection))
            checks.append(await _pooler(connection, settings))
            checks += await _workspace(connection, settings)
        async with _connection(settings.database_owner_url or settings.database_url) as owner:
            checks.append(await _migrations(owner))
    except _FAILURES as error:
        advice = "Start it, or correct DATABASE_URL and DATABASE_OWNER_URL."
        return [Check(name, "fail", f"{_address(settings.database_url)}: {_words(error)}", advice)]
    return checks


async def _workspace(connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings) -> list[Check]:
    """Whether somebody has set up a workspace; if not, where to do it."""
    try:
        async with connection.transaction():
            await connection.execute("set local role meridian_system")
            found = await connection.fetchval("select count(*) from accounts")
    except asyncpg.PostgresError:  # no schema of ours yet, which the check of the migrations reports
        return []
    if found:
        return [Check("Workspaces", "ok", str(found))]
    token = with_secret_key(settings).setup_token
    return [Check("Workspaces", "warn", "none yet", f"Open {settings.origin}/setup?token={token}")]


async def _pooler(connection: "asyncpg.Connection[asyncpg.Record]", settings: Settings) -> Check:
    """A pooler invents the process number of the cancel key, so it differs from the server's own."""
    name = "Connection pooler"
    if await connection.fetchval("select pg_backend_pid()") == connection.get_server_pid():
        return Check(name, "ok", "none")
    if settings.database_statement_cache == 0:
        return Check(name, "ok", "present, prepared statements are off")
    advice = "In transaction mode set DATABASE_STATEMENT_CACHE=0."
    return Check(name, "warn", "present, prepared statements are on", advice)


async def _migrations(owner: "asyncpg.Connection[asyncpg.Record]") -> Check:
    missing, unknown = await pending_migrations(owner)
    if unknown:
        return Check("Migrations", "fail", f"newer than this version: {max(unknown)}", "Update Meridian.")
    if missing:
        return Check("Migrations", "fail", f"{len(missing)} not applied", "Run `inbox migrate`.")
    return Check("Migrations", "ok", "current")


async def _redis(settings: Settings) -> list[Check]:
    name = "Redis"
    if not settings.redis_url:
        return [Check(name, "warn", "embedded, not running", "Start it with `inbox serve`.")]
    client = Redis.from_url(settings.redis_url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    try:
        return [Check(name, "ok", _address(settings.redis_url)), *_rows(await redis_findings(client))]
    except _FAILURES as error:
        found = f"{_address(settings.redis_url)}: {_words(error)}"
        return [Check(name, "fail", found, "Start it, or correct REDIS_URL.")]
    finally:
        await client.aclose()


async def _files(settings: Settings) -> list[Check]:
    name, where = "Files", settings.blob_url or str(settings.data_dir.absolute() / "files")
    if not settings.blob_url and not settings.data_dir.is_dir():
        return [Check(name, "warn", f"{where} does not exist yet", "`inbox serve` creates it.")]
    try:
        store: Any = from_url(settings.blob_url) if settings.blob_url else LocalStore(where, mkdir=True)
        await obstore.put_async(store, "doctor", b"probe")
        await obstore.delete_async(store, "doctor")
    except (*_FAILURES, ValueError, obstore.exceptions.BaseError) as error:
        advice = "Give write access to it, or correct BLOB_URL and the store's credentials."
        return [Check(name, "fail", f"{where}: {_words(error)}", advice)]
    return [Check(name, "ok", f"{where}, writable")]


async def _search(settings: Settings) -> list[Check]:
    name, url = "Search", settings.meilisearch_url
    if not url:
        return [Check(name, "ok", "PostgreSQL's own")]
    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            answer = await client.get(
                f"{url.rstrip('/')}/version", headers={"Authorization": f"Bearer {settings.meilisearch_key}"}
            )
            answer.raise_for_status()
            version = answer.json()["pkgVersion"]
    except (*_FAILURES, ValueError, KeyError, TypeError) as error:
        advice = "Start Meilisearch, or correct MEILISEARCH_URL and MEILISEARCH_KEY."
        return [Check(name, "fail", f"{url}: {_words(error)}", advice)]
    return [Check(name, "ok", f"Meilisearch {version} at {url}")]


def _rows(findings: Sequence[Finding]) -> list[Check]:
    return [
        Check(item.name, ("fail" if item.fatal else "warn") if item.what_to_do else "ok", item.found, item.what_to_do)
        for item in findings
    ]  # fmt: skip


def _address(url: str) -> str:
    """Without the password."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2] or parts.path
    return f"{parts.scheme}://{where}"


def _words(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
