"""The doors: what other sites, other methods and other content types may not do, and what every answer says."""

import json
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect
from world import World, new_key

from inbox.outbox import new_id

Json = dict[str, Any]


async def _write(world: World, headers: dict[str, str], content: bytes | None = None) -> httpx.Response:
    """A request that changes something, with olga's cookie and these headers only."""
    body = json.dumps({"name": f"label {new_key()}"}).encode() if content is None else content
    cookie = {"cookie": f"meridian={world.olga.http.cookies['meridian']}"}
    url = f"{world.installation.url}/api/v1/labels"
    return await world.installation.http.post(url, content=body, headers=cookie | headers)


async def test_a_change_needs_our_origin_the_sessions_token_and_json(world: World) -> None:
    good = {"content-type": "application/json", "x-csrf-token": world.olga.http.headers["x-csrf-token"]}
    assert (await _write(world, good)).status_code == 201
    assert (
        await _write(world, good | {"origin": world.origin, "sec-fetch-site": "same-origin"})
    ).status_code == 201
    other = world.diego.http.headers["x-csrf-token"]
    refused = {
        "no token": {"content-type": "application/json"},
        "somebody else's token": good | {"x-csrf-token": other},
        "a token that is no text": good | {"x-csrf-token": "ñ".encode("latin-1")},
        "another origin": good | {"origin": "https://evil.example"},
        "the null origin": good | {"origin": "null"},
        "a prefix of our origin": good | {"origin": world.origin + ".evil.example"},
        "another site": good | {"sec-fetch-site": "cross-site"},
        "a sibling of ours": good | {"sec-fetch-site": "same-site"},
    }
    for what, headers in refused.items():
        assert (await _write(world, headers)).status_code == 403, what
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert (await _write(world, good | {"content-type": kind})).status_code == 422, kind
    labels = await world.olga.get("/api/v1/labels")
    assert len(labels) == 2


async def test_signing_in_from_another_site_is_refused(world: World) -> None:
    url = f"{world.installation.url}/api/v1/auth/login"
    body = {"email": world.olga.email, "password": "x"}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await world.installation.http.post(url, json=body, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/realtime", "/widget/api/{webchat}/realtime"])
async def test_another_site_gets_no_live_feed_even_with_our_cookie(
    world: World, path: str, headers: dict
) -> None:
    url = world.installation.url.replace("http", "ws") + path.replace("{webchat}", world.webchat.id)
    cookie = {"cookie": f"meridian={world.olga.http.cookies['meridian']}"}
    async with connect(url, additional_headers=cookie | headers) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_nobody_gets_no_live_feed(world: World) -> None:
    for cookie in ({}, {"cookie": "meridian=nonsense"}):
        with pytest.raises(websockets.ConnectionClosed) as closed:
            async with connect(
                world.installation.url.replace("http", "ws") + "/realtime", additional_headers=cookie
            ) as socket:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/realtime", "/hooks/x"])
async def test_other_sockets_find_nothing(world: World, path: str) -> None:
    with pytest.raises((websockets.ConnectionClosed, websockets.InvalidStatus)):
        async with connect(world.installation.url.replace("http", "ws") + path) as socket:
            await socket.recv()


@pytest.mark.parametrize(
    "frame", ["nonsense", "[" * 3000, '{"type":"resume"}', '{"type":"explode"}', "x" * 5000, "😀"]
)
async def test_a_frame_that_is_none_closes_the_socket_and_nothing_else(world: World, frame: str) -> None:
    screen = world.olga.new_screen()
    await screen.open()
    assert screen._socket is not None
    await screen._socket.send(frame)
    await screen.until(lambda: screen.closed_with, what="the close")
    assert screen.closed_with == 4400
    await world.customer("Inés").writes("hi")
    await world.olga.sees("hi")


BROKEN = [b"", b"{", b"[]", b"null", b'{"name": 1}', b'{"name": "\xff"}', b'{"name": "x", "more": 1}', b"[" * 100_000,
          b'{"name": "a\\u0000b"}', b'{"name": "\\ud800"}', b'{"name": "' + b"x" * 3_000_000 + b'"}']  # fmt: skip


async def test_a_body_that_is_no_request_is_a_problem_in_words_and_not_a_crash(world: World) -> None:
    headers = {"content-type": "application/json", "x-csrf-token": world.olga.http.headers["x-csrf-token"]}
    for body in BROKEN:
        answer = await _write(world, headers, body)
        assert answer.status_code in (413, 422), (body[:40], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status"} <= answer.json().keys()


EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
}


async def test_every_answer_carries_the_security_headers_errors_included(world: World) -> None:
    http, url = world.installation.http, world.installation.url
    answers = [
        await http.get(f"{url}/"),
        await http.get(f"{url}/conversations/1"),
        await http.get(f"{url}/missing.js"),
        await http.post(f"{url}/"),
        await http.get(f"{url}/api/v1/nowhere"),
        await http.delete(f"{url}/api/v1/labels"),
        await http.get(f"{url}/api/v1/boot"),
        await http.get(f"{url}/api/v1/setup"),
        await http.get(f"{url}/health/live"),
        await http.get(f"{url}/health/ready"),
        await http.get(f"{url}/metrics"),
        await http.get(f"{url}/openapi.json"),
        await http.get(f"{url}/docs"),
        await http.get(f"{url}/files/nonsense"),
        await http.post(f"{url}/hooks/{new_id()}"),
        await http.get(f"{url}/widget/api/{world.webchat.id}/config"),
        await http.get(f"{url}/widget/api/{new_id()}/config"),
        await world.olga.api("GET", "/api/v1/boot"),
        await world.olga.api("POST", "/api/v1/labels", {"name": ""}),
    ]
    for answer in answers:
        for name, value in EVERYWHERE.items():
            assert answer.headers.get(name) == value, f"{answer.request.method} {answer.request.url}: {name}"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), str(answer.request.url)
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert "server" not in answer.headers
        if answer.request.url.path.startswith(("/api/", "/hooks/")):
            assert answer.headers["cache-control"] == "no-store", str(answer.request.url)
            assert "frame-ancestors 'none'" in policy
        if answer.status_code >= 400 and answer.request.url.path.startswith(("/api/", "/hooks/")):
            assert answer.headers["content-type"] == "application/problem+json", str(answer.request.url)
            assert "Traceback" not in answer.text


async def test_everything_behind_the_sign_in_is_closed_to_nobody(world: World) -> None:
    document = (await world.installation.http.get(f"{world.installation.url}/openapi.json")).json()
    open_to_all = {"GetSetup", "SetUp", "SignIn", "ListChannelKinds"}
    tried = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] in open_to_all:
                continue
            parts = [str(new_id()) if part.startswith("{") else part for part in path.split("/")]
            answer = await world.installation.http.request(
                method.upper(), world.installation.url + "/".join(parts), headers={"content-type": "application/json"},
                content=b"{}" if method in ("post", "patch", "put") else None,
            )  # fmt: skip
            tried += 1
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
    assert tried > 25


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fcsp.json", "/csp.json", "/%00"],
)
async def test_pages_give_no_file_that_is_not_theirs(world: World, path: str) -> None:
    answer = await world.installation.http.get(world.installation.url + path)
    assert "root:x:0" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")
