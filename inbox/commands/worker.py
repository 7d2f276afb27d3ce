"""inbox worker"""

import click
import uvloop

from inbox import worker
from inbox.settings import from_environment, with_secret_key


@click.command()
def command() -> None:
    """Run one worker process (intake, routing, delivery, clock). Needs DATABASE_URL and REDIS_URL."""
    uvloop.run(worker.run(with_secret_key(from_environment())))
