"""inbox doctor"""

import asyncio
import sys

import click
from rich.console import Console
from rich.table import Table

from inbox.doctor import examine
from inbox.settings import from_environment

_LOOKS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
def command() -> None:
    """Tell what is configured, reachable and migrated; exit status 1 when something must be done."""
    checks = asyncio.run(examine(from_environment()))
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    for title in ("", "check", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for check in checks:
        table.add_row(f"[{_LOOKS[check.state]}]{check.state}[/]", check.name, check.found, check.what_to_do)
    Console().print(table)
    sys.exit(1 if any(check.state == "fail" for check in checks) else 0)
