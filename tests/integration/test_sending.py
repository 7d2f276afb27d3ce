"""Answers in bad weather: what became of each is told truthfully, and none is sent twice by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from installation import free_port, serving, until
from scripted import ScriptedTelegram, refusal
from world import Customer, World

Json = dict[str, Any]


@pytest.fixture
async def ines(world: World) -> Customer:
    """A customer whose first message everybody has seen."""
    customer = world.customer("Inés")
    await customer.writes("hi")
    await world.olga.sees("hi")
    return customer


async def test_429_delays_the_answer_until_the_provider_said_and_sends_it_once(
    world: World, ines: Customer
) -> None:
    await world.weather("429", seconds=2)
    answer = await world.olga.answers("hello")
    delayed = await world.diego.screen.event("message.delayed")
    message = delayed["message"]
    assert (message["state"], message["error"]["code"]) == ("queued", "429")
    assert message["error"]["words"] == "Too Many Requests: retry after 2"
    assert message["next_attempt_at"] > message["at"]
    sent = await world.diego.screen.state(answer["id"], "sent")
    assert "next_attempt_at" not in sent
    assert "error" not in sent
    await world.quiet()
    assert await ines.received() == ["hello"]


async def test_429_holds_the_whole_channel_and_not_only_one_thread(world: World, ines: Customer) -> None:
    ben = world.customer("Ben")
    await ben.writes("me too")
    theirs = await world.olga.sees("me too")
    hers = await world.olga.sees("hi")
    await world.weather("429", seconds=2)
    await world.olga.answers("to Inés", to=hers)
    await world.olga.screen.event("message.delayed")
    to_ben = await world.olga.answers("to Ben", to=theirs)
    await world.olga.screen.state(to_ben["id"], "sent")
    assert [row["content"]["text"] for row in await world.ledger()] == ["to Inés", "to Ben"]


@pytest.mark.parametrize("mode", ["500", "502"])
async def test_a_server_error_is_tried_again_and_sent_once(world: World, ines: Customer, mode: str) -> None:
    await world.weather(mode)
    answer = await world.olga.answers("hello")
    delayed = await world.olga.screen.event("message.delayed")
    assert delayed["message"]["error"]["code"] == mode
    assert "<html" not in delayed["message"]["error"]["words"]
    await world.olga.screen.state(answer["id"], "sent")
    assert await ines.received() == ["hello"]
    outcomes = await world.rows("select outcome from send_attempts where account_id = $1 order by id")
    assert [row["outcome"] for row in outcomes] == ["retryable", "sent"]


@pytest.mark.parametrize("mode", ["timeout", "cut"])
async def test_an_answer_that_never_came_is_unknown_and_not_sent_twice(
    world: World, ines: Customer, mode: str
) -> None:
    await world.weather(mode)
    answer = await world.olga.answers("hello")
    unknown = await world.diego.screen.state(answer["id"], "unknown")
    assert unknown["error"]["code"] == "no_answer"
    await world.quiet()
    assert await ines.received() == ["hello"]
    await world.olga.does("POST", _path(answer) + "/retry")
    await world.diego.screen.state(answer["id"], "sent")
    assert await ines.received() == ["hello", "hello"]
    again = await world.olga.api("POST", _path(answer) + "/retry")
    assert again.status_code == 409


async def test_a_line_cut_before_the_provider_took_it_is_unknown_too(world: World, ines: Customer) -> None:
    await world.weather("drop")
    answer = await world.olga.answers("hello")
    await world.olga.screen.state(answer["id"], "unknown")
    await world.quiet()
    assert await ines.received() == []
    await world.olga.does("POST", _path(answer) + "/retry")
    await ines.reads("hello")


async def test_a_bot_that_does_not_answer_is_asked_again_and_takes_it_once(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="bot")
    await world.olga.sees("hi")
    await world.weather("timeout")
    answer = await world.olga.answers("hello")
    await world.olga.screen.event("message.delayed")
    await world.olga.screen.state(answer["id"], "delivered")
    await world.quiet()
    assert await ines.received() == ["hello"]


async def test_a_customer_who_blocked_us_is_told_in_telegrams_own_words(world: World, ines: Customer) -> None:
    await world.weather("blocked")
    answer = await world.olga.answers("hello")
    failed = await world.diego.screen.state(answer["id"], "failed")
    assert failed["error"] == {"code": "403", "words": "Forbidden: bot was blocked by the user"}
    assert not await world.rows("select id from jobs where account_id = $1 and state = 'waiting'")
    await world.olga.does("POST", _path(answer) + "/retry")
    await world.diego.screen.state(answer["id"], "sent")
    assert await ines.received() == ["hello"]


async def test_blocking_and_unblocking_is_noted_at_the_contact(world: World, ines: Customer) -> None:
    chat = await ines.chat("telegram")
    await world.installation.control("POST", f"/chats/{chat}/block", blocked=True)
    told = await world.olga.screen.event("contact.updated")
    assert [i["reachable"] for i in told["contact"]["identities"]] == [False]
    await world.installation.control("POST", f"/chats/{chat}/block", blocked=False)
    await world.olga.screen.event(
        "contact.updated", lambda d: all(i.get("reachable", True) for i in d["contact"]["identities"])
    )


async def test_a_text_beyond_telegrams_limit_arrives_whole_in_pieces(world: World, ines: Customer) -> None:
    text = " ".join(f"word{n}" for n in range(1400))
    answer = await world.olga.answers(text)
    await world.olga.screen.state(answer["id"], "sent")
    pieces = await ines.received()
    assert len(pieces) == 3
    assert all(len(piece) <= 4096 for piece in pieces)
    assert " ".join(pieces) == text
    assert [m["text"] for m in await world.olga.thread() if m["kind"] == "outbound"] == [text]


@asynccontextmanager
async def told_by(world: World, telegram: ScriptedTelegram) -> AsyncIterator[None]:
    """The account's Telegram channel, pointed at this one."""
    async with serving(telegram, free_port()) as url:
        settings = {"settings": {"api_url": url}}
        await world.olga.does("PATCH", f"/api/v1/channels/{world.telegram.id}", settings)
        yield
        await world.quiet()


async def test_what_failed_half_way_goes_on_at_the_part_that_is_missing(world: World, ines: Customer) -> None:
    telegram = ScriptedTelegram(None, refusal(500, "Internal Server Error"))
    async with told_by(world, telegram):
        answer = await world.olga.answers(" ".join(f"word{n}" for n in range(1400)))
        delayed = await world.olga.screen.event("message.delayed")
        assert delayed["message"]["state"] == "queued"
        await world.olga.screen.state(answer["id"], "sent")
    starts = [fields["text"][:12] for fields in telegram.asked]
    assert len(telegram.taken) == 3
    assert starts[1] == starts[2]
    assert len({fields["text"] for fields in telegram.taken}) == 3
    attempts = await world.rows(
        "select attempt, part, outcome from send_attempts where account_id = $1 order by id"
    )
    assert [tuple(row.values()) for row in attempts] == [
        (1, 0, "sent"), (1, 1, "retryable"), (2, 1, "sent"), (2, 2, "sent"),
    ]  # fmt: skip


async def test_an_answer_to_a_group_that_moved_follows_it(world: World) -> None:
    tg = world.telegram
    group = {"id": -4_000_000_222, "type": "group", "title": "Harbour support"}
    telegram = ScriptedTelegram(
        refusal(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=-1_004_000_000_222,
        )
    )
    async with told_by(world, telegram):
        await tg.says(tg.update(message=tg.message("hi", 1, chat=group)))
        await world.olga.sees("hi")
        answer = await world.olga.answers("hello")
        await world.olga.screen.state(answer["id"], "sent")
    assert [int(fields["chat_id"]) for fields in telegram.asked] == [group["id"], -1_004_000_000_222]


async def test_a_reply_that_waits_can_be_taken_back(world: World, ines: Customer) -> None:
    await world.weather("429", seconds=600)
    answer = await world.olga.answers("never mind")
    await world.olga.screen.event("message.delayed")
    await world.olga.does("POST", _path(answer) + "/cancel")
    failed = await world.diego.screen.state(answer["id"], "failed")
    assert failed["error"]["code"] == "cancelled"
    again = await world.olga.api("POST", _path(answer) + "/cancel")
    assert again.status_code == 409


async def test_a_channel_that_is_switched_off_says_so_instead_of_waiting(
    world: World, ines: Customer
) -> None:
    await world.olga.does("PATCH", f"/api/v1/channels/{world.telegram.id}", {"enabled": False})
    answer = await world.olga.answers("hello")
    failed = await world.olga.screen.state(answer["id"], "failed")
    assert failed["error"]["code"] == "channel_disabled"
    await world.olga.does("PATCH", f"/api/v1/channels/{world.telegram.id}", {"enabled": True})
    await world.olga.does("POST", _path(answer) + "/retry")
    await ines.reads("hello")


async def test_a_provider_that_is_not_there_is_tried_until_the_deadline(world: World, ines: Customer) -> None:
    gone = {"settings": {"api_url": f"http://127.0.0.1:{free_port()}"}}
    await world.olga.does("PATCH", f"/api/v1/channels/{world.telegram.id}", gone)
    answer = await world.olga.answers("hello")
    delayed = await world.olga.screen.event("message.delayed")
    assert delayed["message"]["error"]["code"] == "not_connected"
    # An hour later, as the database's clock tells it.
    await world.owner.execute(
        "update messages set created_at = created_at - interval '2 hours', next_attempt_at = now() where id = $1::uuid",
        answer["id"],
    )
    failed = await world.olga.screen.state(answer["id"], "failed")
    assert failed["error"]["code"] == "not_connected"


async def test_the_delivery_log_lists_every_attempt(world: World, ines: Customer) -> None:
    await world.weather("500")
    answer = await world.olga.answers("hello")
    await world.olga.screen.state(answer["id"], "sent")

    async def listed() -> list[Json]:
        return list((await world.olga.get("/api/v1/deliveries"))["items"])

    log = await until(listed)
    assert [(a["outcome"], a["attempt"], a["channel_name"]) for a in log] == [
        ("sent", 2, "Telegram"), ("retryable", 1, "Telegram"),
    ]  # fmt: skip
    assert (await world.diego.api("GET", "/api/v1/deliveries")).status_code == 403


def _path(message: Json) -> str:
    return f"/api/v1/conversations/{message['conversation_id']}/messages/{message['id']}"
