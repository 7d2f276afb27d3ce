"""An installation of real processes whose every part a test can kill, stop, empty and start again."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from installation import data_folder, free_port, serving, settings_for, until
from redis.asyncio import Redis as Client

from channels.sandbox.app import create_app
from inbox import db
from inbox.db import Database
from inbox.embedded.places import urls
from inbox.embedded.postgres import Postgres
from inbox.embedded.redis import Redis
from inbox.processes import Process
from inbox.settings import Settings, as_environment

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("FAULTS") == "long"
SEND_LEASE = 4  # seconds; a call to the sandbox may take 1.5


class Ground:
    """What world.World needs of an installation's ground."""

    def __init__(self, database: Database) -> None:
        self.database = database


class Rig:
    """Fits where world.World wants an Installation. `web` and `worker` are the processes of now."""

    def __init__(self, data: Path, settings: Settings, sandbox_url: str) -> None:
        self.data, self.settings, self.sandbox_url = data, settings, sandbox_url
        self.url = f"http://127.0.0.1:{settings.port}"
        self.http = httpx.AsyncClient(timeout=20, trust_env=False)
        self.postgres = Postgres(data, lambda *_: None)
        self.redis_server = Redis(data, lambda *_: None)
        self.redis: Client = Client.from_url(urls(data).redis)
        self.lines: list[str] = []
        self._running: dict[str, Process] = {}
        self.owner: Any = None
        self.ground: Any = None

    # ------------------------------------------------------------ parts

    async def start_postgres(self) -> None:
        self._running["postgres"] = process = await self.postgres.spawn()
        await self.postgres.ready(process)

    async def start_redis(self) -> None:
        self._running["redis"] = process = await self.redis_server.spawn()
        await self.redis_server.ready(process)

    async def start(self, name: str, failpoints: str = "", **changes: Any) -> Process:
        """Start `web` or `worker`, web until it is ready. `failpoints` as in inbox.failpoints."""
        environment = {**os.environ, **as_environment(self.settings), "FAILPOINTS": failpoints, **changes}
        kind = name.partition("-")[0]
        process = await Process.spawn(
            [sys.executable, "-m", "inbox", kind], folder=ROOT, environment=environment,
            on_line=lambda line: self.lines.append(f"{name} | {line}"),
        )  # fmt: skip
        self._running[name] = process
        if kind == "web":
            await until(lambda: self._answers(process), 60, "the web process's first answer")
        return process

    async def _answers(self, process: Process) -> bool:
        assert process.returncode is None, "\n".join(process.tail)
        with contextlib.suppress(httpx.HTTPError):
            return (await self.http.get(f"{self.url}/health/ready")).status_code == 200
        return False

    async def stop(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is not None:
            process.send(signal.SIGCONT)
            await process.end((signal.SIGTERM, signal.SIGKILL), 20)

    async def kill(self, name: str) -> None:
        """SIGKILL, and what it left behind is gone."""
        process = self._running.pop(name)
        process.send(signal.SIGKILL)
        await process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send(number)

    async def dies(self, name: str, seconds: float = 30) -> None:
        """Wait until a failpoint has killed the process."""
        process = self._running[name]
        await until(lambda: process.returncode is not None, seconds, f"the end of {name}")
        assert process.returncode == -signal.SIGKILL, "\n".join(process.tail)
        del self._running[name]

    async def whole(self) -> None:
        """Everything runs, as a supervisor would see to it."""
        for name, starter in (("postgres", self.start_postgres), ("redis", self.start_redis)):
            if not self._alive(name):
                await starter()
        for name in ("worker", "web"):
            if not self._alive(name):
                await self.start(name)

    def _alive(self, name: str) -> bool:
        return name in self._running and self._running[name].returncode is None

    # ------------------------------------------------------------ for the cast

    async def control(self, method: str, path: str, **body: Any) -> Any:
        """A request to the sandbox's control API."""
        answer = await self.http.request(method, f"{self.sandbox_url}/control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def weather(self, mode: str, count: int = 1, *, side: str = "send", **more: Any) -> None:
        await self.control("POST", "/weather", side=side, mode=mode, count=count, **more)

    async def close(self) -> None:
        for name in [*(n for n in self._running if n not in ("postgres", "redis")), "redis", "postgres"]:
            await self.stop(name)
        await self.redis.aclose()
        await self.http.aclose()


@contextlib.asynccontextmanager
async def rigged() -> AsyncIterator[Rig]:
    """A rig with everything running and no account."""
    async with data_folder() as data, contextlib.AsyncExitStack() as stack:
        sandbox = create_app(data / "sandbox", first_retry=0.05)
        sandbox_url = await stack.enter_async_context(serving(sandbox, free_port(), lifespan="on"))
        settings = settings_for(data, urls(data), free_port(), send_lease=SEND_LEASE, log_level="info")
        rig = Rig(data, settings, sandbox_url)
        stack.push_async_callback(rig.close)
        await rig.start_postgres()
        await rig.start_redis()
        await db.migrate(urls(data).owner)
        rig.owner = await stack.enter_async_context(
            asyncpg.create_pool(urls(data).owner, min_size=0, max_size=3, command_timeout=30)
        )
        database = await db.connect(urls(data).app, size=2)
        stack.push_async_callback(database.close)
        rig.ground = Ground(database)
        await rig.whole()
        yield rig


class Provider:
    """Somebody who sends webhooks until each was acknowledged, as every real provider does.

    Deterministic for its seed. `acked` is what we were told is kept; nothing of it may be lost.
    """

    def __init__(self, world: Any, seed: int, people: int = 8) -> None:
        self.world, self.seed = world, seed
        self._dice = random.Random(seed)
        self._people = people
        self.sent: list[str] = []
        self.acked: set[str] = set()
        self.refusals: list[int] = []
        self.unanswered = 0

    async def sends(self, count: int, *, at_once: int = 4, pace: float = 0.0) -> None:
        """`count` messages, some of them twice. Returns when all are acknowledged."""
        gate = asyncio.Semaphore(at_once)

        async def one(text: str, who: str, copies: int) -> None:
            async with gate:
                for _ in range(copies):
                    await self._until_acked(text, who)

        tasks = []
        for _ in range(count):
            text = f"s{self.seed}-{len(self.sent)}"
            self.sent.append(text)
            who, copies = f"p{self._dice.randrange(self._people)}", 2 if self._dice.random() < 0.1 else 1
            tasks.append(asyncio.create_task(one(text, who, copies)))
            await asyncio.sleep(pace)
        await asyncio.gather(*tasks)

    async def _until_acked(self, text: str, who: str) -> None:
        bot = self.world.bot
        async with asyncio.timeout(60):
            while True:
                body = _encode(bot.event(text, text, who=who))
                try:
                    answer = await bot.post(body, bot.proof(body))
                except httpx.HTTPError:
                    self.unanswered += 1
                else:
                    if answer.status_code == 200:
                        self.acked.add(text)
                        return
                    assert answer.status_code == 503, answer.text
                    assert int(answer.headers["retry-after"]) >= 1
                    self.refusals.append(answer.status_code)
                await asyncio.sleep(0.05)

    async def all_arrived(self) -> None:
        """Every acknowledged message is there once."""
        rows = await self.world.rows(
            "select body, count(*) as times from messages where account_id = $1 and kind = 'inbound' group by 1"
        )
        found = {row["body"]: row["times"] for row in rows}
        missing = self.acked - found.keys()
        doubled = {text for text, times in found.items() if times > 1}
        assert not missing, (
            f"seed {self.seed}: acknowledged and lost: {sorted(missing)[:5]} of {len(missing)}"
        )
        assert not doubled, f"seed {self.seed}: twice: {sorted(doubled)[:5]}"


def _encode(event: Any) -> bytes:
    return bytes(httpx.Request("POST", "http://x", json=event).read())
