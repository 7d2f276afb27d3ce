"""Child processes that are watched, heard, and never outlive the process that started them."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

_LINE_LIMIT = 64 * 1024  # bytes; a longer line is passed on in pieces of this size
_TAIL_LINES = 40
_HARD_SECONDS = 5.0
_DRAIN_SECONDS = 2.0  # a grandchild may keep the pipe open after its parent has died

# Linux ABI: prctl(2), unshare(2).
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Report(Protocol):
    """Where what happens is told: one line per call. `level` is debug, info, warning or error."""

    def __call__(self, component: str, level: str, event: str) -> None: ...


class Account(NamedTuple):
    """As whom a child runs. Mapped: shown `uid` inside a user namespace, while it stays root on disk."""

    uid: int
    gid: int
    mapped: bool = False

    @property
    def owner(self) -> tuple[int, int]:
        """Who must own the child's files."""
        return (0, 0) if self.mapped else (self.uid, self.gid)


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory is `folder`.

    PostgreSQL's processes all work in their data directory, so this finds orphans without trusting pid files.
    Where the system has no /proc, those whose command line names the folder.
    """
    wanted = str(folder.resolve())
    if not Path("/proc/self").exists():
        return _processes_naming(wanted)
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        # Processes end while we look, and those of other users do not show theirs.
        with contextlib.suppress(OSError):
            if str((entry / "cwd").readlink()) == wanted:
                found.append(int(entry.name))
    return found


def _processes_naming(folder: str) -> list[int]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, timeout=10, check=True
    )
    rows = (line.split(None, 1) for line in listing.stdout.splitlines())
    return [int(pid) for pid, command in rows if command.endswith(folder) or f"{folder} " in command]


def death(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _checked(result: int, call: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{call} failed")


def _become(account: Account) -> None:
    os.setgroups([])
    if not account.mapped:
        os.setgid(account.gid)
        os.setuid(account.uid)
        return
    if _libc is None:
        raise OSError("user namespaces exist on Linux only")
    _checked(_libc.unshare(_CLONE_NEWUSER), "unshare")
    # user_namespaces(7): setgroups must be denied before an unprivileged gid map is accepted.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{account.uid} 0 1"),
        ("gid_map", f"{account.gid} 0 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def entrance(account: Account | None, folder: Path, death_signal: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec: become the account, enter the folder, promise to die with us.

    The kernel forgets the promise when the user changes, so it is made last.
    """
    parent = os.getpid()

    def enter() -> None:
        if account is not None:
            _become(account)
        os.chdir(folder)
        if _libc is not None:
            _checked(_libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0), "prctl")
            if os.getppid() != parent:  # died before the promise was made
                os._exit(1)

    return enter


class Process:
    """One running child. Its output is handed on line by line, the last lines are kept in `tail`."""

    def __init__(
        self, child: asyncio.subprocess.Process, output: int, on_line: Callable[[str], None]
    ) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._child = child
        self._on_line = on_line
        self._pump = asyncio.create_task(self._listen(output))

    @classmethod
    async def spawn(
        cls,
        argv: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        stdin: int = subprocess.DEVNULL,
    ) -> "Process":
        """Start a child in a session of its own (a Ctrl-C at the terminal is ours to translate).

        Call it from the main thread: Linux sends `death_signal` when the thread that forked ends.
        Raises OSError when the program cannot be executed.
        """
        # A pipe of our own: with asyncio's, the end of a child is noticed only when all who inherited the pipe
        # have ended too, such as the backends of a PostgreSQL whose postmaster was killed.
        output, theirs = os.pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=stdin,
                stdout=theirs,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=entrance(account, folder, death_signal),
            )
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(theirs)
        return cls(child, output, on_line)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal, None while it runs."""
        return self._child.returncode

    def said(self, words: str) -> bool:
        return any(words in line for line in self.tail)

    async def feed(self, data: bytes) -> None:
        """Write to the child's standard input and close it."""
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its exit status tells why
            self._child.stdin.write(data)
            await self._child.stdin.drain()
            self._child.stdin.close()

    async def wait(self) -> int:
        """Exit status, once its output has been passed on."""
        status = await self._child.wait()
        await asyncio.wait({self._pump}, timeout=_DRAIN_SECONDS)
        self._pump.cancel()
        return status

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(number)

    async def end(
        self,
        signals: Sequence[signal.Signals],
        seconds: float,
        *,
        hurry: asyncio.Event | None = None,
        hurried: float = 0.0,
    ) -> int:
        """Send the signals one after the other until it ends; its exit status.

        The first, orderly one gets `seconds`, or `hurried` seconds from when `hurry` is set; the harder
        ones get five seconds each.
        """
        for step, number in enumerate(signals):
            self.send(number)
            if await self._ended_within(
                seconds if step == 0 else _HARD_SECONDS, hurry if step == 0 else None
            ):
                break
            if step == 0 and hurry is not None and hurry.is_set() and await self._ended_within(hurried, None):
                break
        return await self.wait()

    async def _ended_within(self, seconds: float, unless: asyncio.Event | None) -> bool:
        ended = asyncio.create_task(self._child.wait())
        waits: set[asyncio.Task[int] | asyncio.Task[bool]] = {ended}
        if unless is not None:
            waits.add(asyncio.create_task(unless.wait()))
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        return self.returncode is not None

    async def _listen(self, output: int) -> None:
        stream = asyncio.StreamReader(limit=_LINE_LIMIT)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", 0)
        )
        try:
            async for raw in _lines(stream):
                line = raw.decode(errors="replace").rstrip()
                if line:
                    self.tail.append(line)
                    self._on_line(line)
        finally:
            transport.close()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    while chunk := await stream.read(_LINE_LIMIT):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) >= _LINE_LIMIT:
            yield rest
            rest = b""
    yield rest
