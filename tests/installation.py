"""One real installation on the tests' event loop: PostgreSQL, Redis, web, worker, sandbox.

Nothing of ours is replaced. The web application is served by uvicorn with the product's own options, the
worker's `Staff` works beside it, and the sandbox plays the providers on a port of its own.
"""

import asyncio
import contextlib
import random
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import uvicorn
from redis.asyncio import Redis

from channels.sandbox.app import create_app
from inbox import app, datadir, db
from inbox.embedded.stack import running
from inbox.ground import Ground, stand_on
from inbox.settings import Settings, with_secret_key
from inbox.worker import Staff
from realtime.hub import Hub

T = TypeVar("T")

PROVIDER_SECONDS = 1.5  # how long a call to the sandbox may take, so that a time-out is quick to see


async def until(look: Callable[[], Awaitable[T] | T], seconds: float = 10.0, what: str = "") -> T:
    """What `look` gives, as soon as it is true. Raises AssertionError, naming `what`, when it never is."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert loop.time() < deadline, f"{what or 'what was waited for'} did not happen within {seconds:g} s"
        await asyncio.sleep(0.01)


def free_port() -> int:
    """A loopback port below the range from which the system takes its own (32768 and up)."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def serving(application: Any, port: int, *, lifespan: str = "off") -> AsyncIterator[str]:
    """`application` behind a real uvicorn on a loopback port; its address."""
    config = uvicorn.Config(
        application, host="127.0.0.1", port=port, loop="none", http="httptools", ws="websockets-sansio",
        ws_max_size=65536, ws_per_message_deflate=False, lifespan=lifespan, log_config=None,  # type: ignore[arg-type]
        access_log=False, server_header=False, proxy_headers=True, forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as signals:
        server.capture_signals = lambda: signals  # type: ignore[method-assign]  # pytest keeps its own
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started or task.done(), 10, "the server's start")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await task


@dataclass
class Installation:
    """`owner` is a connection that no wall stops, for oracles and for what only a clock could do."""

    settings: Settings
    url: str
    sandbox_url: str
    ground: Ground
    web: Any
    hub: Hub
    owner: "asyncpg.Pool[asyncpg.Record]"
    http: httpx.AsyncClient
    staff: Staff

    @property
    def redis(self) -> Redis:
        return self.ground.redis

    async def control(self, method: str, path: str, **body: Any) -> Any:
        """A request to the sandbox's control API."""
        answer = await self.http.request(method, f"{self.sandbox_url}/control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def weather(self, mode: str, count: int = 1, *, side: str = "send", **more: Any) -> None:
        """What happens to the next calls (`side` send) or to the next webhooks (`side` webhook)."""
        await self.control("POST", "/weather", side=side, mode=mode, count=count, **more)


@contextlib.asynccontextmanager
async def data_folder() -> AsyncIterator[Path]:
    """A held data folder that PostgreSQL's own user may enter, with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="mer", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with datadir.hold(Path(folder) / "d", None) as data:
            yield data


def settings_for(data: Path, urls: Any, port: int, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "data_dir": data,
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "database_url": urls.app,
        "database_owner_url": urls.owner,
        "redis_url": urls.redis,
        "allow_private_addresses": "127.0.0.0/8",
        "http_timeout": PROVIDER_SECONDS,
        **more,
    }
    return with_secret_key(Settings(**values))


@contextlib.asynccontextmanager
async def installed(**more: Any) -> AsyncIterator[Installation]:
    """A running installation without any account."""
    async with contextlib.AsyncExitStack() as stack:
        data = await stack.enter_async_context(data_folder())
        urls = await stack.enter_async_context(running(data, lambda *_: None))
        await db.migrate(urls.owner)
        settings = settings_for(data, urls, free_port(), **more)
        sandbox = create_app(data / "sandbox", first_retry=0.05)
        sandbox_url = await stack.enter_async_context(serving(sandbox, free_port(), lifespan="on"))
        owner = await stack.enter_async_context(
            asyncpg.create_pool(urls.owner, min_size=1, max_size=3, command_timeout=30)
        )
        ground = await stack.enter_async_context(stand_on(settings))
        staff, stop = Staff(ground), asyncio.Event()
        working = asyncio.create_task(staff.work(stop))
        stack.push_async_callback(_end, stop, working)
        web, hub = await stack.enter_async_context(app.build(settings))
        stack.push_async_callback(hub.drain, spread=0)
        url = await stack.enter_async_context(serving(web, settings.port))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=20, trust_env=False))
        yield Installation(settings, url, sandbox_url, ground, web, hub, owner, http, staff)


async def _end(stop: asyncio.Event, working: "asyncio.Task[None]") -> None:
    stop.set()
    await working
