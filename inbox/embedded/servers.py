"""What the two embedded servers have in common: being waited for, being ended, saying why they ended."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from inbox.errors import ConfigurationError
from inbox.processes import Process, Report, death, processes_in

ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}
NO_SPACE = "No space left on device"

_READY_SECONDS = 900.0  # recovery replays up to max_wal_size after a crash; what takes longer is not recovery
_SETTLE_SECONDS = 60.0  # how long an old server of our folder gets for a clean shutdown
_ANSWER_SECONDS = 5.0
_POLL_SECONDS = 0.01
_FIRST_PROGRESS, _NEXT_PROGRESS = 3.0, 10.0  # seconds


class Server(Protocol):
    """One embedded server."""

    name: str
    stop_signals: tuple[signal.Signals, ...]

    async def spawn(self) -> Process:
        """Repair what a crash left and start. Raises ConfigurationError, in one sentence."""
        ...

    async def ready(self, process: Process) -> None:
        """Wait until it answers. Raises ConfigurationError when it ends before that."""
        ...


async def wait_until(
    answers: Callable[[], Awaitable[bool]], process: Process, name: str, folder: Path, report: Report
) -> None:
    """Poll until it answers, with a line of progress when that takes long.

    Raises ConfigurationError when the process ends first, or after 15 minutes.
    """
    started, line = time.monotonic(), _FIRST_PROGRESS
    while not await answers():
        passed = time.monotonic() - started
        if process.returncode is not None:
            await process.wait()
            raise ConfigurationError(cause_of_death(name, process, folder))
        if passed > _READY_SECONDS:
            raise ConfigurationError(f"{name} does not answer after {passed:.0f} s: {_last_words(process)}")
        if passed > line:
            report(name, "info", f"still starting after {passed:.0f} s: {_last_words(process)}")
            line = passed + _NEXT_PROGRESS
        await asyncio.sleep(_POLL_SECONDS)


async def ask(path: Path, packet: bytes, wanted: bytes, goodbye: bytes) -> bool:
    """Whether a unix socket answers a packet with the wanted first byte."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(packet)
                answer = await reader.read(1)
                writer.write(goodbye)
                return answer == wanted
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def end_orphans(folder: Path, pids: list[int], number: signal.Signals) -> None:
    """Signal processes that work in `folder` and wait until they are gone.

    Raises ConfigurationError when one is still there after a minute.
    """
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + _SETTLE_SECONDS
    while pids and (left := processes_in(folder)):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"An earlier server in {folder} does not end; stop process {left[0]}.")
        await asyncio.sleep(_POLL_SECONDS)


def cause_of_death(name: str, process: Process, folder: Path) -> str:
    """One sentence for the operator, from its exit status and its last words."""
    if process.said(NO_SPACE):
        return f"The disk of {folder} is full, so {name} cannot run; make room and start again."
    assert process.returncode is not None
    return f"{name} {death(process.returncode)}: {_last_words(process)}"


def _last_words(process: Process) -> str:
    serious = [line for line in process.tail if "FATAL" in line or "PANIC" in line or "rror" in line]
    return (serious or list(process.tail) or ["it said nothing"])[-1]
