"""What would lose data or break the walls between accounts, found before it can.

`doctor` shows these findings; the processes refuse to start with one that is `fatal`.
"""

from typing import TypeAlias

import asyncpg
import asyncpg.pool
from msgspec import Struct
from redis.asyncio import Redis

from inbox.errors import ConfigurationError

AnyConnection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

LEAST_POSTGRES = 16
LEAST_REDIS = (6, 2)


class Finding(Struct, frozen=True):
    """One examined fact. `what_to_do` is empty when it is as it should be."""

    name: str
    found: str
    what_to_do: str = ""
    fatal: bool = True


async def database_findings(connection: "AnyConnection") -> list[Finding]:
    """Version, durability settings and role of the application's connection. One query."""
    row = await connection.fetchrow(
        """select current_setting('server_version_num')::int / 10000 as major,
                  current_setting('fsync') as fsync,
                  current_setting('full_page_writes') as full_page_writes,
                  current_setting('synchronous_commit') as synchronous_commit,
                  rolname, rolsuper or rolbypassrls as bypasses
           from pg_roles where rolname = current_user"""
    )
    assert row is not None
    version = f"PostgreSQL {row['major']}"
    old = f"Update it to {LEAST_POSTGRES} or newer." if row["major"] < LEAST_POSTGRES else ""
    findings = [Finding("PostgreSQL version", version, old)]
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        # local, remote_write, on and remote_apply all wait for our own disk; only off does not.
        advice = f"Set {name} = on: without it a crash loses messages." if row[name] == "off" else ""
        findings.append(Finding(f"PostgreSQL {name}", row[name], advice))
    role = f"{row['rolname']}, {'bypasses' if row['bypasses'] else 'cannot bypass'} row-level security"
    advice = (
        "Let DATABASE_URL log in as a role with NOSUPERUSER NOBYPASSRLS and give the owner's in "
        "DATABASE_OWNER_URL: this one sees every account's data."
        if row["bypasses"]
        else ""
    )
    return [*findings, Finding("PostgreSQL role", role, advice)]


async def redis_findings(redis: Redis) -> list[Finding]:
    """Version and eviction policy. INFO is asked, as managed Redis often forbids CONFIG."""
    info = {**await redis.info("server"), **await redis.info("memory")}
    version = str(info.get("redis_version", "0"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    policy = str(info.get("maxmemory_policy", "unknown"))
    return [
        Finding("Redis version", version, "" if numbers >= LEAST_REDIS else "Update it to 6.2 or newer."),
        Finding(
            "Redis eviction",
            policy,
            "" if policy == "noeviction" else "Set maxmemory-policy noeviction: others drop queued work.",
        ),
    ]


async def refuse_unsafe(connection: "AnyConnection", redis: Redis | None = None) -> None:
    """Raises ConfigurationError with the first finding that forbids to start."""
    findings = await database_findings(connection)
    if redis is not None:
        findings += await redis_findings(redis)
    for finding in findings:
        if finding.what_to_do and finding.fatal:
            raise ConfigurationError(f"{finding.name} is {finding.found}. {finding.what_to_do}")
