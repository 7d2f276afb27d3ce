"""One message, end to end: a customer writes, agents see, one answers, the customer reads."""

import pytest
from world import World, gather, new_key

from inbox.outbox import new_id


@pytest.mark.parametrize("via", ["telegram", "bot", "webchat"])
async def test_a_customer_writes_two_agents_see_one_answers_the_customer_reads(
    world: World, via: str
) -> None:
    ines = world.customer("Inés")
    await ines.writes("¿Abren mañana? 🌊", via=via)
    await world.olga.sees("¿Abren mañana? 🌊")
    await world.diego.sees("¿Abren mañana? 🌊")
    answer = await world.olga.answers("Yes, from nine.")
    assert answer["state"] == "queued"
    await ines.reads("Yes, from nine.")
    await world.diego.sees("Yes, from nine.", state="delivered" if via == "bot" else "sent")
    assert [(m["kind"], m["text"]) for m in await world.diego.thread()] == [
        ("inbound", "¿Abren mañana? 🌊"),
        ("outbound", "Yes, from nine."),
    ]


async def test_telegram_says_sent_and_nothing_that_it_does_not_know(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await world.diego.sees("hi")
    answer = await world.diego.answers("hello")
    await ines.reads("hello")
    await ines.opens_the_chat()
    await world.olga.screen.state(answer["id"], "sent")
    await world.quiet()
    assert world.olga.screen.states_of(answer["id"]) == ["queued", "sent"]


async def test_a_bot_reports_delivered_and_read(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="bot")
    await world.diego.sees("hi")
    answer = await world.diego.answers("hello")
    await world.olga.screen.state(answer["id"], "delivered")
    await ines.opens_the_chat()
    await world.olga.screen.state(answer["id"], "read")
    # The bot may report before its own answer to our call is written down; no state ever goes back.
    shown = world.olga.screen.states_of(answer["id"])
    assert shown[0] == "queued"
    assert [s for s in ("queued", "sent", "delivered", "read") if s in shown] == shown


async def test_the_widget_reports_received_and_seen_up_to_a_message(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="webchat")
    await world.diego.sees("hi")
    first, second = await world.diego.answers("one"), await world.diego.answers("two")
    shown = await ines.reads("two")
    await ines.visitor.tells("received", shown["id"])
    await world.olga.screen.state(first["id"], "delivered")
    await ines.visitor.tells("seen", shown["id"])
    await world.olga.screen.state(first["id"], "read")
    await world.olga.screen.state(second["id"], "read")


@pytest.mark.parametrize("via", ["telegram", "bot", "webchat"])
async def test_a_private_note_is_seen_by_colleagues_and_never_leaves(world: World, via: str) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via=via)
    await world.olga.sees("hi")
    note = await world.olga.notes("she is our best customer")
    await world.diego.sees("she is our best customer", state="noted")
    await world.olga.answers("hello")
    await ines.reads("hello")
    await world.quiet()
    if via == "webchat":
        assert [m["text"] for m in await ines.visitor.shows()] == ["hi", "hello"]
    else:
        assert await ines.received() == ["hello"]
        assert [row["content"]["text"] for row in await world.ledger(via)] == ["hello"]
    assert not await world.rows("select id from send_attempts where account_id = $1 and message_id = $2",
                                note["id"])  # fmt: skip


async def test_quick_replies_reach_the_phone_in_the_order_in_which_they_were_written(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await world.olga.sees("hi")
    texts = [f"part {n}" for n in range(6)]
    for text in texts:
        await world.olga.answers(text)
    await ines.reads(texts[-1])
    assert await ines.received() == texts


async def test_a_reply_that_fails_for_a_while_is_not_overtaken_by_the_next(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await world.olga.sees("hi")
    await world.weather("500")
    first = await world.olga.answers("first")
    await world.olga.screen.event("message.delayed", lambda d: d["message"]["id"] == first["id"])
    await world.olga.answers("second")
    await ines.reads("second")
    assert await ines.received() == ["first", "second"]


async def test_one_client_key_posted_ten_times_at_once_is_one_message(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    seen = await world.olga.sees("hi")
    path = f"/api/v1/conversations/{seen['conversation_id']}/messages"
    body = {"body": "hello", "client_key": new_key()}
    answers = await gather(*(world.olga.api("POST", path, body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await ines.reads("hello")
    await world.quiet()
    assert await ines.received() == ["hello"]


async def test_a_reply_that_quotes_a_message_is_a_reply_on_the_phone(world: World) -> None:
    ines = world.customer("Inés")
    asked = await ines.writes("Which colour?")
    seen = await world.olga.sees("Which colour?")
    await world.olga.answers("Blue", reply_to=seen["id"])
    answer = await ines.reads("Blue")
    assert answer["content"]["reply_to"] == asked["message_id"]
    await ines.writes("Thank you", reply_to=answer["message_id"])
    thanks = await world.diego.sees("Thank you")
    assert thanks["reply_to"]["preview"] == "Blue"


async def test_formatting_reaches_the_phone_as_formatting(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await world.olga.sees("hi")
    await world.olga.answers("It is **really** <b>not</b> & `code`")
    shown = await ines.reads("It is really <b>not</b> & code")
    kinds = {(e["type"], e["offset"], e["length"]) for e in shown["content"]["entities"]}
    assert kinds == {("bold", 6, 6), ("code", 26, 4)}


async def test_a_reply_to_a_thread_that_does_not_exist_is_not_found(world: World) -> None:
    path = f"/api/v1/conversations/{new_id()}/messages"
    answer = await world.olga.api("POST", path, {"body": "hello", "client_key": new_key()})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"body": "  "}, "body"),
        ({"body": "a\x00b"}, "body"),
        ({"body": "a" * 50_001}, "body"),
        ({"body": "a", "client_key": "short"}, "client_key"),
        ({"body": "a", "attachment_ids": [str(new_id())] * 2}, "attachment_ids"),
        ({"body": "a", "attachment_ids": [str(new_id())]}, "attachment_ids"),
        ({"body": "a", "reply_to": str(new_id())}, "reply_to"),
    ],
)
async def test_a_reply_that_makes_no_sense_is_refused_in_words(world: World, given: dict, field: str) -> None:
    await world.customer("Inés").writes("hi")
    seen = await world.olga.sees("hi")
    path = f"/api/v1/conversations/{seen['conversation_id']}/messages"
    answer = await world.olga.api("POST", path, {"client_key": new_key(), **given})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["detail"]
