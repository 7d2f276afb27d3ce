"""Where a bench runs: a throw-away installation of real servers and real processes in a temporary folder."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from inbox import datadir, db
from inbox.bench.load import Outcome, Plan
from inbox.embedded.places import Urls
from inbox.embedded.stack import running
from inbox.errors import ConfigurationError
from inbox.processes import Process
from inbox.settings import Settings, as_environment, with_secret_key

_PATIENCE = 30.0  # seconds for a process to answer
_STOP = (signal.SIGTERM, signal.SIGKILL)
_OWNER = {"name": "Olga Petrova", "email": "olga@example.com"}
_PASSWORD = "measured, not trusted"  # noqa: S105 - of a workspace that lives for seconds


class Channel(Struct, frozen=True):
    """A connected bot channel."""

    id: str
    secret: str


class Place(Struct, frozen=True, kw_only=True):
    """A migrated installation; its processes are the bench's to start."""

    folder: Path
    settings: Settings
    urls: Urls

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @contextlib.asynccontextmanager
    async def process(self, *arguments: str, cores: Sequence[int] = ()) -> AsyncIterator[Process]:
        """A Python process with the installation's settings, for the length of the block."""
        child = await Process.spawn(
            [sys.executable, *arguments],
            folder=self.folder,
            environment=dict(os.environ) | as_environment(self.settings),
            on_line=lambda _: None,
        )
        pin(child.pid, cores)
        try:
            yield child
        finally:
            await child.end(_STOP, 20.0)

    @contextlib.asynccontextmanager
    async def web(self, cores: Sequence[int] = ()) -> AsyncIterator[Process]:
        """The product's web process, once it is ready."""
        async with self.process("-m", "inbox", "web", cores=cores) as child:
            await answering(self.settings.port, child)
            yield child

    @contextlib.asynccontextmanager
    async def route(self, store: str, cores: Sequence[int] = ()) -> AsyncIterator[Process]:
        """The webhook route alone with another store (inbox.bench.stores), once it answers."""
        async with self.process("-m", "inbox.bench.stores", store, cores=cores) as child:
            await answering(self.settings.port, child, "/health/live")
            yield child

    async def load(self, plan: Plan, cores: Sequence[int] = ()) -> Outcome:
        """Run a plan in the generator's own process."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inbox.bench.load",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
        )  # fmt: skip
        pin(child.pid, cores)
        answer, _ = await child.communicate(msgspec.msgpack.encode(plan))
        return msgspec.json.decode(answer, type=Outcome)

    async def found(self) -> tuple[httpx.AsyncClient, Channel]:
        """Found the workspace and connect a bot channel, by the API: (signed-in client, channel)."""
        client = httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False)
        token = self.settings.setup_token
        answer = await client.post(
            "/api/v1/setup", json={"token": token, "workspace": "Bench", "password": _PASSWORD, **_OWNER}
        )
        client.headers["x-csrf-token"] = answer.raise_for_status().json()["csrf_token"]
        answer = await client.post("/api/v1/channels", json={"kind": "bot", "name": "Bench", "settings": {
            "callback_url": f"{self.url}/health/live"}})  # fmt: skip
        made = answer.raise_for_status().json()
        return client, Channel(made["channel"]["id"], made["secrets"]["inbound_secret"])


@contextlib.asynccontextmanager
async def place(**settings: object) -> AsyncIterator[Place]:
    """Embedded PostgreSQL and Redis in a temporary folder, migrated, for the length of the block."""
    with passing_folder() as folder, datadir.hold(folder / "data", None) as data:
        async with running(data, lambda *_: None) as urls:
            with contextlib.redirect_stdout(sys.stderr):  # the migrator prints what it does
                await db.migrate(urls.owner)
            yield Place(folder=folder, settings=_settings(data, urls, settings), urls=urls)


@contextlib.contextmanager
def passing_folder() -> Iterator[Path]:
    """A temporary folder through which PostgreSQL, which runs as a user of its own, can pass."""
    with tempfile.TemporaryDirectory(prefix="bench", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def _settings(data: Path, urls: Urls, more: dict[str, object]) -> Settings:
    port = free_port()
    values: dict[str, object] = {
        "data_dir": data,
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "database_url": urls.app,
        "database_owner_url": urls.owner,
        "redis_url": urls.redis,
        "allow_private_addresses": "127.0.0.0/8",
        "log_level": "warning",
        **more,
    }
    return with_secret_key(msgspec.convert(values, Settings, strict=False))


def free_port() -> int:
    """A loopback port below the range from which the system takes its own (32768 and up)."""
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311 - a place to listen, not a secret
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


async def answering(port: int, child: Process, path: str = "/health/ready") -> None:
    """Wait until it is ready. Raises ConfigurationError, with its last words, when it is not."""
    deadline = time.monotonic() + _PATIENCE
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://127.0.0.1:{port}{path}")).status_code == 200:
                    return
            if child.returncode is not None or time.monotonic() > deadline:
                raise ConfigurationError(
                    f"The measured process does not answer: {' '.join(child.tail)[-500:]}"
                )
            await asyncio.sleep(0.01)


def pin(pid: int, cores: Sequence[int]) -> None:
    """Keep a process on these cores, where the system can and there are so many."""
    usable = set(cores) & os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    if usable:
        os.sched_setaffinity(pid, usable)
