"""The all-in-one mode: PostgreSQL, Redis and our own processes, started together, kept alive, stopped in order.

This process only watches. It imports neither the web framework nor the database driver, so that its children
start at once.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from inbox import datadir
from inbox.console import Console
from inbox.embedded.places import urls
from inbox.embedded.postgres import Postgres
from inbox.embedded.redis import Redis
from inbox.embedded.servers import Server
from inbox.errors import ConfigurationError
from inbox.keeper import CONFIGURATION_STATUS, Keeper, Program, ProgramUnit, ServerUnit, Unit
from inbox.ports import refuse_busy_port
from inbox.settings import Settings, as_environment, with_secret_key


class Supervisor:
    """Runs an installation on one machine.

    `programs` are stopped from last to first, then Redis, then PostgreSQL. `preparation` runs to its end once
    the servers answer, while the programs are already starting (they wait for what they need). `on_ready` is
    called once, when every program with a health path has answered.
    """

    def __init__(
        self,
        settings: Settings,
        programs: Sequence[Program],
        *,
        preparation: Program | None = None,
        on_ready: Callable[[Settings], Awaitable[None]] | None = None,
    ) -> None:
        self._settings = settings
        self._programs = programs
        self._preparation = preparation
        self._on_ready = on_ready
        self._console = Console(settings.log_level, settings.log_format)
        self._interrupted, self._hurry = asyncio.Event(), asyncio.Event()
        self._started = time.monotonic()

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; a second one hurries. The exit status: 0 after an orderly stop.

        Raises ConfigurationError, in one sentence, for what keeps the installation from starting: the data
        folder, the port, a server or program that refuses its configuration.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._interrupt)
        try:
            with datadir.hold(self._settings.data_dir, self._settings.port) as data:
                refuse_busy_port(self._settings.host, self._settings.port)
                await self._supervise(data)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return 0

    async def _supervise(self, data: Path) -> None:
        settings = _completed(self._settings, data)
        servers = [self._keeper(ServerUnit(server, data)) for server in self._servers(data)]
        programs = [self._keeper(self._unit(program, settings)) for program in self._programs]
        tasks = [asyncio.create_task(keeper.run()) for keeper in (*servers, *programs)]
        tasks.append(asyncio.create_task(self._announce(servers, programs, settings)))
        interrupted = asyncio.create_task(self._interrupted.wait())
        try:
            await _first_failure_or(interrupted, tasks)
        finally:
            await self._stop([*servers, *programs])
            for task in (*tasks, interrupted):
                task.cancel()
            await asyncio.gather(*tasks, interrupted, return_exceptions=True)  # failures were raised above

    async def _announce(
        self, servers: Sequence[Keeper], programs: Sequence[Keeper], settings: Settings
    ) -> None:
        for keeper in servers:
            await keeper.up.wait()
        if self._preparation is not None:
            await self._prepare(self._preparation, settings)
        for keeper in programs:
            await keeper.up.wait()
        passed = time.monotonic() - self._started
        self._console.report("inbox", "info", f"ready at {settings.origin} after {passed:.2f} s")
        if self._on_ready is not None:
            await self._on_ready(settings)

    async def _prepare(self, program: Program, settings: Settings) -> None:
        process = await self._unit(program, settings).spawn()
        if await process.wait() != 0:
            raise ConfigurationError(f"{program.name} failed, as it said above; nothing was started.")

    async def _stop(self, keepers: Sequence[Keeper]) -> None:
        for keeper in reversed(keepers):
            self._console.report(keeper.unit.name, "debug", "stopping")
            await keeper.stop()

    def _servers(self, data: Path) -> list[Server]:
        servers: list[Server] = []
        if self._settings.embedded_postgres:
            servers.append(Postgres(data, self._console.report))
        if self._settings.embedded_redis:
            servers.append(Redis(data, self._console.report))
        return servers

    def _unit(self, program: Program, settings: Settings) -> ProgramUnit:
        # Passed on, not read: children need PATH, HOME, proxies and certificates as we do.
        environment = dict(os.environ) | as_environment(settings)
        return ProgramUnit(program, environment, _local(settings), self._console)

    def _keeper(self, unit: Unit) -> Keeper:
        return Keeper(unit, self._console.report, self._hurry)

    def _interrupt(self) -> None:
        if self._interrupted.is_set():
            self._hurry.set()
        self._interrupted.set()


def serve(supervisor: Supervisor) -> int:
    """Run it to the end; the exit status for the shell. What cannot start is told in one line on stderr."""
    try:
        return asyncio.run(supervisor.run())
    except ConfigurationError as error:
        sys.stderr.write(f"inbox: {error}\n")
        return CONFIGURATION_STATUS


def _completed(settings: Settings, data: Path) -> Settings:
    found = urls(data)
    changes: dict[str, object] = {"data_dir": data}
    if settings.embedded_postgres:
        changes |= {"database_url": found.app, "database_owner_url": found.owner}
    if settings.embedded_redis:
        changes["redis_url"] = found.redis
    return with_secret_key(msgspec.structs.replace(settings, **changes))


async def _first_failure_or(interrupted: asyncio.Task[bool], tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for an interruption; raises what a task raises before it."""
    waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {interrupted, *tasks}
    while interrupted in waiting:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        waiting -= done
        for task in done:
            task.result()


def _local(settings: Settings) -> tuple[str, int]:
    """Where this machine reaches what listens on HOST."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    return everywhere.get(settings.host, settings.host), settings.port
