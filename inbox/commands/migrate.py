"""inbox migrate"""

import asyncio

import click

from inbox import db
from inbox.errors import ConfigurationError
from inbox.settings import from_environment


@click.command()
def command() -> None:
    """Bring the schema up to date, as DATABASE_OWNER_URL (or DATABASE_URL)."""
    settings = from_environment()
    url = settings.database_owner_url or settings.database_url
    if not url:
        raise ConfigurationError("Set DATABASE_URL; the embedded database is migrated by `inbox serve`.")
    applied = asyncio.run(db.migrate(url))
    for name in applied:
        click.echo(f"applied {name}", err=True)
