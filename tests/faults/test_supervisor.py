import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from inbox.embedded.places import urls
from inbox.processes import processes_in

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def free_port() -> int:
    # Below the ephemeral range, where an outgoing connection could take it in the meantime.
    for port in range(20000 + os.getpid() % 5000, 30000):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Installation:
    """A supervisor in a process of its own, with its output in a file."""

    def __init__(self, folder: Path, port: int, kind: str = "polite", prefix: tuple[str, ...] = ()) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        self._from = self._log.stat().st_size if self._log.exists() else 0
        environment = {
            **os.environ,
            "DATA_DIR": str(self.data),
            "PORT": str(port),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "LOG_LEVEL": "debug",
        }
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
            environment.pop(name, None)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, str(ROOT / "tests/faults/small_installation.py"), kind],
                stdout=log, stderr=log, env=environment, cwd=folder,
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self._log.read_bytes()[self._from :].decode(errors="replace")

    def says(self, words: str, times: int = 1) -> "Installation":
        until(lambda: self.output.count(words) >= times or self.process.poll() is not None, words)
        assert self.output.count(words) >= times, self.output
        return self

    def ready(self) -> "Installation":
        return self.says("ready at")

    def pid(self, name: str) -> int:
        if name == "redis":
            (found,) = processes_in(Path(urls(self.data).redis[7:].partition("?")[0]).parent)
            return found
        if name == "postgres":
            return int((self.data / "postgres/postmaster.pid").read_text().split()[0])
        return int(re.findall(rf"^{name} +\| here as (\d+)", self.output, re.MULTILINE)[-1])

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Installation]]:
    installations: list[Installation] = []
    yield installations
    for installation in installations:
        installation.end()


def test_everything_starts_and_stops_in_the_written_order(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    here = Installation(tmp_path, port)
    started.append(here)
    here.ready()
    assert here.end() == 0
    order = [
        re.search(pattern, here.output, re.MULTILINE)
        for pattern in (
            r"^migrate +\| migrated",
            r"^inbox +\| ready at",
            r"^web +\| goes in peace",
            r"^worker +\| goes in peace",
            r"^redis +\| .*bye bye",
            r"^postgres +\| .*database system is shut down",
        )
    ]
    positions = [found.start() for found in order if found is not None]
    assert len(positions) == len(order)
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", ["postgres", "redis", "worker", "web"])
def test_what_is_killed_comes_back(tmp_path: Path, port: int, started: list[Installation], name: str) -> None:
    here = Installation(tmp_path, port)
    started.append(here)
    here.ready()
    os.kill(here.pid(name), signal.SIGKILL)
    here.says(f"{name:<9}| was killed by SIGKILL; starting again in 0.1 s")
    here.says(f"{name:<9}| is back")
    assert here.end() == 0


async def rows(data: Path, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(urls(data).owner, timeout=5)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_a_killed_supervisor_takes_everything_with_it_and_loses_nothing(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    first = Installation(tmp_path, port).ready()
    started.append(first)
    await rows(first.data, "create table kept as select generate_series(1, 1000) as n")
    children = [first.pid(name) for name in ("postgres", "redis", "worker", "web")]
    first.process.kill()
    first.process.wait(PATIENCE)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "an orphan lives on")
    second = Installation(tmp_path, port).ready()
    started.append(second)
    assert (await rows(second.data, "select count(*) from kept"))[0][0] == 1000


def test_a_second_start_says_who_holds_the_folder(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    first = Installation(tmp_path, port).ready()
    started.append(first)
    second = Installation(tmp_path, port + 1)
    started.append(second)
    assert second.process.wait(PATIENCE) == 2
    assert f"is held by process {first.process.pid} on port {port} since " in second.output
    assert "Traceback" not in second.output


def test_a_busy_port_is_told_with_its_holder(tmp_path: Path, port: int, started: list[Installation]) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        here = Installation(tmp_path, port)
        started.append(here)
        assert here.process.wait(PATIENCE) == 2
    assert f"Port {port} is in use by " in here.output
    assert f"(pid {os.getpid()})" in here.output
    assert len(here.output.splitlines()) == 1


def test_a_folder_of_a_newer_version_is_left_alone(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/version.json").write_text(json.dumps({"format": 99, "version": "9.9.0"}))
    here = Installation(tmp_path, port)
    started.append(here)
    assert here.process.wait(PATIENCE) == 2
    assert "was written by Meridian 9.9.0 (format 99)" in here.output
    assert not (tmp_path / "data/postgres").exists()


def test_a_program_that_refuses_its_configuration_is_not_tried_again(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    here = Installation(tmp_path, port, "refusing")
    started.append(here)
    assert here.process.wait(PATIENCE) == 2
    assert here.output.count("REDIS_URL is wrong.") == 1
    assert "inbox: worker cannot start as configured" in here.output


def test_a_second_interrupt_does_not_wait_for_what_will_not_stop(
    tmp_path: Path, port: int, started: list[Installation]
) -> None:
    here = Installation(tmp_path, port, "stubborn").ready()
    started.append(here)
    here.process.send_signal(signal.SIGINT)
    here.says("worker   | stopping")
    here.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert here.process.wait(PATIENCE) == 0
    assert time.monotonic() - began < 10  # its patience with the worker alone would be 15 s


def can_mount() -> bool:
    trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return os.geteuid() == 0 and subprocess.run(trial, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if not can_mount():
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", str(disk)], check=True)
    yield disk
    until(
        lambda: subprocess.run(["umount", str(disk)], capture_output=True).returncode == 0,
        "the disk is in use",
    )


def test_a_full_disk_at_the_start_is_one_sentence(
    small_disk: Path, port: int, started: list[Installation]
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 150 * 2**20)
    here = Installation(small_disk, port)
    started.append(here)
    assert here.process.wait(PATIENCE) == 2
    assert re.fullmatch(
        r"inbox: The disk of .* is full: \d+ MiB are free and 64 MiB are needed;.*\n", here.output
    )


async def write_until_panic(data: Path) -> None:
    """Write-ahead log and nothing else, until there is no room for it."""
    connection = await asyncpg.connect(urls(data).owner, timeout=5)
    try:
        while True:
            await connection.execute("select pg_logical_emit_message(false, 'x', repeat('x', 1000000))")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return
    finally:
        connection.terminate()


def take_all_room(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 2**20)
        except OSError:
            return


async def test_postgres_comes_back_from_a_full_disk_when_there_is_room(
    small_disk: Path, port: int, started: list[Installation]
) -> None:
    here = Installation(small_disk, port).ready()
    started.append(here)
    await rows(here.data, "create table kept as select 1 as n")
    take_all_room(small_disk / "ballast")
    await write_until_panic(here.data)
    await asyncio.to_thread(here.says, "PANIC")
    await asyncio.to_thread(here.says, "postgres | waits for room: only 0 MiB are free")
    (small_disk / "ballast").unlink()
    await asyncio.to_thread(here.says, "postgres | is back")
    assert [row[0] for row in await rows(here.data, "select n from kept")] == [1]
    assert here.end() == 0
