"""The demo as somebody meets it who tries the product out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from axe import violations
from demo import Demo, demo
from desk import Desk
from installation import free_port
from playwright.async_api import BrowserContext, Page, expect
from watch import Watch

OpenContext = Callable[..., Awaitable[BrowserContext]]
SECTIONS = {
    "channels": "Channels", "people": "People", "labels": "Labels", "failures": "Failures",
    "events": "Event log", "deliveries": "Deliveries", "profile": "Profile",
}  # fmt: skip


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    folder: Path = tmp_path_factory.mktemp("demo", numbered=True)
    async with demo(folder / "data", free_port()) as started:
        yield started


async def enter(running: Demo, page: Page, name: str = "Olga Serova") -> Desk:
    """In with one click on the person."""
    await page.goto(f"{running.url}/signin?next=/inbox/all")
    await page.get_by_role("button", name=f"Sign in as {name}").click()
    await expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    return Desk(page, running.url)


async def test_one_click_signs_in_and_the_workspace_is_alive(running: Demo, browse: OpenContext) -> None:
    desk = await enter(running, await (await browse()).new_page())
    await expect(desk.view("All")).to_have_text("All 6")
    await desk.opens("Inés Calderón")
    await desk.sees("Stock in Madrid has two of these left")
    await expect(desk.thread.get_by_role("button", name="Open")).to_be_visible()


async def test_a_visitor_of_the_shop_and_an_agent_talk_and_see_that_they_were_seen(
    running: Demo, browse: OpenContext
) -> None:
    context = await browse()
    desk = await enter(running, await context.new_page(), "Amina Njoroge")
    async with context.expect_page() as opened:
        await desk.page.get_by_role("link", name="Demo shop").click()
    shop = await opened.value
    await shop.get_by_role("button", name="Chat").click()
    chat = shop.frame_locator("meridian-chat iframe")
    field = chat.get_by_role("textbox", name="Write a message…")
    await field.fill("Is the Norrland tent in stock?")
    await field.press("Enter")
    await expect(chat.get_by_role("article").filter(has_text="in stock?")).to_contain_text("Sent")

    await desk.rows().filter(has_text="Is the Norrland tent in stock?").click()
    await desk.sees("Is the Norrland tent in stock?")
    await desk.answers("Yes, in **green** and blue.")
    await expect(chat.get_by_role("article").filter(has_text="Yes, in").locator("strong")).to_have_text(
        "green"
    )
    await desk.sees("Yes, in green", state="Read")
    await field.fill("Green, please")
    await field.press("Enter")
    await desk.sees("Green, please")


async def test_no_page_has_a_barrier_in_any_theme(running: Demo, browse: OpenContext, watch: Watch) -> None:
    page = await (await browse()).new_page()
    await page.goto(f"{running.url}/signin")
    await page.get_by_role("button", name="Sign in as Olga Serova").wait_for()
    found = await violations(page)
    desk = await enter(running, page)
    await desk.opens("Inés Calderón")
    await desk.sees("Stock in Madrid has two of these left")
    await expect(page.get_by_role("complementary", name="Contact")).to_contain_text("Spanish")
    found += await violations(page)
    for section, title in SECTIONS.items():
        await desk.goes_to(f"/settings/{section}")
        await expect(page.get_by_role("main").get_by_role("heading", name=title)).to_be_visible()
        await expect(page.get_by_text("Loading…")).to_have_count(0)
        found += await violations(page)
    assert not found, "\n".join(found)


async def test_the_phone_page_is_usable_on_a_phone_and_has_no_barrier(
    running: Demo, browse: OpenContext
) -> None:
    phone = await (await browse(viewport={"width": 375, "height": 812}, has_touch=True)).new_page()
    await phone.goto(running.phone_url)
    await phone.get_by_role("button", name="Lars").tap()
    await expect(phone.get_by_role("list", name="Messages")).to_contain_text("ordering it now")
    await phone.get_by_role("textbox", name="Message").fill("It has arrived!")
    await phone.get_by_role("button", name="Send", exact=True).tap()
    await expect(phone.get_by_role("list", name="Messages")).to_contain_text("It has arrived!")
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 375
    assert not await violations(phone)
    desk = await enter(running, await (await browse()).new_page())
    await expect(desk.row("Lars")).to_contain_text("It has arrived!")
