"""What people do with a conversation: own it, rank it, label it, put it off, close it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from world import World, gather

from inbox.outbox import new_id

Json = dict[str, Any]


@pytest.fixture
async def hers(world: World) -> Json:
    """A conversation with Inés that everybody sees and olga owns."""
    await world.customer("Inés").writes("hi")
    await world.diego.sees("hi")
    seen = await world.olga.sees("hi")
    await world.olga.screen.event("conversation.assigned")
    await world.olga.changes(seen["conversation_id"], assignee_id=world.olga.id)
    return await world.olga.conversation()


async def test_assigning_shows_on_every_screen_with_a_line_in_the_thread(world: World, hers: Json) -> None:
    answer = await world.olga.changes(hers["id"], assignee_id=world.diego.id)
    assert answer.json()["assignee_id"] == world.diego.id
    told = await world.diego.screen.event(
        "conversation.assigned", lambda d: d["conversation"].get("assignee_id") == world.diego.id
    )
    assert told["activity"]["activity"] == {"what": "assigned", "agent": "Diego Ramos"}
    assert told["activity"]["author"]["name"] == "Olga Petrova"
    assert [c["id"] for c in await world.diego.conversations("mine")] == [hers["id"]]
    assert await world.olga.conversations("mine") == []
    unassigned = await world.olga.changes(hers["id"], assignee_id=None)
    assert "assignee_id" not in unassigned.json()


async def test_resolve_and_reopen(world: World, hers: Json) -> None:
    resolved = await world.olga.changes(hers["id"], status="resolved")
    assert (resolved.json()["status"], resolved.json().get("unanswered", 0)) == ("resolved", 0)
    await world.diego.screen.event("conversation.resolved")
    assert [c["id"] for c in await world.diego.conversations("resolved")] == [hers["id"]]
    assert await world.diego.conversations() == []
    await world.diego.changes(hers["id"], status="open")
    await world.olga.screen.event("conversation.reopened")
    assert [c["id"] for c in await world.olga.conversations()] == [hers["id"]]


async def test_a_reply_to_a_resolved_thread_reopens_the_same_thread(world: World, hers: Json) -> None:
    await world.olga.changes(hers["id"], status="resolved")
    await world.customer("Inés").writes("one more thing")
    await world.diego.sees("one more thing")
    await world.diego.screen.event("conversation.reopened")
    assert [c["id"] for c in await world.olga.conversations()] == [hers["id"]]


async def test_a_reply_to_a_resolved_thread_goes_to_somebody_who_is_there(world: World, hers: Json) -> None:
    await world.olga.changes(hers["id"], status="resolved")
    await world.olga.does("PATCH", "/api/v1/me", {"availability": "offline"})
    await world.customer("Inés").writes("one more thing")
    await world.diego.sees("one more thing")
    await world.diego.screen.until(
        lambda: world.diego.screen.conversations[hers["id"]].get("assignee_id") == world.diego.id,
        what="diego's name",
    )


async def test_a_reply_to_a_resolved_thread_goes_back_to_whoever_had_it_when_they_are_there(
    world: World, hers: Json
) -> None:
    for other in ("Ada", "Ben"):  # diego has less to do, which would decide about a new thread
        await world.customer(other).writes(f"from {other}")
        seen = await world.olga.sees(f"from {other}")
        await world.quiet()
        await world.olga.changes(seen["conversation_id"], assignee_id=world.olga.id)
    await world.olga.changes(hers["id"], status="resolved")
    await world.customer("Inés").writes("one more thing")
    await world.olga.sees("one more thing")
    await world.quiet()
    assert (await world.olga.conversation(hers["id"]))["assignee_id"] == world.olga.id


async def test_a_reply_to_a_thread_resolved_long_ago_opens_a_new_one(world: World, hers: Json) -> None:
    await world.olga.changes(hers["id"], status="resolved")
    await world.owner.execute(
        "update conversations set last_activity_at = now() - interval '15 days' where id = $1::uuid",
        hers["id"],
    )
    await world.customer("Inés").writes("hello again")
    seen = await world.olga.sees("hello again")
    assert seen["conversation_id"] != hers["id"]
    answer = await world.olga.changes(hers["id"], status="open")
    assert answer.status_code == 409


async def test_a_snoozed_thread_wakes_at_its_time(world: World, hers: Json) -> None:
    until = datetime.now(UTC) + timedelta(seconds=1.5)
    answer = await world.olga.changes(hers["id"], snoozed_until=until.isoformat())
    assert answer.json()["status"] == "snoozed"
    await world.diego.screen.event("conversation.snoozed")
    assert [c["id"] for c in await world.diego.conversations("snoozed")] == [hers["id"]]
    woken = await world.diego.screen.event("conversation.reopened")
    assert woken["activity"]["activity"] == {"what": "woken"}
    assert "snoozed_until" not in woken["conversation"]
    assert datetime.now(UTC) >= until


async def test_a_customer_who_writes_wakes_a_snoozed_thread(world: World, hers: Json) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await world.olga.changes(hers["id"], snoozed_until=until)
    await world.customer("Inés").writes("are you there?")
    told = await world.diego.screen.event("conversation.reopened")
    assert told["conversation"]["status"] == "open"


async def test_labels_and_priority(world: World, hers: Json) -> None:
    label = await world.olga.does("POST", "/api/v1/labels", {"name": "Refund", "color": "#b3261e"})
    await world.olga.changes(hers["id"], label_ids=[label["id"]], priority="urgent")
    told = await world.diego.screen.event(
        "conversation.updated", lambda d: d["conversation"].get("label_ids")
    )
    assert told["conversation"]["label_ids"] == [label["id"]]
    found = await world.diego.get(f"/api/v1/conversations?label={label['id']}")
    assert [(c["id"], c["priority"]) for c in found["items"]] == [(hers["id"], "urgent")]
    again = await world.olga.api("POST", "/api/v1/labels", {"name": "refund"})
    assert again.status_code == 409


async def test_a_stale_version_is_409_with_what_it_is_now(world: World, hers: Json) -> None:
    answer = await world.diego.changes(hers["id"], version=hers["version"] - 1, priority="high")
    assert (answer.status_code, answer.json()["current"]["version"]) == (409, hers["version"])
    answer = await world.diego.changes(hers["id"], version=hers["version"], priority="high")
    assert answer.status_code == 200


async def test_of_two_people_who_change_the_same_version_one_wins(world: World, hers: Json) -> None:
    answers = await gather(
        *(agent.changes(hers["id"], version=hers["version"], priority=wanted)
          for agent, wanted in ((world.olga, "high"), (world.diego, "low")) for _ in range(3))
    )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "snoozed"},
        {"snoozed_until": "2020-01-01T00:00:00Z"},
        {"snoozed_until": "2999-01-01T00:00:00Z"},
        {"assignee_id": str(new_id())},
        {"label_ids": [str(new_id())]},
        {"status": "exploded"},
        {"colour": "red"},
        {"priority": None},
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(world: World, hers: Json, wanted: Json) -> None:
    answer = await world.olga.changes(hers["id"], **wanted)
    assert answer.status_code == 422
    assert (await world.olga.conversation(hers["id"]))["version"] == hers["version"]


async def test_two_agents_who_do_everything_at_once_end_with_the_same_screens(
    world: World, hers: Json
) -> None:
    label = await world.olga.does("POST", "/api/v1/labels", {"name": "VIP"})
    ines = world.customer("Inés")
    await gather(
        world.olga.answers("from olga", to=hers["id"]),
        world.diego.answers("from diego", to=hers["id"]),
        world.olga.changes(hers["id"], status="resolved"),
        world.diego.changes(hers["id"], assignee_id=world.diego.id),
        world.olga.changes(hers["id"], label_ids=[label["id"]]),
        world.diego.notes("a note", to=hers["id"]),
        ines.writes("me again"),
        ines.writes("and again"),
    )
    await world.quiet()
    truth = await world.olga.conversation(hers["id"])
    for agent in (world.olga, world.diego):
        await agent.screen.until(
            lambda screen=agent.screen: screen.conversations[hers["id"]]["version"] == truth["version"],
            what="the end",
        )
        assert agent.screen.conversations[hers["id"]] == truth
        shown = {m["id"]: m for m in agent.screen.messages.values() if m["kind"] != "activity"}
        assert {m["id"]: m for m in await agent.thread(hers["id"])} == shown


async def test_pages_follow_each_other_without_a_gap_or_a_double(world: World) -> None:
    events = [world.bot.event(f"line {n}", f"m{n}", who=f"p{n}") for n in range(23)]
    await world.bot.says(events)
    await world.olga.sees("line 22")
    await world.quiet()
    for sort in ("newest", "oldest", "waiting"):
        seen, cursor = [], ""
        while True:
            page = await world.olga.get(f"/api/v1/conversations?sort={sort}&limit=5{cursor}")
            seen += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert (len(seen), len(set(seen))) == (23, 23)
    assert page["counts"]["all"] == 23
    assert page["counts"]["mine"] + page["counts"]["unassigned"] <= 23
    bad = await world.olga.api("GET", "/api/v1/conversations?cursor=nonsense")
    assert bad.status_code == 422


async def test_a_thread_is_read_back_in_pages_both_ways(world: World) -> None:
    tg = world.telegram
    for n in range(1, 13):
        await tg.says(tg.update(message=tg.message(f"line {n}", n)))
    last = await world.olga.sees("line 12")
    await world.quiet()
    path = f"/api/v1/conversations/{last['conversation_id']}/messages"
    newest = await world.olga.get(f"{path}?limit=5")
    assert newest["has_more"]
    older = await world.olga.get(f"{path}?limit=100&before={newest['items'][0]['sort']}")
    assert not older["has_more"]
    texts = [m["text"] for m in older["items"] + newest["items"] if m["kind"] == "inbound"]
    assert texts == [f"line {n}" for n in range(1, 13)]
    newer = await world.olga.get(f"{path}?limit=100&after={older['items'][-1]['sort']}")
    assert newer["items"] == newest["items"]
