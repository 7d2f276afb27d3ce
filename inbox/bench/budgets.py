"""The budgets of docs/benchmarks.md, and what a measurement makes of them."""

from typing import Any

from msgspec import Struct

_TOLERANCE = 0.2  # beyond a budget by more than this is a regression


class Budget(Struct, frozen=True):
    """`key` of a bench's result should be at least, or at most, `limit`."""

    key: str
    limit: float
    at_least: bool = False


BUDGETS: dict[str, tuple[Budget, ...]] = {
    "accept": (
        Budget("ratio", 0.70, at_least=True),
        Budget("ratio_to_insert_each", 2.5, at_least=True),
        Budget("per_second", 3000, at_least=True),
        Budget("p99_ms", 10),
    ),
    "path": (Budget("p50_ms", 8), Budget("p99_ms", 30)),
    "start": (Budget("warm_seconds", 1.5), Budget("first_seconds", 4)),
}


class Verdict(Struct, frozen=True):
    key: str
    found: float
    budget: str
    kept: bool
    regression: bool


def judge(result: dict[str, Any]) -> list[Verdict]:
    """How a bench's result stands to its budgets."""
    return [_verdict(budget, result[budget.key]) for budget in BUDGETS[result["bench"]]]


def _verdict(budget: Budget, found: float) -> Verdict:
    if budget.at_least:
        kept, regression = found >= budget.limit, found < budget.limit * (1 - _TOLERANCE)
    else:
        kept, regression = found <= budget.limit, found > budget.limit * (1 + _TOLERANCE)
    sign = "≥" if budget.at_least else "≤"
    return Verdict(budget.key, found, f"{sign} {budget.limit:g}", kept, regression)
