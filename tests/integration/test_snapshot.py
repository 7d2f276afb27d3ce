"""A snapshot and the events after it give what a snapshot at the end gives; a screen that was away catches up."""

from typing import Any

from installation import until
from world import Silence, World, gather

from inbox.actions.retention import prune
from inbox.outbox import Store

Json = dict[str, Any]


def apply(state: dict[str, Json], event: Json) -> None:
    """What the inbox's pages do with an event: the newest version of a conversation wins."""
    view = event["data"].get("conversation")
    if view is not None and (view["id"] not in state or state[view["id"]]["version"] < view["version"]):
        state[view["id"]] = view


async def everything(world: World) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for view in ("all", "snoozed", "resolved"):
        found |= {item["id"]: item for item in await world.olga.conversations(view)}
    return found


async def a_busy_minute(world: World) -> None:
    """Something of everything that changes a conversation."""
    ines, ben, ada = (world.customer(name) for name in ("Inés", "Ben", "Ada"))
    await gather(ines.writes("hi"), ben.writes("hello", via="bot"), ada.writes("hey", via="webchat"))
    hi, hello, hey = await gather(world.olga.sees("hi"), world.olga.sees("hello"), world.olga.sees("hey"))
    await world.weather("500")
    await gather(
        world.olga.answers("to Inés", to=hi),
        world.diego.answers("to Ben", to=hello),
        world.olga.notes("note", to=hey),
    )
    label = await world.olga.does("POST", "/api/v1/labels", {"name": "VIP"})
    await world.olga.changes(hi, label_ids=[label["id"]], priority="high")
    await world.diego.changes(hello, status="resolved")
    await world.olga.changes(hey, snoozed_until="2026-12-24T10:00:00Z")
    await ines.writes("a photo", type="photo")
    await ben.writes("again", via="bot")
    await world.olga.screen.event("attachment.stored")
    await world.olga.changes(hi, assignee_id=None)
    await ines.reacts("to Inés", "❤")
    await world.quiet()


async def test_a_snapshot_and_its_events_equal_the_snapshot_at_the_end(world: World) -> None:
    await a_busy_minute(world)
    start = {
        item["id"]: item
        for item in (await world.olga.get("/api/v1/boot?limit=100"))["conversations"]["items"]
    }
    cursor = (await world.olga.get("/api/v1/boot"))["cursor"]
    first = await everything(world)
    screen = world.olga.new_screen()
    await screen.open(cursor)
    await world.customer("Ada").visitor.writes("I am back")
    await world.olga.answers(
        "to Inés again", to=next(m for m in world.olga.screen.messages.values() if m["text"] == "hi")
    )
    await world.quiet()
    await screen.until(lambda: screen.cursor == world.olga.screen.cursor, what="the head")
    assert start.items() <= first.items()
    for event in screen.events:
        apply(first, event)
    assert first == await everything(world)
    await screen.close()


async def test_every_event_from_the_beginning_gives_what_there_is_now(world: World) -> None:
    await a_busy_minute(world)
    epoch = (world.olga.screen.cursor or "").partition(":")[0]
    screen = world.olga.new_screen()
    await screen.open(f"{epoch}:0")
    head = (await world.rows("select seq from accounts where account_id = $1"))[0]["seq"]
    await screen.until(lambda: len(screen.events) == head, what="all events")
    state: dict[str, Json] = {}
    for event in screen.events:
        apply(state, event)
    assert state == await everything(world)
    await screen.close()


async def test_a_boot_in_the_middle_of_a_flood_misses_nothing(world: World) -> None:
    flood = world.bot.says([world.bot.event(f"line {n}", f"m{n}", who=f"p{n % 7}") for n in range(60)])
    boots = [world.olga.api("GET", "/api/v1/boot?limit=100") for _ in range(5)]
    _, *answers = await gather(flood, *boots)
    await world.olga.sees("line 59")
    await world.quiet()
    truth = await everything(world)
    for answer in answers:
        boot = answer.json()
        state = {item["id"]: item for item in boot["conversations"]["items"]}
        screen = world.olga.new_screen()
        await screen.open(boot["cursor"])
        await screen.until(lambda screen=screen: screen.cursor == world.olga.screen.cursor, what="the head")
        for event in screen.events:
            apply(state, event)
        assert state == truth
        await screen.close()


async def test_a_screen_that_drops_in_the_middle_comes_back_and_misses_nothing(world: World) -> None:
    tg, screen = world.telegram, world.diego.screen
    await tg.says(tg.update(message=tg.message("line 1", 1)))
    await screen.message("line 1")
    for round_ in range(4):
        await screen.drop()
        numbers = range(2 + round_ * 5, 7 + round_ * 5)
        await gather(*(tg.says(tg.update(message=tg.message(f"line {n}", n))) for n in numbers))
        await screen.open()
        assert screen.frames[-1]["type"] == "welcome" or screen.frames[-1].get("resumed")
    await screen.message("line 21")
    await world.quiet()
    await screen.until(lambda: screen.cursor == world.olga.screen.cursor, what="the head")
    received = [e["data"]["message"]["text"] for e in screen.events if e["type"] == "message.received"]
    assert sorted(received, key=lambda text: int(text.split()[1])) == [f"line {n}" for n in range(1, 22)]


async def test_a_screen_that_was_away_longer_than_the_log_is_told_to_start_over(world: World) -> None:
    await world.customer("Inés").writes("hi")
    await world.olga.sees("hi")
    await world.quiet()
    old = "update event_log set at = now() - interval '40 days' where account_id = $1 and seq <= 3"
    await world.owner.execute(old, world.account_id)
    ground = world.installation.ground
    await prune(Store(ground.database, Silence()), ground.blobs, raw_days=30, event_days=30)
    assert (await world.rows("select min(seq) as first from event_log where account_id = $1")) == [
        {"first": 4}
    ]
    epoch = (world.olga.screen.cursor or "").partition(":")[0]
    screen = world.olga.new_screen()
    await screen.open(f"{epoch}:1")
    await screen.until(lambda: any(f["type"] == "reset" for f in screen.frames), what="a reset")
    assert next(f["reason"] for f in screen.frames if f["type"] == "reset") == "pruned"
    assert screen.events == []
    await screen.close()


async def test_an_emptied_redis_costs_seconds_and_no_message(world: World, alarms: Any) -> None:
    alarms.expect("stream.failed")
    ines = world.customer("Inés")
    await ines.writes("before")
    await world.olga.sees("before")
    await world.installation.redis.flushall()
    await ines.writes("after")
    await world.olga.sees("after", seconds=15)
    await world.olga.answers("hello")
    await ines.reads("hello", seconds=15)
    await world.diego.sees("hello", state="sent", seconds=20)

    async def alike() -> bool:
        return world.diego.screen.cursor == world.olga.screen.cursor

    await until(alike, 20)
