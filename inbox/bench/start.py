"""From `inbox serve` to a product that answers: the first time in an empty folder, and later."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inbox.bench.machine import Meter, facts
from inbox.bench.place import answering, free_port, passing_folder
from inbox.processes import Process

Say = Callable[[str], None]


async def measure(times: int, say: Say) -> dict[str, Any]:
    """Seconds until /health/ready says yes; the median of the later starts is `warm_seconds`."""
    meter = Meter()
    with passing_folder() as folder:
        say("the first start")
        first = await _start(folder)
        later = []
        for number in range(1, times + 1):
            say(f"start {number} of {times}")
            later.append(await _start(folder))
    return {
        "bench": "start",
        "first_seconds": first,
        "warm_seconds": sorted(later)[len(later) // 2],
        "warm_starts": later,
        "foreign_cores": meter.foreign(),
        "machine": facts(),
    }


async def _start(folder: Path) -> float:
    port = free_port()
    environment = dict(os.environ) | {
        "DATA_DIR": str(folder / "data"), "PORT": str(port), "LOG_LEVEL": "warning",
        "DATABASE_URL": "", "DATABASE_OWNER_URL": "", "REDIS_URL": "",
    }  # fmt: skip
    began = time.perf_counter()
    child = await Process.spawn(
        [sys.executable, "-m", "inbox", "serve"],
        folder=folder,
        environment=environment,
        on_line=lambda _: None,
    )
    try:
        await answering(port, child)
        return round(time.perf_counter() - began, 3)
    finally:
        await child.end((signal.SIGTERM, signal.SIGKILL), 60.0)
