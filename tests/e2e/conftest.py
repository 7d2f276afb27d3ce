"""Real Chromium before the built front end; every page of a story is watched."""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, seat
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from watch import Watch
from world import Agent, World

ROOT = Path(__file__).parents[2]
# The pages are served on loopback; nothing else has an address for this browser.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--no-first-run", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip
WIDE = {"width": 1440, "height": 900}

OpenContext = Callable[..., Awaitable[BrowserContext]]


def _newest(*places: str) -> float:
    files = (file for place in places for file in (ROOT / "frontend" / place).rglob("*") if file.is_file())
    return max(file.stat().st_mtime for file in files)


@pytest.fixture(scope="session", autouse=True)
def built_front_end() -> None:
    """Build the pages when they are missing or older than their sources."""
    built = [ROOT / "inbox/static" / name for name in ("index.html", "widget/index.html")]
    sources = _newest("src", "widget")
    if not all(page.exists() and page.stat().st_mtime >= sources for page in built):
        subprocess.run([ROOT / "scripts/npm", "run", "build"], check=True)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    found = subprocess.run([ROOT / "scripts/find-chromium"], capture_output=True, text=True, check=True)
    expect.set_options(timeout=10_000)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=found.stdout.strip(), args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    watch = Watch()
    yield watch
    assert not watch.problems, "the pages had problems:\n" + "\n".join(watch.problems)


@pytest.fixture
async def browse(chromium: Browser, watch: Watch) -> AsyncIterator[OpenContext]:
    """Makes a browser of its own (cookies, storage) for somebody; it is watched and closed in the end."""
    opened: list[BrowserContext] = []

    async def context(**more: Any) -> BrowserContext:
        given = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC", "reduced_motion": "reduce"}
        made = await chromium.new_context(**(given | more))
        made.set_default_timeout(10_000)
        watch.follow(made)
        opened.append(made)
        return made

    yield context
    for made in opened:
        await made.close()


@pytest.fixture
async def desk_of(browse: OpenContext) -> Callable[..., Awaitable[Desk]]:
    """Sits somebody down before the inbox, in a browser of their own."""

    async def sit(agent: Agent, path: str = "/inbox/all", **more: Any) -> Desk:
        desk = await seat(await browse(**more), agent)
        await desk.goes_to(path)
        return desk

    return sit


@pytest.fixture
async def olga(world: World, desk_of: Callable[..., Awaitable[Desk]]) -> Desk:
    """The owner's desk."""
    return await desk_of(world.olga)


@pytest.fixture
async def diego(world: World, desk_of: Callable[..., Awaitable[Desk]]) -> Desk:
    """The colleague's desk."""
    return await desk_of(world.diego)
