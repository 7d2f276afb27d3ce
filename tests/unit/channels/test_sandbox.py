"""The sandbox: the unmodified adapters against it, both ways."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from channels_support import BytesFile, LoopbackHttp, serving, until, until_async

from channels.base import (
    BadSignature,
    ChannelConfig,
    Edit,
    FetchError,
    HookRequest,
    InboundMessage,
    OutcomeUnknown,
    Permanent,
    Reachability,
    Reaction,
    Receipt,
    Retryable,
)
from channels.markdown import from_markdown
from channels.registry import adapter
from channels.richtext import RichText
from channels.sandbox.app import create_app
from channels.sandbox.outbox import Delivered, DeliveryFailed
from channels.sandbox.samples import sample_photo, sample_voice
from channels.standard_webhooks import new_secret

TOKEN = "123456:sandbox-token"
SECRET = "hook_secret-1"


@dataclass
class World:
    base: str
    client: httpx.AsyncClient
    http: LoopbackHttp
    hooks: list[HookRequest] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    retry_after: float | None = None
    person: int = 0
    chat: int = 0
    channel: int = 0
    config: ChannelConfig = field(default_factory=lambda: ChannelConfig("c"))

    async def deliver(self, url: str, headers: Any, body: bytes) -> Delivered:
        """Our webhook: keeps what came; answers with `statuses` first and 200 afterwards."""
        self.hooks.append(HookRequest("POST", "", dict(headers), body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise DeliveryFailed("connection refused")
        return Delivered(status, self.retry_after if status != 200 else None)

    async def control(self, method: str, path: str, **body: Any) -> Any:
        response = await self.client.request(method, f"{self.base}/control{path}", json=body if body else {})
        assert response.status_code == 200, response.text
        return response.json()

    async def open(self, kind: str) -> None:
        secrets = {"inbound_secret": new_secret(), "outbound_secret": new_secret()}
        if kind == "telegram":
            channel = await self.control("POST", "/channels", kind=kind, name="Harbour Helper", token=TOKEN)
            settings = {"api_url": self.base}
            self.config = ChannelConfig("c", settings, {"bot_token": TOKEN, "webhook_secret": SECRET})
        else:
            hook = "http://127.0.0.1:1/hook"
            channel = await self.control("POST", "/channels", kind=kind, name="Bot", hook_url=hook, **secrets)
            settings = {"callback_url": f"{self.base}/callbacks/{channel['id']}"}
            self.config = ChannelConfig("c", settings, secrets)
        self.channel = channel["id"]
        self.person = (await self.control("GET", "/people"))[0]["id"]
        chat = await self.control("POST", "/chats", person_id=self.person, channel_id=self.channel)
        self.chat = chat["id"]

    async def write(self, **message: Any) -> Any:
        return await self.control("POST", f"/chats/{self.chat}/messages", **message)

    async def hooks_of(self, count: int) -> list[HookRequest]:
        await until(lambda: len(self.hooks) >= count)
        return self.hooks

    def parsed(self, kind: str = "telegram") -> list[Any]:
        events = []
        for hook in self.hooks:
            adapter(kind).verify(hook, self.config, datetime.now(UTC))
            events.extend(adapter(kind).parse(hook.body, self.config, datetime.now(UTC)))
        return events

    async def say(self, text: str, key: str = "m1", files: tuple[BytesFile, ...] = ()) -> Any:
        kind = "telegram" if "bot_token" in self.config.secrets else "bot"
        address = str(self.person) if kind == "telegram" else "ines_c"
        parts = adapter(kind).split(from_markdown(text), files, address, key, None)
        return [await adapter(kind).send(part, self.config, self.http) for part in parts]

    async def ledger(self) -> list[Any]:
        return list(await self.control("GET", "/ledger"))


@asynccontextmanager
async def opened(directory: Path, kind: str) -> AsyncIterator[World]:
    world = World("", httpx.AsyncClient(trust_env=False, verify=False), LoopbackHttp(timeout=1.0))
    async with serving(create_app(directory, world.deliver, first_retry=0.01)) as base:
        world.base = base
        await world.open(kind)
        if kind == "telegram":
            probe = await adapter(kind).connect("http://127.0.0.1:1/hook", world.config, world.http)
            assert probe.ok, probe.words
        yield world
        await world.client.aclose()
        await world.http.close()


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path, "telegram") as world:
        yield world


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path, "bot") as world:
        yield world


async def test_a_customers_message_arrives_as_a_signed_update(telegram: World) -> None:
    await telegram.write(type="text", text="¿Abren mañana? 🌊 https://a.example")
    await telegram.hooks_of(1)
    (message,) = telegram.parsed()
    assert isinstance(message, InboundMessage)
    assert (message.text.text, message.sender.name) == (
        "¿Abren mañana? 🌊 https://a.example",
        "Inés Calderón",
    )
    assert [mark.kind for mark in message.text.marks] == ["link"]
    with pytest.raises(BadSignature):
        adapter("telegram").verify(
            telegram.hooks[0], ChannelConfig("c", {}, {"webhook_secret": "other"}), datetime.now(UTC)
        )


async def test_every_kind_of_message_is_understood(telegram: World) -> None:
    await telegram.write(type="photo", text="Broken spoke")
    await telegram.write(type="voice")
    await telegram.write(type="document")
    await telegram.write(type="location", latitude=36.5, longitude=-6.3)
    await telegram.write(type="contact", phone="+34 555 0100", name="Ana")
    await telegram.write(type="sticker", emoji="🎉")
    await telegram.write(type="poll", question="Which day?")
    await telegram.write(type="album", files=[{}, {}], text="Two")
    await telegram.hooks_of(9)
    photo, voice, document, place, card, sticker, poll, one, two = telegram.parsed()
    assert (photo.text.text, photo.media[0].kind) == ("Broken spoke", "image")
    assert (voice.media[0].kind, voice.media[0].duration, document.media[0].name) == (
        "voice",
        3,
        "order-7781.txt",
    )
    assert (place.location.latitude, card.card.phones, sticker.text.text) == (36.5, ("+34 555 0100",), "🎉")
    assert (poll.unsupported, poll.text.text) == ("poll", "Which day?")
    assert one.album
    assert one.album == two.album


async def test_edits_reactions_replies_and_blocking_arrive(telegram: World) -> None:
    (first,) = await telegram.write(type="text", text="Monday")
    await telegram.say("We open at ten")
    answer = (await telegram.ledger())[0]["message_id"]
    await telegram.control("PATCH", f"/chats/{telegram.chat}/messages/{first['message_id']}", text="Tuesday")
    await telegram.control("POST", f"/chats/{telegram.chat}/messages/{answer}/reaction", emoji="👍")
    await telegram.write(type="text", text="thanks", reply_to=answer)
    await telegram.control("POST", f"/chats/{telegram.chat}/block", blocked=True)
    await telegram.hooks_of(5)
    message, edit, reaction, reply, blocked = telegram.parsed()
    assert isinstance(edit, Edit)
    assert (edit.external_id, edit.text.text) == (message.external_id, "Tuesday")
    assert isinstance(reaction, Reaction)
    assert (reaction.external_id, reaction.emojis) == (f"{telegram.person}:{answer}", ("👍",))
    assert reply.reply_to == f"{telegram.person}:{answer}"
    assert isinstance(blocked, Reachability)
    assert not blocked.reachable
    with pytest.raises(Permanent, match="bot was blocked by the user"):
        await telegram.say("Hello?")


async def test_a_file_of_the_customer_can_be_fetched(telegram: World) -> None:
    await telegram.write(type="photo")
    await telegram.hooks_of(1)
    (message,) = telegram.parsed()
    async with adapter("telegram").fetch(message.media[0].ref, telegram.config, telegram.http) as download:
        data = b"".join([chunk async for chunk in download.chunks()])
    assert data.startswith(b"\x89PNG")
    assert len(data) == message.media[0].size


async def test_a_file_above_20_mb_stays_at_telegram_and_says_why(telegram: World) -> None:
    big = await telegram.client.post(
        f"{telegram.base}/control/files?name=cctv.mkv", content=b"\0" * 20_000_001
    )
    await telegram.write(type="document", file_id=big.json()["id"])
    await telegram.hooks_of(1)
    (message,) = telegram.parsed()
    assert (message.media[0].name, message.media[0].size) == ("cctv.mkv", 20_000_001)
    with pytest.raises(FetchError, match="20 MB") as failure:
        async with adapter("telegram").fetch(message.media[0].ref, telegram.config, telegram.http):
            pass
    assert not failure.value.retryable


async def test_formatting_arrives_as_entities(telegram: World) -> None:
    (sent,) = await telegram.say("**Ready** & <paid>: [receipt](https://a.example/?a=1&b=2) 👋 _now_")
    (entry,) = await telegram.ledger()
    assert entry["content"]["text"] == "Ready & <paid>: receipt 👋 now"
    assert [(each["type"], each["offset"], each["length"]) for each in entry["content"]["entities"]] == [
        ("bold", 0, 5),
        ("text_link", 16, 7),
        ("italic", 27, 3),
    ]
    assert sent.external_ids == (f"{telegram.person}:{entry['message_id']}",)


async def test_files_are_uploaded_whole_and_albums_stay_together(telegram: World) -> None:
    photo = BytesFile(sample_photo(10), "image", 'a "b".png', "image/png")
    voice = BytesFile(sample_voice(2), "voice", "v.ogg", "audio/ogg", duration=2)
    album, note = await telegram.say("See **this**", files=(photo, photo, voice))
    assert len(album.external_ids) == 2
    assert len(note.external_ids) == 1
    first, second, third = await telegram.ledger()
    assert first["content"]["album"] == second["content"]["album"]
    assert first["content"]["text"] == "See this"
    assert first["content"]["entities"][0]["type"] == "bold"
    assert (third["method"], third["content"]["duration"]) == ("sendVoice", 2)
    stored = await telegram.client.get(f"{telegram.base}/control/files/{first['content']['file_id']}")
    assert stored.content == photo.data


async def test_the_sandbox_refuses_what_telegram_refuses(telegram: World) -> None:
    async def call(method: str, **fields: Any) -> tuple[int, str]:
        response = await telegram.client.post(f"{telegram.base}/bot{TOKEN}/{method}", json=fields)
        return response.status_code, response.json()["description"]

    chat = telegram.person
    assert await call("sendMessage", chat_id=5, text="a") == (400, "Bad Request: chat not found")
    assert await call("sendMessage", chat_id=chat, text="a" * 4097) == (
        400,
        "Bad Request: message is too long",
    )
    assert await call("sendMessage", chat_id=chat, text=" ") == (400, "Bad Request: message text is empty")
    status, words = await call("sendMessage", chat_id=chat, text="<x>a</x>", parse_mode="HTML")
    assert (status, words) == (
        400,
        'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0',
    )
    assert await call("nothing") == (404, "Not Found")
    unknown = await telegram.client.post(f"{telegram.base}/bot1:x/getMe")
    assert (unknown.status_code, unknown.json()["description"]) == (401, "Unauthorized")
    assert await telegram.ledger() == []


@pytest.mark.parametrize(
    ("mode", "error", "taken"),
    [
        ("429", Retryable, 0),
        ("500", Retryable, 0),
        ("502", Retryable, 0),
        ("blocked", Permanent, 0),
        ("drop", OutcomeUnknown, 0),
        ("cut", OutcomeUnknown, 1),
        ("timeout", OutcomeUnknown, 1),
    ],
)
async def test_bad_weather_fails_the_next_send_and_only_that(
    telegram: World, mode: str, error: type[Exception], taken: int
) -> None:
    await telegram.control("POST", "/weather", side="send", mode=mode, seconds=7)
    with pytest.raises(error) as failure:
        await telegram.say("hello")
    assert TOKEN not in str(failure.value)
    assert len(await telegram.ledger()) == taken
    if mode == "429":
        assert isinstance(failure.value, Retryable)
        assert (failure.value.retry_after, failure.value.whole_channel) == (7, True)
    await telegram.say("again")
    assert len(await telegram.ledger()) == taken + 1


async def test_a_webhook_that_fails_is_repeated_until_it_is_taken_and_holds_up_its_chat_only(
    telegram: World,
) -> None:
    telegram.statuses = [500, 0, 503]
    await telegram.write(type="text", text="one")
    await telegram.write(type="text", text="two")
    await telegram.hooks_of(5)
    assert [event.text.text for event in telegram.parsed()] == ["one", "one", "one", "one", "two"]
    await until_async(lambda: _settled(telegram))
    messages = (await telegram.control("GET", f"/chats/{telegram.chat}"))["messages"]
    assert [message["state"] for message in messages] == ["taken", "taken"]


async def _settled(world: World) -> bool:
    return await world.control("GET", "/outbox") == []


async def test_retry_after_of_our_webhook_is_honoured(telegram: World) -> None:
    telegram.statuses, telegram.retry_after = [503], 3000.0
    await telegram.write(type="text", text="one")
    waiting = await until_async(lambda: _later(telegram))
    assert waiting["due"] - datetime.now(UTC).timestamp() > 2900


async def _later(world: World) -> Any:
    return next((row for row in await world.control("GET", "/outbox") if row["attempt"] == 1), None)


async def test_webhooks_come_doubled_and_in_the_opposite_order_when_asked(telegram: World) -> None:
    await telegram.control("POST", "/weather", side="webhook", mode="duplicate", copies=4)
    await telegram.write(type="text", text="same")
    await telegram.hooks_of(4)
    assert len({hook.body for hook in telegram.hooks}) == 1
    telegram.hooks.clear()
    await telegram.control("POST", "/weather", side="webhook", mode="reorder", count=2, seconds=0.3)
    await telegram.write(type="text", text="first")
    await telegram.write(type="text", text="second")
    await telegram.hooks_of(2)
    assert [event.text.text for event in telegram.parsed()] == ["second", "first"]


async def test_what_was_taken_outlives_the_sandbox(tmp_path: Path) -> None:
    async with opened(tmp_path, "telegram") as world:
        world.statuses = [500] * 1000
        await world.write(type="text", text="still there")
        await world.say("answered")
        await world.hooks_of(1)
        before = await world.ledger()
    async with opened(tmp_path, "telegram") as world:
        await world.hooks_of(1)
        assert world.parsed()[0].text.text == "still there"
        assert await world.ledger() == before


async def test_a_bots_messages_are_signed_and_ours_are_acknowledged(bot: World) -> None:
    await bot.write(type="text", text="Order 7781 is late")
    await bot.hooks_of(1)
    (message,) = bot.parsed("bot")
    assert (message.sender.id, message.text.text) == ("ines_c", "Order 7781 is late")
    (sent,) = await bot.say("It **leaves** today", key="m-7")
    assert sent.external_ids == ("m-7",)
    await bot.hooks_of(3)
    receipts = [event for event in bot.parsed("bot") if isinstance(event, Receipt)]
    assert [(receipt.external_id, receipt.status) for receipt in receipts] == [
        ("m-7", "delivered"),
        ("m-7", "read"),
    ]


async def test_a_callback_sent_twice_is_kept_once(bot: World) -> None:
    await bot.say("once", key="m-8")
    await bot.say("once", key="m-8")
    assert len(await bot.ledger()) == 1


async def test_a_bot_that_never_answers_is_asked_again_and_keeps_one_message(bot: World) -> None:
    await bot.control("POST", "/weather", side="send", mode="timeout")
    with pytest.raises(Retryable):
        await bot.say("late", key="m-9")
    await bot.say("late", key="m-9")
    assert len(await bot.ledger()) == 1


async def test_a_forged_callback_is_refused(bot: World) -> None:
    forged = ChannelConfig("c", bot.config.settings, {"outbound_secret": new_secret()})
    part = adapter("bot").split(RichText("hi"), (), "ines_c", "m-1", None)[0]
    with pytest.raises(Permanent) as failure:
        await adapter("bot").send(part, forged, bot.http)
    assert failure.value.code == "401"


async def test_an_open_page_hears_of_a_new_message(telegram: World) -> None:
    async with telegram.client.stream("GET", f"{telegram.base}/control/events", timeout=5) as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": hello"
        await telegram.write(type="text", text="ping")
        async with asyncio.timeout(5):
            async for line in lines:
                if line.startswith("data:"):
                    break
        assert json.loads(line[5:])["chat_id"] == telegram.chat
