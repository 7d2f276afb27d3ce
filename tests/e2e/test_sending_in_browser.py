"""A reply on its way: shown at once, sent once, and in words what became of it."""

import asyncio
import re

import pytest
from desk import Desk
from playwright.async_api import Route, expect
from watch import Watch
from world import World

POSTS = re.compile(r"/api/v1/conversations/[^/]+/messages$")


async def test_a_reply_shows_at_once_while_the_server_is_slow(world: World, olga: Desk) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await olga.opens("Inés")
    go = asyncio.Event()

    async def slowly(route: Route) -> None:
        if route.request.method == "POST":
            await go.wait()
        await route.continue_()

    await olga.page.route(POSTS, slowly)
    await olga.answers("hello")
    await olga.sees("hello", state="Sending")
    assert await ines.received() == []
    go.set()
    await olga.sees("hello", state="Sent")
    await expect(olga.message("hello")).to_have_count(1)
    await ines.reads("hello")


@pytest.mark.parametrize("reached", [False, True], ids=["before it was taken", "after it was taken"])
async def test_retry_sends_once_when_the_server_answered_503(
    world: World, olga: Desk, watch: Watch, reached: bool
) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await olga.opens("Inés")
    watch.expect("status of 503")
    held = asyncio.Event()

    async def fails_once(route: Route) -> None:
        if route.request.method != "POST" or held.is_set():
            await route.continue_()
            return
        held.set()
        if reached:
            await route.fetch()
        await route.fulfill(status=503, json={"title": "Unavailable", "status": 503, "detail": "Try again."})

    await olga.page.route(POSTS, fails_once)
    await olga.answers("hello")
    if not reached:
        await olga.sees("hello", state="Not sent: Try again.")
        assert await ines.received() == []
        await olga.message("hello").get_by_role("button", name="Retry").click()
    await olga.sees("hello", state="Sent")
    await ines.reads("hello")
    await world.quiet()
    assert await ines.received() == ["hello"]
    await expect(olga.message("hello")).to_have_count(1)


async def test_a_refusal_is_shown_in_telegrams_words_and_retry_sends(world: World, olga: Desk) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await olga.opens("Inés")
    await world.weather("blocked")
    await olga.answers("hello")
    await olga.sees("hello", state="Not sent: Forbidden: bot was blocked by the user (403)")
    await expect(olga.row("Inés").get_by_role("img", name="Not sent")).to_be_visible()
    await olga.message("hello").get_by_role("button", name="Retry").click()
    await olga.sees("hello", state="Sent")
    await ines.reads("hello")


async def test_too_many_requests_is_tried_again_by_itself_and_says_so(world: World, olga: Desk) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await olga.opens("Inés")
    await world.weather("429", seconds=1)
    await olga.answers("hello")
    await olga.sees("hello", state="Trying again at")
    await olga.sees("hello", state="Sent")
    assert await ines.received() == ["hello"]


async def test_an_answer_that_never_came_is_called_unknown_and_is_not_sent_twice_unasked(
    world: World, olga: Desk
) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    await olga.opens("Inés")
    await world.weather("cut")
    await olga.answers("hello")
    await olga.sees("hello", state="We cannot tell whether it arrived. Sending it again may show it twice.")
    await ines.reads("hello")
    assert await ines.received() == ["hello"]
    await olga.message("hello").get_by_role("button", name="Send again anyway").click()
    await olga.sees("hello", state="Sent")
    assert await ines.received() == ["hello", "hello"]
