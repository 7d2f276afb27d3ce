"""inbox serve"""

import sys

import click

from inbox.programs import programs, say_where
from inbox.settings import from_environment
from inbox.supervisor import Supervisor
from inbox.supervisor import serve as supervise


@click.command()
def command() -> None:
    """Run everything on this machine until Ctrl-C."""
    running, migration = programs()
    supervisor = Supervisor(from_environment(), running, preparation=migration, on_ready=say_where)
    sys.exit(supervise(supervisor))
