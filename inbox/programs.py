"""Which processes an installation on one machine consists of, and what its terminal says."""

import sys
import urllib.request

from inbox.keeper import Program
from inbox.settings import Settings


def _inbox(command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "inbox", command)


def programs(*, sandbox: bool = False) -> tuple[list[Program], Program]:
    """(what is kept running, what runs once before it)."""
    running = [
        Program("worker", _inbox("worker"), stop_seconds=45.0),
        Program("web", _inbox("web"), health="/health/ready"),
    ]
    if sandbox:
        # It imitates somebody else's servers: it must not take time from ours, least of all at the start.
        running.insert(0, Program("sandbox", ("nice", "-n", "10", *_inbox("sandbox"))))
    return running, Program("migrate", _inbox("migrate"))


def needs_setup(settings: Settings) -> bool:
    """Whether the running installation has no workspace yet."""
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/api/v1/setup", timeout=5) as answer:
        return b'"needed":true' in answer.read()


async def say_where(settings: Settings) -> None:
    """Where to go, once everything answers."""
    if needs_setup(settings):
        address = f"{settings.origin}/setup?token={settings.setup_token}"
        sys.stdout.write(f"\n  Set up your workspace:  {address}\n\n")
    else:
        sys.stdout.write(f"\n  Meridian:  {settings.origin}\n\n")
    sys.stdout.flush()
