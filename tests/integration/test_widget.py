import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from installation import until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from world import Visitor, World

Json = dict[str, Any]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301"
    "010018dd8db00000000049454e44ae426082"
)


async def visitor_of(world: World, name: str = "Ada") -> Visitor:
    visitor = Visitor(world, name)
    await visitor.arrives()
    return visitor


def socket_address(visitor: Visitor) -> str:
    return f"{visitor.world.installation.url}{visitor.base}/realtime".replace("http", "ws", 1)


@asynccontextmanager
async def live(visitor: Visitor) -> AsyncIterator[ClientConnection]:
    async with connect(socket_address(visitor)) as socket:
        await socket.send(json.dumps({"type": "resume", "cursor": None, "token": visitor.token}))
        assert json.loads(await socket.recv())[0]["type"] == "welcome"
        yield socket


async def shown(socket: ClientConnection, text: str) -> Json:
    """The next event about a message that reads `text`."""
    while True:
        for frame in json.loads(await socket.recv()):
            message = frame.get("data", {}).get("message")
            if message and message["text"] == text:
                return {"type": frame["type"], **message}


async def uploads(visitor: Visitor, name: str = "pot.png", kind: str = "image/png", data: bytes = PNG) -> str:
    answer = await visitor.call("POST", "/uploads", files={"file": (name, data, kind)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["upload_id"])


async def file_of(visitor: Visitor, file_id: str) -> httpx.Response:
    return await visitor.call("GET", f"/files/{file_id}", params={"token": visitor.token})


async def page(visitor: Visitor, **where: str) -> Json:
    answer = await visitor.call("GET", "/messages", params=where)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def has(visitor: Visitor, count: int) -> list[Json]:
    async def look() -> list[Json] | None:
        items = await visitor.shows()
        return items if len(items) >= count else None

    found = await until(look, what=f"{count} messages in the widget")
    assert found is not None
    return found


async def test_the_visitors_screen_shows_both_sides_without_a_reload(world: World) -> None:
    visitor = await visitor_of(world)
    async with live(visitor) as socket:
        written = await visitor.writes("Is the tent in stock?")
        own = await shown(socket, "Is the tent in stock?")
        assert (own["type"], own["from"]) == ("message.created", "visitor")
        assert own["client_message_id"] == written["client_message_id"]
        await world.olga.sees("Is the tent in stock?")
        await world.olga.answers("It **is**.")
        answer = await shown(socket, "It is.")
        assert (answer["from"], answer["name"]) == ("agent", "Olga")
        assert answer["marks"] == [{"kind": "bold", "offset": 3, "length": 2}]


async def test_the_same_message_sent_again_is_one_message(world: World) -> None:
    visitor = await visitor_of(world)
    written = await visitor.writes("Only once")
    for _ in range(3):
        assert (await visitor.call("POST", "/messages", written)).status_code == 202
    await visitor.writes("Then this")
    await world.olga.sees("Then this")
    await world.quiet()
    assert [item["text"] for item in await visitor.shows()] == ["Only once", "Then this"]


async def test_a_visitor_never_sees_a_note(world: World) -> None:
    visitor = await visitor_of(world)
    async with live(visitor) as socket:
        await visitor.writes("A question")
        await world.olga.sees("A question")
        await world.olga.notes("A difficult one")
        await world.olga.answers("The answer")
        seen = [frame["data"]["message"]["text"] async for frame in _frames(socket, until_text="The answer")]
        assert seen == ["A question", "The answer"]
    assert [item["text"] for item in await visitor.shows()] == ["A question", "The answer"]


async def _frames(socket: ClientConnection, *, until_text: str) -> AsyncIterator[Json]:
    while True:
        for frame in json.loads(await socket.recv()):
            if "message" in frame.get("data", {}):
                yield frame
                if frame["data"]["message"]["text"] == until_text:
                    return


async def test_receipts_tell_the_agent_that_the_answer_arrived_and_was_read(world: World) -> None:
    visitor = await visitor_of(world)
    await visitor.writes("A question")
    await world.olga.sees("A question")
    sent = await world.olga.answers("The answer")
    seen = await visitor.reads("The answer")
    await visitor.tells("received", seen["id"])
    await world.olga.screen.state(sent["id"], "delivered")
    await visitor.tells("seen", seen["id"])
    await world.olga.screen.state(sent["id"], "read")


async def test_another_visitor_sees_and_does_nothing_in_a_thread_that_is_not_theirs(world: World) -> None:
    owner, stranger = await visitor_of(world, "Ada"), await visitor_of(world, "Eve")
    upload = await uploads(owner)
    await owner.writes("Private words", attachments=[{"upload_id": upload}])
    [message] = await has(owner, 1)
    assert await stranger.shows() == []
    seen = {"type": "seen", "message_id": message["id"]}
    assert (await stranger.call("POST", "/receipts", seen)).status_code == 404
    assert (await file_of(stranger, upload)).status_code == 404
    assert (await file_of(owner, upload)).content == PNG


async def test_a_file_that_a_visitor_uploads_reaches_the_agent_as_what_it_is(world: World) -> None:
    visitor = await visitor_of(world)
    upload = await uploads(visitor)
    await visitor.writes("Look at this", attachments=[{"upload_id": upload, "name": "lie.exe"}])
    [message] = await has(visitor, 1)
    [file] = message["attachments"]
    assert (file["kind"], file["name"], file["state"], file["size"]) == (
        "image",
        "pot.png",
        "ready",
        len(PNG),
    )
    assert (await world.olga.api("GET", f"/api/v1/attachments/{file['id']}")).content == PNG


async def test_a_script_in_an_uploaded_file_is_only_ever_a_download(world: World) -> None:
    visitor = await visitor_of(world)
    upload = await uploads(
        visitor, "a.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"
    )
    answer = await file_of(visitor, upload)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_somebody_elses_upload_cannot_be_attached(world: World) -> None:
    owner, stranger = await visitor_of(world, "Ada"), await visitor_of(world, "Eve")
    body = {
        "client_message_id": uuid4().hex,
        "text": "Mine now",
        "attachments": [{"upload_id": await uploads(owner)}],
    }
    answer = await stranger.call("POST", "/messages", body)
    assert answer.status_code == 422
    assert await stranger.shows() == []


async def test_what_was_missed_is_fetched_page_by_page(world: World) -> None:
    visitor = await visitor_of(world)
    for number in range(55):
        await visitor.writes(f"line {number:02}")
    await world.olga.sees("line 54")
    await world.quiet()
    newest = await page(visitor)
    assert newest["has_more"]
    assert len(newest["items"]) == 50
    older = await page(visitor, before=newest["items"][0]["sort"])
    assert (len(older["items"]), older["has_more"]) == (5, False)
    everything = older["items"] + newest["items"]
    assert sorted(item["text"] for item in everything) == [f"line {number:02}" for number in range(55)]
    after = await page(visitor, after=everything[2]["sort"])
    assert after["items"] == everything[3:53]
    assert after["has_more"]
    assert (await page(visitor, after=everything[-1]["sort"]))["items"] == []


async def test_a_resolved_thread_says_so_and_opens_again_when_the_visitor_writes(world: World) -> None:
    visitor = await visitor_of(world)
    await visitor.writes("A question")
    await world.olga.sees("A question")
    assert not (await page(visitor))["resolved"]
    assert (await world.olga.changes(status="resolved")).is_success
    assert (await page(visitor))["resolved"]
    await visitor.writes("One more thing")
    await world.olga.sees("One more thing")
    assert not (await page(visitor))["resolved"]


async def test_a_session_goes_on_as_the_visitor_whom_its_token_names(world: World) -> None:
    visitor = await visitor_of(world)
    await visitor.writes("It is me")
    await has(visitor, 1)
    renewed = await visitor.call("POST", "/session", {"token": visitor.token})
    assert renewed.status_code == 201
    visitor.token = renewed.json()["token"]
    assert [item["text"] for item in await visitor.shows()] == ["It is me"]


@pytest.mark.parametrize("token", ["forged", "Zm9yZ2Vk", "...", "é"])
async def test_a_token_that_we_did_not_sign_opens_nothing(world: World, token: str) -> None:
    visitor = Visitor(world, "Mallory")
    headers = {"authorization": f"Bearer {token}".encode()}
    address = f"{world.installation.url}{visitor.base}/messages"
    assert (await world.installation.http.get(address, headers=headers)).status_code == 401
    async with connect(socket_address(visitor)) as socket:
        await socket.send(json.dumps({"type": "resume", "cursor": None, "token": token}))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4401


async def test_a_token_is_good_for_its_own_channel_only(world: World) -> None:
    visitor = await visitor_of(world)
    await world.connects("webchat", "Another site", {})
    assert (await visitor.call("GET", "/messages")).status_code == 401


async def test_a_chat_that_is_unknown_or_switched_off_is_not_found(world: World) -> None:
    visitor = await visitor_of(world)
    unknown = f"{world.installation.url}/widget/api/{uuid4()}/config"
    assert (await world.installation.http.get(unknown)).status_code == 404
    await world.olga.does("PATCH", f"/api/v1/channels/{world.webchat.id}", {"enabled": False})
    assert (await visitor.call("GET", "/config")).status_code == 404
    body = {"client_message_id": uuid4().hex, "text": "Hello?"}
    assert (await visitor.call("POST", "/messages", body)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"client_message_id": "short", "text": "x"},
        {"client_message_id": "a" * 20, "text": "  \n "},
        {"client_message_id": "a" * 20, "text": "x" * 10_001},
        {"client_message_id": "a" * 20, "text": 7},
        {"client_message_id": "a" * 20, "text": "x", "attachments": [{"upload_id": str(uuid4())}]},
        {"client_message_id": "a" * 20, "text": "x", "page": {"url": "x" * 5000}},
    ],
)
async def test_a_message_that_cannot_be_taken_is_refused_in_words(world: World, body: Json) -> None:
    visitor = await visitor_of(world)
    answer = await visitor.call("POST", "/messages", body)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_what_another_site_sends_is_refused(world: World) -> None:
    visitor = await visitor_of(world)
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    address = f"{world.installation.url}{visitor.base}/session"
    assert (await world.installation.http.post(address, json={}, headers=foreign)).status_code == 403
    async with connect(
        socket_address(visitor), additional_headers={"origin": "https://evil.example"}
    ) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4403


async def test_the_widget_says_whether_somebody_is_there_and_when_not_who_is_next(world: World) -> None:
    visitor = await visitor_of(world)
    config = (await visitor.call("GET", "/config")).json()
    assert config["online"]
    assert config["agents"] == [{"name": "Diego"}, {"name": "Olga"}]
    await world.olga.does("PATCH", "/api/v1/me", {"availability": "away"})
    await world.diego.does("PATCH", "/api/v1/me", {"availability": "away"})
    away = (await visitor.call("GET", "/config")).json()
    assert (away["online"], away["agents"], "back_at" in away) == (False, [], False)


async def test_the_widget_says_when_the_next_shift_begins(world: World) -> None:
    visitor = await visitor_of(world)
    await world.olga.does("PATCH", "/api/v1/me", {"availability": "away"})
    tomorrow = (_weekday_of_today() + 1) % 7
    diego = {"schedule": [[tomorrow, 1380, 1439]], "time_zone": "UTC"}
    await world.olga.does("PATCH", f"/api/v1/agents/{world.diego.id}", diego)
    config = (await visitor.call("GET", "/config")).json()
    assert not config["online"]
    assert config["back_at"].endswith("T23:00:00Z")


def _weekday_of_today() -> int:
    return datetime.now(UTC).weekday()
