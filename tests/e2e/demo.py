"""`inbox demo` as a user starts it: its own processes, its own data folder."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0  # seconds until the workspace is filled


@dataclass(frozen=True)
class Demo:
    url: str
    phone_url: str


@contextlib.asynccontextmanager
async def demo(folder: Path, port: int) -> AsyncIterator[Demo]:
    """The demo on `port` and the sandbox on the next one, from a filled workspace until it has stopped cleanly.

    Raises AssertionError, with what it printed last, when it does not get that far or does not stop by itself.
    """
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "LOG_LEVEL": "warning"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inbox", "demo", env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    printed: list[str] = []
    try:
        async with asyncio.timeout(_PATIENCE):
            while not any("Sign in as" in line for line in printed):
                line = await process.stdout.readline()
                assert line, "the demo ended: " + "".join(printed[-20:])
                printed.append(line.decode())
        rest = asyncio.create_task(process.stdout.read())
        yield Demo(f"http://localhost:{port}", f"http://localhost:{port + 1}/phone")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
    async with asyncio.timeout(_PATIENCE):
        output = (await rest).decode()
        assert await process.wait() == 0, output[-2000:]
