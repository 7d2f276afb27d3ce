"""Who gets in: sign-in, sessions, their end, and the first run of an empty installation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from installation import Installation, free_port, serving, until
from world import PASSWORD, Agent, World, gather

from inbox import app, db

Json = dict[str, Any]


async def test_a_session_is_an_http_only_cookie_with_a_token_for_changes(world: World) -> None:
    agent = Agent(world, "Olga", world.olga.email)
    answer = await agent.sign_in()
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert (await agent.get("/api/v1/me"))["user"]["email"] == world.olga.email
    hashes = await world.rows("select token_hash from sessions where account_id = $1")
    token = agent.http.cookies["meridian"]
    assert token.encode() not in b"".join(row["token_hash"] for row in hashes)
    await agent.http.aclose()


async def test_passwords_are_kept_as_argon2id(world: World) -> None:
    rows = await world.rows("select password_hash from users where account_id = $1")
    assert all(row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$") for row in rows)


async def test_an_unknown_address_and_a_wrong_password_look_the_same(world: World) -> None:
    wrong = await Agent(world, "x", world.olga.email).sign_in("not her password")
    unknown = await Agent(world, "x", "nobody@example.com").sign_in("not her password")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize("password", ["", "x" * 5000, "\x00", "🌊" * 300])
async def test_an_odd_password_is_only_a_wrong_one(world: World, password: str) -> None:
    assert (await Agent(world, "x", world.olga.email).sign_in(password)).status_code == 401


async def test_guessing_is_slowed_down_for_the_person_and_not_for_others(world: World) -> None:
    limit = world.installation.settings.login_attempts
    guesser = Agent(world, "x", world.diego.email)
    answers = [await guesser.sign_in(f"guess {n}") for n in range(limit + 2)]
    assert [answer.status_code for answer in answers] == [401] * limit + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await Agent(world, "x", world.diego.email.upper()).sign_in(PASSWORD)).status_code == 429
    assert (await Agent(world, "x", world.olga.email).sign_in(PASSWORD)).status_code == 200


async def test_a_forged_or_ended_session_is_nobody(world: World) -> None:
    for cookie in ("", "nonsense", "a" * 5000):
        answer = await world.installation.http.get(
            f"{world.installation.url}/api/v1/me", headers={"cookie": f"meridian={cookie}"}
        )
        assert answer.status_code == 401
    await world.owner.execute(
        "update sessions set expires_at = now() where account_id = $1", world.account_id
    )

    async def ended() -> bool:
        return (await world.olga.api("GET", "/api/v1/me")).status_code == 401

    await until(ended)


async def test_signing_out_ends_the_session_and_closes_its_screens_only(world: World) -> None:
    elsewhere = Agent(world, "Olga", world.olga.email)
    await elsewhere.sign_in()
    await elsewhere.look_at_the_inbox()
    answer = await elsewhere.api("POST", "/api/v1/auth/logout")
    assert answer.status_code == 204
    assert "cache" in answer.headers["clear-site-data"]
    await elsewhere.screen.until(lambda: elsewhere.screen.closed_with == 4401, what="the end of the session")
    assert (await elsewhere.api("GET", "/api/v1/me")).status_code == 401
    assert world.olga.screen.closed_with is None
    await world.olga.get("/api/v1/me")
    await elsewhere.http.aclose()


async def test_deactivating_somebody_closes_their_screens_and_ends_their_sessions(world: World) -> None:
    await world.olga.does("PATCH", f"/api/v1/agents/{world.diego.id}", {"active": False})
    await world.diego.screen.until(lambda: world.diego.screen.closed_with, what="the end")
    assert world.diego.screen.closed_with == 4401
    assert (await world.diego.api("GET", "/api/v1/boot")).status_code == 401
    assert (await world.diego.sign_in()).status_code == 401
    screen = world.diego.new_screen()
    await screen.open()
    assert screen.closed_with == 4401


async def test_a_new_password_ends_every_other_session_and_its_screens(world: World) -> None:
    elsewhere = Agent(world, "Diego", world.diego.email)
    await elsewhere.sign_in()
    await elsewhere.look_at_the_inbox()
    refused = await world.diego.api(
        "PATCH", "/api/v1/me", {"password": "another long secret", "current_password": "no"}
    )
    assert refused.status_code == 403
    await world.diego.does(
        "PATCH", "/api/v1/me", {"password": "another long secret", "current_password": PASSWORD}
    )

    async def ended() -> bool:
        return (await elsewhere.api("GET", "/api/v1/me")).status_code == 401

    await until(ended)
    await elsewhere.screen.until(
        lambda: elsewhere.screen.closed_with, what="the end of the other session's screen"
    )
    await world.diego.get("/api/v1/me")
    assert world.diego.screen.closed_with is None
    await elsewhere.http.aclose()


async def test_a_password_that_an_admin_sets_signs_that_person_out_everywhere(world: World) -> None:
    path = f"/api/v1/agents/{world.diego.id}"
    await world.olga.does("PATCH", path, {"password": "another long secret"})
    await world.diego.screen.until(lambda: world.diego.screen.closed_with, what="the end")
    assert (await world.diego.api("GET", "/api/v1/me")).status_code == 401
    assert (await world.diego.sign_in("another long secret")).status_code == 200


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "olga petrova"])
async def test_passwords_that_are_too_easy_are_refused(world: World, password: str) -> None:
    body = {"name": "Olga Petrova", "email": "new@example.com", "password": password}
    answer = await world.olga.api("POST", "/api/v1/agents", body)
    assert (answer.status_code, answer.json()["field"]) == (422, "password")


async def test_only_admins_manage_people_and_channels(world: World) -> None:
    agent = {"name": "Eve", "email": "eve@example.com", "password": PASSWORD}
    refused = [
        await world.diego.api("POST", "/api/v1/agents", agent),
        await world.diego.api("PATCH", f"/api/v1/agents/{world.olga.id}", {"name": "Eve"}),
        await world.diego.api("POST", "/api/v1/channels", {"kind": "webchat", "name": "Eve's"}),
        await world.diego.api("PATCH", f"/api/v1/channels/{world.bot.id}", {"enabled": False}),
        await world.diego.api("POST", f"/api/v1/channels/{world.bot.id}/check"),
        await world.diego.api("GET", "/api/v1/raw-events"),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    await world.olga.does("PATCH", f"/api/v1/agents/{world.diego.id}", {"role": "admin"})

    async def promoted() -> bool:
        return (await world.diego.api("GET", "/api/v1/raw-events")).status_code == 200

    await until(promoted)
    above = await world.diego.api(
        "PATCH", f"/api/v1/agents/{world.olga.id}", {"password": "a new long secret"}
    )
    assert above.status_code == 403


async def test_secrets_of_channels_are_sealed_and_never_shown_again(world: World) -> None:
    shown = (await world.olga.api("GET", "/api/v1/channels")).text
    rows = await world.rows("select secrets, settings::text from channels where account_id = $1")
    kept = b"".join(row["secrets"] + row["settings"].encode() for row in rows)
    told = "".join(str(event) for event in world.olga.screen.events)
    for channel in (world.telegram, world.bot):
        for name, secret in channel.secrets.items():
            if name in ("bot_token", "webhook_secret", "inbound_secret", "outbound_secret"):
                assert secret not in shown
                assert secret.encode() not in kept
                assert secret not in told


# ---------------------------------------------------------------- the first run


@contextlib.asynccontextmanager
async def empty_installation(installation: Installation) -> AsyncIterator[tuple[str, str]]:
    """(address, token) of an installation that nobody has founded a workspace in."""
    name = f"fresh_{free_port()}"
    await installation.owner.execute(f"create database {name} owner meridian_owner")
    url, owner = (
        getattr(installation.settings, which).replace("/meridian?", f"/{name}?")
        for which in ("database_url", "database_owner_url")
    )
    await db.migrate(owner)
    port = free_port()
    settings = msgspec.structs.replace(
        installation.settings,
        database_url=url,
        database_owner_url=owner,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
    )
    async with app.build(settings) as (web, hub), serving(web, port) as address:
        yield address, settings.setup_token
        await hub.drain(spread=0)


def first_run(token: str, name: str = "Rosa") -> Json:
    return {"token": token, "workspace": "Harbour Goods", "name": name, "email": f"{name}@example.com",
            "password": PASSWORD, "time_zone": "Europe/Madrid"}  # fmt: skip


async def test_the_first_run_needs_the_token_of_the_terminal_and_founds_one_workspace(
    installation: Installation, alarms: list[str]
) -> None:
    async with (
        empty_installation(installation) as (url, token),
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        assert (await http.get("/api/v1/setup")).json() == {"needed": True}
        for wrong in ("", "nonsense", token[:-1], token + "0"):
            refused = await http.post("/api/v1/setup", json=first_run(wrong))
            assert (refused.status_code, refused.json().get("field")) == (403, "token")
        weak = await http.post("/api/v1/setup", json=first_run(token) | {"password": "short"})
        assert weak.status_code == 422
        made = await http.post("/api/v1/setup", json=first_run(token))
        assert (made.status_code, made.json()["user"]["role"]) == (201, "owner")
        assert (await http.get("/api/v1/boot")).json()["conversations"]["items"] == []
        assert (await http.get("/api/v1/setup")).json() == {"needed": False}
        again = await http.post("/api/v1/setup", json=first_run(token, "Eve"))
        assert again.status_code == 409


async def test_of_two_who_press_the_button_at_once_one_founds_the_workspace(
    installation: Installation, alarms: list[str]
) -> None:
    where = {"x-forwarded-for": "198.51.100.77"}
    async with (
        empty_installation(installation) as (url, token),
        httpx.AsyncClient(base_url=url, trust_env=False, headers=where) as http,
    ):
        answers = await gather(
            *(http.post("/api/v1/setup", json=first_run(token, f"P{n}")) for n in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4


async def test_a_newer_schema_is_refused_in_a_sentence(installation: Installation, alarms: list[str]) -> None:
    owner = installation.settings.database_owner_url
    name = f"newer_{free_port()}"
    await installation.owner.execute(f"create database {name} owner meridian_owner")
    owner = owner.replace("/meridian?", f"/{name}?")
    applied = await db.migrate(owner)
    assert applied == sorted(db.migrations_of_this_version())
    assert await db.migrate(owner) == []
    connection = await asyncpg.connect(owner)
    await connection.execute(
        "insert into _pogo_migration select 'x', '9999_later', now(), schema_name from _pogo_migration limit 1"
    )
    await connection.close()
    with pytest.raises(db.ConfigurationError, match="newer version"):
        await asyncio.wait_for(db.migrate(owner), 10)
