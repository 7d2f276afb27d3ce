"""The door: who has no session stays outside, and comes back to where they wanted to go."""

from collections.abc import Awaitable, Callable

from playwright.async_api import BrowserContext, Page, expect
from watch import Watch
from world import PASSWORD, World

OpenContext = Callable[..., Awaitable[BrowserContext]]


async def try_to_enter(page: Page, email: str, password: str) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_a_wrong_password_is_refused_and_the_right_one_opens_the_page_that_was_asked_for(
    world: World, browse: OpenContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    context = await browse(extra_http_headers={"x-forwarded-for": world.address})
    page = await context.new_page()
    await page.goto(f"{world.installation.url}/settings/labels")
    await try_to_enter(page, world.olga.email, "not the password")
    await expect(page.get_by_role("alert")).to_have_text("This address and password do not belong together.")
    await try_to_enter(page, world.olga.email, PASSWORD)
    await expect(page.get_by_role("heading", name="Labels")).to_be_visible()
    cookies = await context.cookies()
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Lax")]


async def test_signing_out_closes_every_window_of_the_session_and_keeps_nothing(
    world: World, browse: OpenContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    await world.customer("Inés").writes("a secret")
    context = await browse(extra_http_headers={"x-forwarded-for": world.address})
    page = await context.new_page()
    await page.goto(f"{world.installation.url}/inbox/all")
    await try_to_enter(page, world.diego.email, PASSWORD)
    await expect(page.get_by_text("a secret")).to_be_visible()
    other = await context.new_page()
    await other.goto(f"{world.installation.url}/inbox/all")
    await expect(other.get_by_text("Live", exact=True).first).to_be_visible()

    await page.get_by_role("button", name="Diego Ramos").click()
    await page.get_by_role("button", name="Sign out").click()
    for window in (page, other):
        await expect(window.get_by_role("heading", name="Sign in")).to_be_visible()
        await expect(window.get_by_text("a secret")).to_have_count(0)
    assert await context.cookies() == []
    await page.goto(f"{world.installation.url}/inbox/all")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
