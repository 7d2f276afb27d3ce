"""Files: here when we say so, whole, and harmless to look at."""

import base64
import hashlib
from typing import Any

import httpx
import pytest
from world import Agent, World, new_key

from channels.sandbox.samples import sample_photo, sample_voice

Json = dict[str, Any]
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def upload(agent: Agent, data: bytes, name: str, content_type: str) -> httpx.Response:
    return await agent.http.post("/api/v1/attachments", files={"file": (name, data, content_type)})


async def stored(agent: Agent) -> Json:
    event = await agent.screen.event("attachment.stored")
    return dict(event["message"]["attachments"][0])


@pytest.mark.parametrize("via", ["telegram", "bot"])
async def test_a_photo_can_be_fetched_the_moment_the_screen_is_told_of_it(world: World, via: str) -> None:
    photo = sample_photo(200)
    await world.customer("Inés").writes(
        "look", via=via, type="photo", data=in_base64(photo), name="wheel.png"
    )
    received = await world.olga.sees("look")
    assert received["attachments"][0]["state"] in ("pending", "ready")
    file = await stored(world.olga)
    answer = await world.olga.api("GET", f"/api/v1/attachments/{file['id']}")
    assert (answer.status_code, answer.content) == (200, photo)
    assert (file["kind"], file["content_type"], file["size"]) == ("image", "image/png", len(photo))
    rows = await world.rows("select sha256, blob_key from attachments where account_id = $1")
    assert rows[0]["sha256"] == hashlib.sha256(photo).digest()
    first = next(e for e in world.diego.screen.events if e["type"] == "message.received")
    assert first["data"]["message"]["attachments"][0]["state"] == "pending"


async def test_a_voice_note_stays_one(world: World) -> None:
    await world.customer("Inés").writes(type="voice", data=in_base64(sample_voice(2)))
    file = await stored(world.olga)
    assert (file["kind"], file["content_type"]) == ("voice", "audio/ogg")


async def test_what_telegram_does_not_hand_out_says_why(world: World) -> None:
    body = b"\x00" * 20_100_000
    sandbox = world.installation
    up = await sandbox.http.post(
        f"{sandbox.sandbox_url}/control/files?name=film.mp4",
        content=body,
        headers={"content-type": "video/mp4"},
    )
    await world.customer("Inés").writes("too long", type="video", file_id=up.json()["id"])
    failed = await world.olga.screen.event("attachment.failed")
    file = failed["message"]["attachments"][0]
    assert file["state"] == "failed"
    assert "20 MB" in file["error"]
    assert (await world.olga.api("GET", f"/api/v1/attachments/{file['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("data", "claimed", "name"),
    [(HTML, "image/png", "cat.png"), (HTML, "text/html", "page.html"), (SVG, "image/svg+xml", "logo.svg")],
)
async def test_a_page_dressed_as_a_picture_is_a_download_that_runs_nothing(
    world: World, data: bytes, claimed: str, name: str
) -> None:
    await world.customer("Inés").writes(
        "open me", type="document", data=in_base64(data), content_type=claimed, name=name
    )
    file = await stored(world.olga)
    assert file["kind"] == "document"
    answer = await world.olga.api("GET", f"/api/v1/attachments/{file['id']}")
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_an_agents_photo_reaches_the_phone(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("send me a picture")
    await world.olga.sees("send me a picture")
    photo = sample_photo(90)
    made = await upload(world.olga, photo, "wheel.png", "image/png")
    assert (made.status_code, made.json()["kind"]) == (201, "image")
    answer = await world.olga.answers("here", attachment_ids=[made.json()["id"]])
    assert [a["name"] for a in answer["attachments"]] == ["wheel.png"]
    shown = await ines.reads("here")
    assert (shown["content"]["type"], shown["content"]["size"]) == ("photo", len(photo))


async def test_a_bot_fetches_our_file_by_a_signed_link(world: World) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="bot")
    await world.olga.sees("hi")
    made = await upload(world.olga, b"%PDF-1.4 invoice", "invoice.pdf", "application/pdf")
    await world.olga.answers("the invoice", attachment_ids=[made.json()["id"]])
    shown = await ines.reads("the invoice")
    link = shown["content"]["url"]
    fetched = await world.installation.http.get(link)
    assert (fetched.status_code, fetched.content) == (200, b"%PDF-1.4 invoice")
    assert (await world.installation.http.get(link[:-2] + "xx")).status_code == 404


async def test_uploads_belong_to_whoever_uploaded_them(world: World) -> None:
    await world.customer("Inés").writes("hi")
    seen = await world.olga.sees("hi")
    made = (await upload(world.olga, b"a draft", "draft.txt", "text/plain")).json()
    assert (await world.diego.api("GET", f"/api/v1/attachments/{made['id']}")).status_code == 404
    assert (await world.olga.api("GET", f"/api/v1/attachments/{made['id']}")).status_code == 200
    path = f"/api/v1/conversations/{seen['conversation_id']}/messages"
    taken = {"body": "mine now", "attachment_ids": [made["id"]], "client_key": new_key()}
    assert (await world.diego.api("POST", path, taken)).status_code == 422
    assert (await world.olga.api("POST", path, taken)).status_code == 201
    again = await world.olga.api("POST", path, {**taken, "client_key": new_key()})
    assert again.status_code == 422


async def test_a_visitors_upload_belongs_to_that_visitor(world: World) -> None:
    ada, ben = world.customer("Ada").visitor, world.customer("Ben").visitor
    await ada.arrives()
    await ben.arrives()
    made = await ada.call("POST", "/uploads", files={"file": ("wheel.png", sample_photo(10), "image/png")})
    assert made.status_code == 201, made.text
    upload_id = made.json()["upload_id"]
    stolen = await ben.call(
        "POST",
        "/messages",
        {"client_message_id": "stolen-00001", "text": "", "attachments": [{"upload_id": upload_id}]},
    )
    assert stolen.status_code == 422
    assert (await ben.call("GET", f"/files/{upload_id}?token={ben.token}")).status_code == 404
    await ada.writes("my wheel", attachments=[{"upload_id": upload_id}])
    seen = await world.olga.sees("my wheel")
    assert [(a["state"], a["kind"]) for a in seen["attachments"]] == [("ready", "image")]
    assert (await ben.call("GET", f"/files/{upload_id}?token={ben.token}")).status_code == 404


async def test_a_file_that_is_too_large_is_refused_and_not_kept(world: World) -> None:
    limit = world.installation.settings.upload_limit
    answer = await upload(world.olga, b"x" * (limit + 1), "big.bin", "application/octet-stream")
    assert answer.status_code == 413
    assert await world.rows("select id from attachments where account_id = $1") == []


async def test_names_of_files_lose_paths_and_tricks(world: World) -> None:
    made = await upload(world.olga, b"x", "../../etc/cod\u202egnp.exe", "text/plain")
    assert made.json()["name"] == "codgnp.exe"


@pytest.mark.parametrize(
    "form",
    [
        {"files": {"other": ("a.txt", b"x", "text/plain")}},
        {"files": {"file": (None, b"not a file")}},
        {"json": {"file": "x"}},
        {"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    ],
)
async def test_a_form_without_its_file_is_refused_in_words(world: World, form: Json) -> None:
    answer = await world.olga.http.post("/api/v1/attachments", **form)
    assert answer.status_code == 422, answer.text
