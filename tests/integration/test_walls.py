"""The walls between accounts: in the database, over HTTP, over the live feed."""

import re
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from world import World, new_key

from channels.sandbox.samples import sample_photo
from inbox.outbox import new_id

Json = dict[str, Any]
TABLES = """
    select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
           (select array_agg(p.polname || ' to ' || r.rolname) from pg_policy p
            cross join lateral unnest(p.polroles) as role join pg_roles r on r.oid = role
            where p.polrelid = c.oid) as policies,
           (select a.attname from pg_index i
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
            where i.indrelid = c.oid and i.indisprimary) as first_of_key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname !~ '^_?pogo' order by 1
"""


async def test_every_table_is_walled_and_keyed_by_account(world: World) -> None:
    tables = await world.owner.fetch(TABLES)
    assert len(tables) >= 19
    for table in tables:
        assert table["enabled"], table["name"]
        assert table["forced"], table["name"]
        assert "own_account to meridian_app" in table["policies"], table["name"]
        assert table["first_of_key"] == "account_id", table["name"]


async def test_no_view_function_or_sequence_is_a_door_around_the_walls(world: World) -> None:
    definers = await world.owner.fetch(
        """
        select p.proname, r.rolname, r.rolsuper or r.rolbypassrls as mighty from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
        where n.nspname = 'public' and p.prosecdef
        """
    )
    assert [(row["proname"], row["rolname"], row["mighty"]) for row in definers] == [
        ("accept_raw_events", "meridian_system", False)
    ]
    others = await world.owner.fetch(
        "select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = 'public' and c.relkind in ('v', 'm', 'f')"
    )
    assert others == []


async def test_neither_role_can_log_in_or_bypass_the_walls(world: World) -> None:
    roles = await world.owner.fetch(
        "select rolname, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname like 'meridian%' "
        "and rolname <> 'meridian_owner' order by 1"
    )
    assert [tuple(row.values()) for row in roles] == [
        ("meridian", True, False, False),
        ("meridian_app", False, False, False),
        ("meridian_system", False, False, False),
    ]


async def test_the_login_role_by_itself_can_touch_no_table(world: World) -> None:
    tables = [row["name"] for row in await world.owner.fetch(TABLES)]
    connection = await asyncpg.connect(world.installation.settings.database_url)
    try:
        for table in tables:
            for statement in (
                f"select 1 from {table} limit 1",
                f"delete from {table}",
                f"insert into {table} default values",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_tenant_sees_and_changes_only_what_is_its_own(world: World, neighbours: World) -> None:
    await _furnish(world)
    database = world.installation.ground.database
    tables = [row["name"] for row in await world.owner.fetch(TABLES)]
    filled = set()
    for table in tables:
        theirs = await world.owner.fetchval(
            f"select count(*) from {table} where account_id = $1", world.account_id
        )
        filled |= {table} if theirs else set()
        async with database.tenant(neighbours.account_id) as tx:
            assert (
                await tx.value(f"select count(*) from {table} where account_id <> $1", neighbours.account_id)
                == 0
            )
    assert {"messages", "attachments", "event_log", "decisions", "dead_letters", "send_attempts"} <= filled
    for table in sorted(filled):
        async with database.tenant(neighbours.account_id) as tx:
            try:
                moved = await tx.run(
                    f"update {table} set account_id = account_id where account_id = $1", world.account_id
                )
            except asyncpg.InsufficientPrivilegeError:
                continue
            assert moved == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.tenant(neighbours.account_id) as tx:
            await tx.run(
                "insert into labels values ($1, $2, 'planted', '#000000')", world.account_id, new_id()
            )


async def test_a_tenant_role_without_an_account_sees_nothing(world: World) -> None:
    async with world.installation.ground.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local role meridian_app")
        for row in await world.owner.fetch(TABLES):
            assert await connection.fetchval(f"select count(*) from {row['name']}") == 0


async def test_the_carrier_between_accounts_cannot_read_what_people_wrote_or_change_it(world: World) -> None:
    await world.customer("Inés").writes("a secret")
    await world.olga.sees("a secret")
    await world.quiet()
    async with world.installation.ground.database.system() as tx:
        assert await tx.value("select count(*) from messages where body = 'a secret'") == 0
    for statement in (
        "select 1 from contacts", "select 1 from attachments", "select 1 from dead_letters", "select 1 from labels",
        "update messages set body = ''", "delete from messages", "delete from raw_events",
        "update accounts set name = 'x'", "update users set role = 'owner'", "insert into sessions default values",
        "update event_log set seq = 0",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.installation.ground.database.system() as tx:
                await tx.run(statement)


async def test_the_event_log_cannot_be_rewritten_by_those_who_write_it(world: World) -> None:
    for statement in ("update event_log set type = 'x'", "delete from event_log", "delete from accounts"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.installation.ground.database.tenant(world.account_id) as tx:
                await tx.run(statement)


# ---------------------------------------------------------------- over HTTP and the live feed


async def _furnish(world: World) -> Json:
    """Something in every table, with the account's mark in everything that people wrote."""
    ines = world.customer(f"Inés {world.mark}")
    await ines.writes(f"photo {world.mark}", type="photo")
    seen = await world.olga.sees(f"photo {world.mark}")
    await world.olga.screen.event("attachment.stored")
    await world.olga.answers(f"answer {world.mark}")
    await ines.reads(f"answer {world.mark}")
    await world.olga.notes(f"note {world.mark}")
    await world.olga.does("POST", "/api/v1/labels", {"name": f"label {world.mark}"})
    await world.bot.says(f"not JSON {world.mark}".encode())
    await world.olga.screen.event("intake.failed")
    await world.olga.http.post("/api/v1/attachments", files={"file": ("a.png", sample_photo(1), "image/png")})
    await world.quiet()
    return seen


async def _ids(world: World) -> set[str]:
    """Every id of the account, of whatever kind."""
    found = {str(world.account_id)}
    for row in await world.owner.fetch(TABLES):
        columns = await world.owner.fetch(
            "select column_name from information_schema.columns where table_schema = 'public' and table_name = $1 "
            "and data_type = 'uuid' and column_name <> 'account_id'",
            row["name"],
        )
        for column in columns:
            values = await world.owner.fetch(
                f"select distinct {column['column_name']} as id from {row['name']} where account_id = $1",
                world.account_id,
            )
            found |= {str(value["id"]) for value in values if value["id"]}
    return found


BODIES: dict[str, Json] = {
    "ChangeConversation": {"priority": "urgent"},
    "WriteMessage": {"body": "intruding"},
    "ChangeAgent": {"name": "Intruder"},
    "ChangeChannel": {"name": "Intruder"},
    "ChangeContact": {"name": "Intruder"},
}


async def test_another_accounts_ids_open_nothing_on_any_route(world: World, neighbours: World) -> None:
    await _furnish(world)
    ids = await _ids(world)
    assert len(ids) > 30
    before = await world.rows("select seq from accounts where account_id = $1")
    document = (await world.installation.http.get(f"{world.installation.url}/openapi.json")).json()
    tried = 0
    for path, item in document["paths"].items():
        if "{" not in path:
            continue
        for method, operation in item.items():
            body = BODIES.get(operation["operationId"])
            for identifier in ids:
                url = re.sub(r"\{[^}]+\}", identifier, path)
                given = (
                    None
                    if body is None
                    else {**body, **({"client_key": new_key()} if "body" in body else {})}
                )
                answer = await neighbours.olga.api(method.upper(), url, given)
                tried += 1
                nothing = answer.status_code == 404 or answer.json() == {"items": []}
                assert nothing, f"{method} {url}: {answer.status_code} {answer.text[:200]}"
                assert world.mark not in answer.text
    assert tried > 400
    assert await world.rows("select seq from accounts where account_id = $1") == before


async def test_another_accounts_conversation_does_not_take_part_in_mixed_addresses(
    world: World, neighbours: World
) -> None:
    theirs = await _furnish(world)
    await neighbours.customer("Ben").writes("hi")
    own = await neighbours.olga.sees("hi")
    path = f"/api/v1/conversations/{own['conversation_id']}"
    message = f"{path}/messages/{theirs['id']}"
    attachment = theirs["attachments"][0]["id"]
    refused = [
        await neighbours.olga.api("POST", f"{message}/retry"),
        await neighbours.olga.api("POST", f"{message}/cancel"),
        await neighbours.olga.answers_with(own, reply_to=theirs["id"]),
        await neighbours.olga.answers_with(own, attachment_ids=[attachment]),
        await neighbours.olga.changes(own, assignee_id=world.diego.id),
    ]
    assert [answer.status_code for answer in refused] == [404, 404, 422, 422, 422]
    filtered = await neighbours.olga.get(f"/api/v1/conversations?channel={world.telegram.id}")
    assert filtered["items"] == []


async def test_lists_searches_and_the_live_feed_of_one_account_hold_no_byte_of_another(
    world: World, neighbours: World
) -> None:
    seen_from_the_start = neighbours.olga.screen
    await _furnish(world)
    everything = bytes(seen_from_the_start.bytes)
    for path in (
        "/api/v1/boot", "/api/v1/me", "/api/v1/agents", "/api/v1/channels", "/api/v1/labels", "/api/v1/counts",
        "/api/v1/conversations", "/api/v1/conversations?view=unassigned", "/api/v1/letters", "/api/v1/raw-events",
        "/api/v1/deliveries",
    ):  # fmt: skip
        everything += (await neighbours.olga.api("GET", path)).content
    own = await _ids(neighbours)
    leaked = [i for i in await _ids(world) - own if i.encode() in everything and i != str(UUID(int=0))]
    assert leaked == []
    assert world.mark.encode() not in everything


@pytest.mark.parametrize("cursor", ["nonsense", "{epoch}:999999999", "wrong:1", "{epoch}:-1", "", "a" * 3000])
async def test_a_cursor_that_is_not_ours_gets_a_reset_and_nothing_of_anybody(
    world: World, neighbours: World, cursor: str
) -> None:
    epoch = (world.olga.screen.cursor or "").partition(":")[0]
    screen = world.olga.new_screen()
    await screen.open(cursor.replace("{epoch}", epoch) or None)
    kinds = [frame["type"] for frame in screen.frames]
    assert "reset" in kinds or screen.frames[0] == {
        "type": "welcome",
        "cursor": screen.cursor,
        "resumed": False,
    }
    assert screen.events == []
    await screen.close()


async def test_a_visitor_sees_their_own_thread_and_nobody_elses(world: World) -> None:
    ada, ben = world.customer("Ada").visitor, world.customer("Ben").visitor
    await ada.writes("from Ada")
    await ben.writes("from Ben")
    await world.olga.sees("from Ada")
    await world.olga.sees("from Ben")
    assert [m["text"] for m in await ada.shows()] == ["from Ada"]
    assert [m["text"] for m in await ben.shows()] == ["from Ben"]
    token, ada.token = ada.token, ada.token[:-3] + "abc"
    assert (await ada.call("GET", "/messages")).status_code == 401
    ada.token = token
    theirs = (await ben.shows())[0]["id"]
    answer = await ada.call("POST", "/receipts", {"type": "seen", "message_id": theirs})
    assert answer.status_code == 404
