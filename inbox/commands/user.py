"""inbox user"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

import click
import msgspec

from inbox import db
from inbox.actions import people
from inbox.crypto import Passwords
from inbox.db import Database
from inbox.embedded.stack import reachable
from inbox.errors import ConfigurationError, ProblemError
from inbox.outbox import JobCall, Store
from inbox.records import accounts, sessions, users
from inbox.settings import Settings, from_environment


class _QuietBell:
    """outbox.Bell of a command: the relay of the running product looks every second anyway."""

    async def ring(self, account_id: UUID, jobs: list[JobCall]) -> None:
        return


def _report(component: str, level: str, event: str) -> None:
    if level != "debug":
        click.echo(f"{component}: {event}", err=True)


async def _with_database(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    if settings.embedded_postgres:
        async with reachable(settings.data_dir.absolute(), _report) as found:
            await _connected(msgspec.structs.replace(settings, database_url=found.app), work)
    else:
        await _connected(settings, work)


async def _connected(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    database = await db.connect(
        settings.database_url, size=2, statement_cache=settings.database_statement_cache, patience=10
    )
    try:
        await work(database)
    finally:
        await database.close()


def _run(work: Callable[[Database], Awaitable[None]]) -> None:
    try:
        asyncio.run(_with_database(from_environment(), work))
    except ProblemError as error:
        raise ConfigurationError(str(error)) from error


async def _only_account(database: Database) -> UUID:
    async with database.system() as tx:
        known = await accounts.every(tx)
    if len(known) != 1:
        raise ConfigurationError("Set up the workspace first: start `inbox serve` and open its address.")
    return known[0]


def _ask_password(given: str | None) -> str:
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


@click.group()
def command() -> None:
    """Create people and set their passwords from the terminal."""


@command.command("list")
def list_people() -> None:
    """Everybody in the workspace."""

    async def work(database: Database) -> None:
        async with database.tenant(await _only_account(database)) as tx:
            for user in await users.everybody(tx):
                state = "active" if user.active else "deactivated"
                click.echo(f"{user.email}\t{user.name}\t{user.role}\t{user.time_zone}\t{state}")

    _run(work)


@command.command()
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", type=click.Choice(["owner", "admin", "agent"]), default="agent", show_default=True)
@click.option("--time-zone", default="UTC", show_default=True, help="e.g. Africa/Nairobi")
@click.option(
    "--password", help="Asked for when not given; read from standard input when that is no terminal."
)
def add(email: str, name: str, role: str, time_zone: str, password: str | None) -> None:
    """Add somebody."""
    secret = _ask_password(password)

    async def create(database: Database) -> None:
        given = msgspec.convert(
            {"email": email, "name": name, "role": role, "time_zone": time_zone, "password": secret},
            people.NewAgent,
        )
        store = Store(database, _QuietBell())
        await people.admit(store, await _only_account(database), Passwords(), given)
        click.echo(f"{email} can sign in now.")

    try:
        _run(create)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{error}.") from None


@command.command()
@click.option("--email", required=True)
@click.option(
    "--password", help="Asked for when not given; read from standard input when that is no terminal."
)
def password(email: str, password: str | None) -> None:
    """Set somebody's password; signs them out everywhere."""
    secret = _ask_password(password)

    async def work(database: Database) -> None:
        people.check_password(secret, email)
        hashed = await Passwords().hash(secret)
        async with database.tenant(await _only_account(database)) as tx:
            found = [user for user in await users.everybody(tx) if user.email.lower() == email.lower()]
            if not found:
                raise ConfigurationError(
                    f"Nobody here has the address {email}; `inbox user list` shows who is."
                )
            await users.change(tx, found[0].id, {"password_hash": hashed})
            await sessions.end_all(tx, found[0].id)
        click.echo(f"{email} has a new password, and was signed out everywhere.")

    _run(work)
