"""inbox web"""

import click
import uvloop

from inbox import app, demo
from inbox.settings import from_environment, with_secret_key


@click.command()
def command() -> None:
    """Run one web process (HTTP and live feed). Needs DATABASE_URL and REDIS_URL."""
    settings = with_secret_key(from_environment())
    uvloop.run(app.serve(settings, demo.links(settings)))
