"""On a phone: one thing at a time, back is the browser's back, and nothing hangs over the edge."""

from collections.abc import Awaitable, Callable

import pytest
from desk import Desk
from playwright.async_api import Page, expect
from world import World

SitDown = Callable[..., Awaitable[Desk]]
PLACES = ("/inbox/all", "/settings", "/settings/channels", "/settings/people", "/settings/labels",
          "/settings/failures", "/settings/events", "/settings/deliveries", "/settings/profile")  # fmt: skip


async def too_wide(page: Page) -> list[str]:
    """What hangs over the right edge of the window, other than inside of something that scrolls by itself."""
    found: list[str] = await page.evaluate(
        """() => {
            const edge = innerWidth + 1;
            const scrolls = element => element && (element.scrollWidth > element.clientWidth
                && getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
            const over = [...document.body.querySelectorAll('*')].filter(element =>
                element.checkVisibility() && element.getBoundingClientRect().right > edge
                && !scrolls(element.parentElement));
            const page = document.scrollingElement;
            return [...over.map(element => element.outerHTML.slice(0, 200)),
                ...(page.scrollWidth > page.clientWidth ? [`the page: ${page.scrollWidth}`] : [])];
        }"""
    )
    return [f"{page.url}: {line}" for line in found]


async def test_list_thread_answer_and_back_on_a_phone(world: World, desk_of: SitDown) -> None:
    ines = world.customer("Inés")
    await ines.writes("¿Abren mañana?")
    desk = await desk_of(world.olga, viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    await desk.row("Inés").tap()
    await desk.sees("¿Abren mañana?")
    await expect(desk.row("Inés")).to_be_hidden()
    await desk.reply.tap()
    await desk.reply.fill("Sí, desde las nueve.")
    await desk.page.get_by_role("button", name="Send").tap()
    await desk.sees("Sí, desde las nueve.", state="Sent")
    await ines.reads("Sí, desde las nueve.")
    await desk.page.go_back()
    await expect(desk.row("Inés")).to_be_visible()
    await expect(desk.reply).to_have_count(0)
    await desk.page.go_forward()
    await desk.sees("Sí, desde las nueve.")
    await desk.page.get_by_role("link", name="Back").tap()
    await expect(desk.row("Inés")).to_be_visible()


@pytest.mark.parametrize("width", [375, 320])
async def test_nothing_hangs_over_the_edge(world: World, desk_of: SitDown, width: int) -> None:
    await world.customer("Wolfeschlegelsteinhausenbergerdorff").writes(
        "a" * 300 + " https://example.com/" + "b" * 200
    )
    await world.telegram.says(b'{"update_id": "' + b"x" * 300 + b'"}')
    desk = await desk_of(world.olga, viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    await desk.row("Wolfe").wait_for()
    found = await too_wide(desk.page)
    await desk.row("Wolfe").tap()
    await expect(desk.thread.get_by_role("article")).to_be_visible()
    await desk.answers("c" * 200)
    await desk.sees("c" * 200, state="Sent")
    found += await too_wide(desk.page)
    for place in PLACES:
        await desk.goes_to(place)
        await expect(desk.page.get_by_role("heading").first).to_be_visible()
        await expect(desk.page.get_by_text("Loading…")).to_have_count(0)
        found += await too_wide(desk.page)
    assert not found, "\n".join(found)
