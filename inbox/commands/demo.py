"""inbox demo"""

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec

from inbox.demo_cast import CAST, PASSWORD
from inbox.programs import needs_setup, programs
from inbox.settings import Settings, as_environment, from_environment
from inbox.supervisor import Supervisor
from inbox.supervisor import serve as supervise


async def _fill_and_say(settings: Settings) -> None:
    """The first time, fill the workspace; then say where to go and how to sign in."""
    if needs_setup(settings):
        stage = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inbox", "stage", env=dict(os.environ) | as_environment(settings)
        )
        await stage.wait()
    name, email, _ = CAST[0]
    sys.stdout.write(
        f"\n  Meridian demo:  {settings.origin}\n"
        f"  Sign in as {name}:  {email}  /  {PASSWORD}\n"
        f"  (the sign-in page offers everybody; play the customers from the inbox, bottom left)\n\n"
    )
    sys.stdout.flush()


@click.command()
def command() -> None:
    """Serve, with a workspace that shows the product at its best and a provider sandbox."""
    settings = from_environment()
    folder = settings.data_dir if settings.data_dir != Path("data") else Path("demo-data")
    settings = msgspec.structs.replace(
        settings,
        data_dir=folder,
        sandbox_url=settings.sandbox_url or f"http://localhost:{settings.port + 1}",
        allow_private_addresses=settings.allow_private_addresses or "127.0.0.0/8,::1/128",
    )
    running, migration = programs(sandbox=True)
    supervisor = Supervisor(settings, running, preparation=migration, on_ready=_fill_and_say)
    sys.exit(supervise(supervisor))
