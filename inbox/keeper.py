"""Keeping one process alive: its start, its death, the wait before the next start, its orderly end."""

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from inbox import datadir
from inbox.console import Console
from inbox.embedded.servers import Server, wait_until
from inbox.errors import ConfigurationError
from inbox.processes import Process, Report, death

CONFIGURATION_STATUS = 2  # exit status of a process that cannot start as configured; it has said why

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 30.0  # seconds between a death and the next start, doubling
_STEADY_SECONDS = 60.0  # having lived so long, a process starts again without delay
_STOP_SECONDS = 60.0
_HURRIED_SECONDS = 3.0  # what a hurried stop leaves to the database: its fast shutdown rarely takes longer
_HEALTH_SECONDS = 5.0


class Program(NamedTuple):
    """One of our own processes. `health` is a path on our port that answers 200 once it is ready."""

    name: str
    argv: Sequence[str]
    health: str | None = None
    stop_seconds: float = 15.0


class Unit(Protocol):
    """What can be kept alive."""

    name: str
    stop_signals: tuple[signal.Signals, ...]
    stop_seconds: float
    hurried: float

    async def spawn(self) -> Process: ...

    async def ready(self, process: Process) -> None: ...

    def obstacle(self) -> str | None:
        """Why a start would be in vain now, for the operator."""
        ...


class ServerUnit:
    """An embedded server. It is not started again while its disk is full (reliability: D9)."""

    def __init__(self, server: Server, data: Path) -> None:
        self.name = server.name
        self.stop_signals = server.stop_signals
        self.stop_seconds, self.hurried = _STOP_SECONDS, _HURRIED_SECONDS
        self.spawn, self.ready = server.spawn, server.ready
        self._data = data

    def obstacle(self) -> str | None:
        free = datadir.free_bytes(self._data)
        if free >= datadir.LEAST_FREE:
            return None
        return f"waits for room: only {free // 2**20} MiB are free on the disk of {self._data}"


class ProgramUnit:
    """One of our own processes."""

    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)
    hurried = 0.0

    def __init__(
        self, program: Program, environment: Mapping[str, str], address: tuple[str, int], console: Console
    ) -> None:
        self.name = program.name
        self.stop_seconds = program.stop_seconds
        self._program = program
        self._environment = environment
        self._address = address
        self._console = console

    async def spawn(self) -> Process:
        return await Process.spawn(
            self._program.argv,
            folder=Path.cwd(),
            environment=self._environment,
            on_line=lambda line: self._console.pass_on(self.name, line),
        )

    async def ready(self, process: Process) -> None:
        if self._program.health is not None:
            await wait_until(self._healthy, process, self.name, Path.cwd(), self._console.report)

    def obstacle(self) -> str | None:
        return None

    async def _healthy(self) -> bool:
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                reader, writer = await asyncio.open_connection(*self._address)
                try:
                    writer.write(f"GET {self._program.health} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False


class Keeper:
    """Keeps one unit alive: back-off between starts, one line for each death."""

    def __init__(self, unit: Unit, report: Report, hurry: asyncio.Event) -> None:
        self.unit = unit
        self.up = asyncio.Event()  # has been ready once
        self._report = report
        self._hurry = hurry
        self._process: Process | None = None
        self._stopping = False
        self._delay = _FIRST_DELAY

    async def run(self) -> None:
        """Until `stop`. Raises ConfigurationError when the first start fails for a reason of that kind."""
        while not self._stopping:
            started = time.monotonic()
            why = await self._live()
            if self._stopping:
                return
            if time.monotonic() - started > _STEADY_SECONDS:
                self._delay = _FIRST_DELAY
            self._report(self.unit.name, "warning", f"{why}; starting again in {self._delay:.1f} s")
            await asyncio.sleep(self._delay)
            self._delay = min(self._delay * 2, _LONGEST_DELAY)
            await self._until_possible()

    async def stop(self) -> None:
        """End the process in its orderly way, harder when it does not, or when the operator hurries."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            unit = self.unit
            await self._process.end(
                unit.stop_signals, unit.stop_seconds, hurry=self._hurry, hurried=unit.hurried
            )

    async def _live(self) -> str:
        """From a start to the death that followed; its description."""
        again = self.up.is_set()
        try:
            self._process = await self.unit.spawn()
            await self.unit.ready(self._process)
            if again:
                self._report(self.unit.name, "info", f"is back (pid {self._process.pid})")
            self.up.set()
            status = await self._process.wait()
        except (ConfigurationError, OSError) as error:
            if not again and not self._stopping:
                raise ConfigurationError(str(error)) from error
            return str(error)
        if status == CONFIGURATION_STATUS and not again and not self._stopping:
            raise ConfigurationError(f"{self.unit.name} cannot start as configured, as it said above.")
        return death(status)

    async def _until_possible(self) -> None:
        told = 0.0
        while (obstacle := self.unit.obstacle()) is not None:
            if time.monotonic() > told:
                self._report(self.unit.name, "error", obstacle)
                told = time.monotonic() + 60.0
            await asyncio.sleep(1.0)
