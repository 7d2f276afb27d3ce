"""A bench's result as a table."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.table import Table

from inbox.bench.budgets import Verdict


def table(result: dict[str, Any], verdicts: Sequence[Verdict]) -> Table:
    """Every figure of the result, those with a budget first."""
    found = Table(title=f"inbox bench {result['bench']}", title_justify="left", box=None, pad_edge=False)
    found.add_column("what")
    found.add_column("found", justify="right")
    found.add_column("budget")
    for verdict in verdicts:
        colour = "green" if verdict.kept else "red" if verdict.regression else "yellow"
        found.add_row(f"[bold]{verdict.key}[/]", f"[{colour}]{_number(verdict.found)}[/]", verdict.budget)
    judged = {verdict.key for verdict in verdicts} | {"bench"}
    for name, value in _flat({key: value for key, value in result.items() if key not in judged}):
        found.add_row(f"[dim]{name}[/]", _number(value), "")
    return found


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        plain = msgspec.to_builtins(item)
        if isinstance(plain, dict):
            yield from _flat(plain, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", plain


def _number(value: Any) -> str:
    return f"{value:,.10g}" if isinstance(value, float | int) else str(value)
