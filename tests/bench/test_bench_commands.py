"""`inbox bench` runs and prints one JSON object. How fast it was is not a test's business."""

import json
import subprocess
import sys
from typing import Any

import pytest

from inbox.bench.budgets import BUDGETS, judge
from inbox.bench.load import percentiles


def bench(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "inbox", "bench", *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=110,
    )
    # 1: a budget was missed, which a busy machine does by itself.
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert {"machine", "foreign_cores", "budgets"} <= found.keys()
    return found


def test_bench_accept_prints_one_object_with_every_answer_accounted_for() -> None:
    found = bench("accept", "--seconds", "0.5")
    assert {"ratio", "p50_ms", "p95_ms", "p99_ms"} <= found.keys()
    for loop in ("closed_loop", "open_loop"):
        assert all(
            set(found[loop][store]["statuses"]) == {"200"} for store in ("real", "no_store", "insert_each")
        )


def test_bench_path_prints_one_object_and_every_message_reached_every_screen() -> None:
    found = bench("path", "--seconds", "1", "--rate", "20")
    assert {"ratio", "p50_ms", "p95_ms", "p99_ms"} <= found.keys()
    assert found["missing"] == 0
    assert found["messages"] == 20
    assert found["accept"]["statuses"] == {"200": 20}


def test_bench_start_prints_one_object() -> None:
    found = bench("start", "--times", "1")
    assert len(found["warm_starts"]) == 1
    assert found["first_seconds"] > 0


@pytest.mark.parametrize(
    ("found", "kept", "regression"), [(0.9, True, False), (0.6, False, False), (0.5, False, True)]
)
def test_a_budget_may_be_missed_by_a_fifth_before_it_is_a_regression(
    found: float, kept: bool, regression: bool
) -> None:
    result = {"bench": "accept", "ratio": found, "ratio_to_insert_each": 3, "per_second": 9000, "p99_ms": 5}
    verdict = judge(result)[0]
    assert (verdict.kept, verdict.regression) == (kept, regression)


def test_every_bench_has_budgets() -> None:
    assert set(BUDGETS) == {"accept", "path", "start"}


def test_percentiles_are_those_of_the_samples() -> None:
    assert percentiles([n / 1000 for n in range(1, 101)]) == (51.0, 96.0, 100.0, 100.0)
    assert percentiles([]) == (0.0, 0.0, 0.0, 0.0)
