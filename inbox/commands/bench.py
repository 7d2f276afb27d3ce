"""inbox bench"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import click
import msgspec
from rich.console import Console

from inbox.bench import accept, path, start
from inbox.bench.budgets import judge
from inbox.bench.load import precise_loop
from inbox.bench.report import table

Measure = Callable[[Callable[[str], None]], Awaitable[dict[str, Any]]]

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def _seconds(default: float) -> Callable[[Any], Any]:
    return click.option(
        "--seconds", default=default, show_default=True, help="Length of every single measurement."
    )


@click.group()
def command() -> None:
    """Measure this product beside the raw ceilings of this machine.

    Starts servers and processes of its own in a temporary folder. Exit status 1: a budget of
    docs/benchmarks.md is missed by more than a fifth.
    """


@command.command("accept")
@_seconds(4.0)
@_json
def bench_accept(seconds: float, as_json: bool) -> None:
    """How fast a webhook is kept and acknowledged."""
    _run(lambda say: accept.measure(seconds, say), as_json)


@command.command("path")
@_seconds(10.0)
@click.option("--rate", default=100.0, show_default=True, help="Messages per second.")
@_json
def bench_path(seconds: float, rate: float, as_json: bool) -> None:
    """From a webhook to the agents' screens, with everything running."""
    _run(lambda say: path.measure(seconds, rate, say), as_json)


@command.command("start")
@click.option("--times", default=3, show_default=True, help="Starts of an installation that exists already.")
@_json
def bench_start(times: int, as_json: bool) -> None:
    """From `inbox serve` to ready, the first time and later."""
    _run(lambda say: start.measure(times, say), as_json)


def _run(measure: Measure, as_json: bool) -> None:
    console = Console(stderr=True, quiet=as_json)
    with console.status("preparing") as status, asyncio.Runner(loop_factory=precise_loop) as runner:
        found = runner.run(_measured(measure, status.update))
    verdicts = judge(found)
    if as_json:
        click.echo(msgspec.json.encode(found | {"budgets": verdicts}).decode())
    else:
        Console().print(table(found, verdicts))
    if any(verdict.regression for verdict in verdicts):
        raise SystemExit(1)


async def _measured(measure: Measure, say: Callable[[str], None]) -> dict[str, Any]:
    return await measure(say)
