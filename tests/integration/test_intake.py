"""What comes in: once, in one thread, in the provider's order, whatever the network does to it."""

import json
import time
from pathlib import Path

from world import World, gather

FIXTURES = Path(__file__).parent.parent / "fixtures"


async def test_the_same_webhook_ten_times_in_parallel_is_one_message(world: World) -> None:
    body = json.dumps(world.telegram.update(message=world.telegram.message("hi", 1))).encode()
    await gather(*(world.telegram.says(body) for _ in range(10)))
    await world.olga.sees("hi")
    await world.quiet()
    assert [m["text"] for m in await world.olga.thread()] == ["hi"]
    states = await world.rows(
        "select state, count(*)::int as n from raw_events where account_id = $1 group by 1 order by 1"
    )
    assert states == [{"state": "duplicate", "n": 9}, {"state": "processed", "n": 1}]


async def test_a_phone_whose_webhooks_arrive_five_times_at_once_writes_one_message(world: World) -> None:
    await world.weather("duplicate", 2, side="webhook", copies=5)
    ines = world.customer("Inés")
    await ines.writes("one")
    await ines.writes("two")
    await world.olga.sees("two")
    await world.quiet()
    assert [m["text"] for m in await world.olga.thread()] == ["one", "two"]


async def test_an_album_is_one_thread_with_both_photos(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("the broken wheel", type="album")
    await world.olga.sees("the broken wheel")
    await world.olga.screen.until(
        lambda: sum(e["type"] == "attachment.stored" for e in world.olga.screen.events) == 2,
        what="both photos",
    )
    thread = await world.olga.thread()
    assert [[a["kind"] for a in m["attachments"]] for m in thread] == [["image"], ["image"]]
    assert len(await world.olga.conversations()) == 1


async def test_messages_of_new_contacts_at_the_same_instant_open_one_thread_each(world: World) -> None:
    updates = [
        world.telegram.update(
            message=world.telegram.message(f"{who}/{n}", n, who=700_950_000 + who, name=f"P{who}")
        )
        for who in range(5)
        for n in range(1, 5)
    ]
    await gather(*(world.telegram.says(update) for update in updates))
    await world.quiet()
    everything = await world.olga.conversations()
    assert len(everything) == 5
    for conversation in everything:
        thread = await world.olga.thread(conversation)
        who = thread[0]["text"].partition("/")[0]
        assert [m["text"] for m in thread] == [f"{who}/{n}" for n in range(1, 5)]
    assert len(await world.rows("select id from contacts where account_id = $1")) == 5


async def test_webhooks_that_arrive_in_the_opposite_order_read_in_the_order_of_writing(world: World) -> None:
    await world.weather("reorder", 4, side="webhook", seconds=0.15)
    ines = world.customer("Inés")
    for n in range(4):
        await ines.writes(f"line {n}")
    await world.olga.sees("line 0")
    await world.quiet()
    assert [m["text"] for m in await world.olga.thread()] == [f"line {n}" for n in range(4)]
    conversation = await world.olga.conversation()
    assert conversation["preview"]["text"] == "line 3"


async def test_an_edit_a_reaction_and_a_deletion_before_their_message_wait_for_it(world: World) -> None:
    bot = world.bot
    edit = bot.event("corrected", "m1", kind="message.edited")
    reaction = {**bot.event("", "m1", kind="message.reacted")}
    reaction["data"]["emojis"] = ["👍"]
    deletion = {"type": "message.deleted", "data": {"external_id": "m2"}}
    await bot.says([edit, reaction, deletion])
    await world.quiet()
    assert await world.olga.conversations() == []
    await bot.says([bot.event("with a tpyo", "m1"), bot.event("a secret", "m2")])
    await world.olga.sees("corrected")
    await world.quiet()
    first, second = await world.olga.thread()
    assert (first["text"], [r["emoji"] for r in first["reactions"]]) == ("corrected", ["👍"])
    assert first["edited_at"]
    assert (second["text"], bool(second["deleted_at"])) == ("", True)
    assert not await world.rows("select id from early_effects where account_id = $1")


async def test_a_receipt_that_overtakes_the_answer_to_our_call_is_not_lost(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="bot")
    await world.olga.sees("hi")
    answer = await world.olga.answers("hello")
    # The bot reports "delivered" from within our own call, before its answer can have been written down.
    await world.olga.screen.state(answer["id"], "delivered")


async def test_the_latest_edit_wins_in_whatever_order_they_arrive(world: World) -> None:
    bot = world.bot
    await bot.says(bot.event("first", "m1"))
    await world.olga.sees("first")
    later = bot.event("third", "m1", kind="message.edited", occurred_at="2026-01-01T10:00:02Z")
    earlier = bot.event("second", "m1", kind="message.edited", occurred_at="2026-01-01T10:00:01Z")
    await bot.says(later)
    await world.olga.sees("third")
    await bot.says(earlier)
    await world.quiet()
    assert [m["text"] for m in await world.olga.thread()] == ["third"]


async def test_an_edit_on_the_phone_changes_the_message_on_every_screen(world: World) -> None:
    ines = world.customer("Inés")
    message = await ines.writes("I want tow")
    await world.olga.sees("I want tow")
    await ines.edits(message, "I want two")
    await world.diego.sees("I want two")
    assert [m["text"] for m in await world.diego.thread()] == ["I want two"]
    assert (await world.diego.conversation())["preview"]["text"] == "I want two"


async def test_a_reaction_on_the_phone_is_shown_and_taken_away(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await world.olga.sees("hi")
    answer = await world.olga.answers("hello")
    await world.olga.screen.state(answer["id"], "sent")
    await ines.reacts("hello", "❤")
    await world.diego.screen.event("message.reacted", lambda d: d["message"]["reactions"])
    await ines.reacts("hello", None)
    await world.diego.screen.event("message.reacted", lambda d: not d["message"].get("reactions"))


async def test_a_group_that_becomes_a_supergroup_is_the_same_thread(world: World) -> None:
    tg = world.telegram
    group = {"id": -4_000_000_111, "type": "group", "title": "Harbour support"}
    supergroup = {"id": -1_004_000_000_111, "type": "supergroup", "title": "Harbour support"}
    await tg.says(tg.update(message=tg.message("before", 1, chat=group)))
    before = await world.olga.sees("before")
    moved = tg.message(None, 2, chat=group, migrate_to_chat_id=supergroup["id"])
    arrived = tg.message(None, 1, chat=supergroup, migrate_from_chat_id=group["id"])
    await tg.says(tg.update(message=moved))
    await tg.says(tg.update(message=arrived))
    await tg.says(tg.update(message=tg.message("after", 2, chat=supergroup, who=700_900_002, name="Ben")))
    after = await world.olga.sees("after")
    assert after["conversation_id"] == before["conversation_id"]
    assert (await world.olga.conversation())["title"] == "Harbour support"
    rows = await world.rows("select address from conversations where account_id = $1")
    assert rows == [{"address": str(supergroup["id"])}]


async def test_what_telegram_invents_tomorrow_is_shown_as_unsupported(world: World) -> None:
    await world.telegram.says((FIXTURES / "telegram" / "unknown_content.json").read_bytes())
    found = await world.olga.screen.event("message.received")
    assert found["message"]["unsupported"] == "hologram note"


async def test_an_unknown_kind_of_update_is_kept_with_its_reason_and_shown(world: World) -> None:
    await world.telegram.says((FIXTURES / "telegram" / "unknown_kind_of_update.json").read_bytes())
    failed = await world.olga.screen.event("intake.failed")
    assert (failed["reason"], failed["open_letters"]) == ("unknown kind of update", 1)


async def test_one_person_on_two_channels_of_their_own_is_two_threads(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("from telegram", via="telegram")
    await ines.writes("from the bot", via="bot")
    await world.olga.sees("from telegram")
    await world.olga.sees("from the bot")
    assert len(await world.olga.conversations()) == 2


async def test_a_clock_that_is_a_year_wrong_neither_pins_nor_buries_a_message(world: World) -> None:
    tg, now = world.telegram, time.time()
    await tg.says(tg.update(message=tg.message("from the future", 1, at=now + 365 * 86_400)))
    await tg.says(tg.update(message=tg.message("from the past", 2, at=now - 365 * 86_400)))
    await world.olga.sees("from the past")
    await tg.says(tg.update(message=tg.message("now", 3, at=now)))
    await world.olga.sees("now")
    assert [m["text"] for m in await world.olga.thread()] == ["from the past", "now", "from the future"]
    future = await world.rows("select sort_at - now() < interval '3 minutes' as near from messages "
                              "where account_id = $1 and body = 'from the future'")  # fmt: skip
    assert future == [{"near": True}]


async def test_the_same_number_in_two_channels_is_two_messages(world: World) -> None:
    await world.bot.says(world.bot.event("to the bot", "42"))
    await world.telegram.says(world.telegram.update(message=world.telegram.message("to telegram", 42)))
    await world.olga.sees("to the bot")
    await world.olga.sees("to telegram")
