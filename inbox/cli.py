"""The `inbox` command.

Each subcommand lives in a module of its own, imported only when it is called: the supervisor must not
pay for the web framework.
"""

import gc
import importlib
import sys

import click

from inbox import __version__
from inbox.errors import ConfigurationError

_COMMANDS = {
    "serve": "Run everything on this machine: web, worker, and PostgreSQL and Redis unless given.",
    "demo": "Serve, with a workspace that shows the product at its best and a provider sandbox.",
    "web": "Run one web process (HTTP and live feed).",
    "worker": "Run one worker process (intake, routing, delivery, clock).",
    "sandbox": "Run the provider sandbox by itself.",
    "stage": "Fill the demo workspace (`inbox demo` does it).",
    "migrate": "Bring the database schema up to date.",
    "user": "Create people and set their passwords from the terminal.",
    "doctor": "Tell what is configured, reachable and migrated, and what to do about what is not.",
    "bench": "Measure this installation beside the raw ceilings of this machine.",
    "openapi": "Print the OpenAPI document.",
    "events": "Print the JSON Schema of the live feed's events.",
    "settings": "Print the table of settings.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        # Modules live as long as the process: not looking through them again and again makes the start
        # quicker, and every request by half (Litestar keeps very many objects).
        gc.disable()
        command = importlib.import_module(f"inbox.commands.{cmd_name}").command
        gc.freeze()
        gc.enable()
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The texts stand above, so that --help need not import every command.
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="Meridian")
def inbox() -> None:
    """Meridian: an omnichannel inbox that follows the sun."""


def main() -> None:
    """Run a command; what the installation refuses is one sentence and exit status 2."""
    try:
        inbox(standalone_mode=True)
    except ConfigurationError as error:
        sys.stderr.write(f"inbox: {error}\n")
        sys.exit(2)
