"""The chat widget in a real browser, on a page of another origin with a strict policy."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from installation import free_port, serving
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from world import World

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def shop_page(world: World, extra: str = "") -> Any:
    """Somebody else's page with the one line in it; its policy allows our script and our frame, no more."""
    inbox = world.installation.url
    line = f'<script src="{inbox}/widget/loader.js" data-channel="{world.webchat.id}" {extra} async></script>'
    head = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Shop</title>'
    body = f"{head}<body><h1>Shop</h1>{line}".encode()
    policy = f"default-src 'none'; script-src {inbox}; frame-src {inbox}; require-trusted-types-for 'script'"

    async def page(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html"), (b"content-security-policy", policy.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return page


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def shop(world: World) -> AsyncIterator[str]:
    async with serving(shop_page(world), free_port()) as address:
        yield address


@pytest.fixture
async def desk(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context
    await context.close()


async def opened(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_role("button", name="Chat").click()
    await expect(text_box(page)).to_be_focused()
    return page


def frame(page: Page) -> Any:
    return page.frame_locator("meridian-chat iframe")


def text_box(page: Page) -> Any:
    return frame(page).get_by_role("textbox", name="Write a message…")


def message(page: Page, text: str) -> Any:
    return frame(page).get_by_role("article").filter(has_text=text)


async def write(page: Page, text: str) -> None:
    await text_box(page).fill(text)
    await text_box(page).press("Enter")


async def test_a_customer_writes_by_keyboard_and_reads_the_answer(
    world: World, desk: BrowserContext, shop: str
) -> None:
    page = await opened(desk, shop)
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await write(page, "Is the tent in stock?")
    await expect(message(page, "Is the tent in stock?")).to_contain_text("Sent")
    await world.olga.sees("Is the tent in stock?")
    sent = await world.olga.answers("It **is**, see https://example.com/tent.")
    await expect(message(page, "It is").locator("strong")).to_have_text("is")
    link = message(page, "It is").get_by_role("link")
    await expect(link).to_have_attribute("href", "https://example.com/tent")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await world.olga.screen.state(sent["id"], "read")
    await page.keyboard.press("Escape")
    await expect(text_box(page)).not_to_be_visible()
    await expect(page.get_by_role("button", name="Open chat")).to_be_focused()
    assert not problems


async def test_an_answer_to_a_closed_chat_is_counted_on_the_launcher_and_is_not_called_seen(
    world: World, desk: BrowserContext, shop: str
) -> None:
    page = await opened(desk, shop)
    await write(page, "A question")
    await world.olga.sees("A question")
    await frame(page).get_by_role("button", name="Close chat").click()
    sent = await world.olga.answers("An answer")
    launcher = page.get_by_role("button", name="Open chat, 1 unread message")
    await expect(launcher).to_have_text("1")
    await world.olga.screen.state(sent["id"], "delivered")
    assert "read" not in world.olga.screen.states_of(sent["id"])
    await launcher.click()
    await world.olga.screen.state(sent["id"], "read")


async def test_what_is_written_offline_waits_in_words_and_is_sent_once(
    world: World, desk: BrowserContext, shop: str
) -> None:
    page = await opened(desk, shop)
    await write(page, "First")
    await world.olga.sees("First")
    await desk.set_offline(True)
    await write(page, "Written in a tunnel")
    await expect(frame(page).get_by_role("status")).to_have_text(
        "You are offline. 1 message will be sent when you are back"
    )
    await world.olga.answers("Sent meanwhile")
    await desk.set_offline(False)
    await expect(message(page, "Sent meanwhile")).to_be_visible()
    await world.olga.sees("Written in a tunnel")
    await expect(message(page, "Written in a tunnel")).to_contain_text("Sent")
    await expect(message(page, "Written in a tunnel")).to_have_count(1)
    await expect(frame(page).get_by_role("status")).to_have_count(0)


async def test_a_second_tab_and_a_return_show_the_same_thread(
    world: World, desk: BrowserContext, shop: str
) -> None:
    first = await opened(desk, shop)
    await write(first, "From the first tab")
    await world.olga.sees("From the first tab")
    second = await desk.new_page()
    await second.goto(shop)
    await second.get_by_role("button", name="Open chat").click()
    await expect(message(second, "From the first tab")).to_be_visible()
    await write(second, "From the second tab")
    await expect(message(first, "From the second tab")).to_be_visible()
    await first.reload()
    await expect(message(first, "From the second tab")).to_be_visible()
    assert len(await world.olga.conversations()) == 1


async def test_a_photo_is_uploaded_and_opens_larger(world: World, desk: BrowserContext, shop: str) -> None:
    page = await opened(desk, shop)
    picture = await page.screenshot()
    await (
        frame(page)
        .locator("input[type=file]")
        .set_input_files([{"name": "pot.png", "mimeType": "image/png", "buffer": picture}])
    )
    await frame(page).get_by_role("button", name="Remove pot.png").wait_for()
    await write(page, "Look")
    await world.olga.sees("Look")
    await frame(page).get_by_role("button", name="Show pot.png larger").click()
    photo = frame(page).get_by_role("dialog").get_by_role("img")
    await expect(photo).to_be_visible()
    assert await photo.evaluate("image => image.naturalWidth") == 1440
    await page.keyboard.press("Escape")
    await expect(frame(page).get_by_role("dialog")).to_have_count(0)
    await expect(text_box(page)).to_be_visible()


async def test_the_chat_outlives_a_page_that_swaps_its_body_and_loads_the_line_again(
    world: World, desk: BrowserContext, shop: str
) -> None:
    page = await opened(desk, shop)
    await write(page, "Before the swap")
    await world.olga.sees("Before the swap")
    await page.evaluate(
        """([address, channel]) => new Promise(done => {
            const policy = trustedTypes.createPolicy('test', { createScriptURL: text => text });
            document.documentElement.replaceChild(document.createElement('body'), document.body);
            const line = document.createElement('script');
            line.src = policy.createScriptURL(address);
            line.dataset.channel = channel;
            line.onload = done;
            document.body.append(line);
        })""",
        [f"{world.installation.url}/widget/loader.js", world.webchat.id],
    )
    await expect(page.locator("meridian-chat")).to_have_count(1)
    await expect(message(page, "Before the swap")).to_be_visible()


async def test_a_frame_tells_nothing_to_a_page_that_it_was_not_made_for(
    world: World, desk: BrowserContext, shop: str
) -> None:
    page = await opened(desk, shop)
    inbox, channel = world.installation.url, world.webchat.id
    heard = await page.evaluate(
        """async ([inbox, channel]) => {
            const heard = [];
            addEventListener('message', event => heard.push(event.data));
            const load = host => new Promise(done => {
                const frame = document.createElement('iframe');
                frame.onload = () => done(frame);
                frame.src = `${inbox}/widget/?channel=${channel}&host=${encodeURIComponent(host)}`;
                document.body.append(frame);
            });
            await load('https://other.example');
            const before = heard.length;
            await load(location.origin);
            while (!heard.some(data => data.meridian === 'ready')) await new Promise(r => setTimeout(r, 20));
            return before;
        }""",
        [inbox, channel],
    )
    assert heard == 0


async def test_reset_forgets_the_visitor(world: World, desk: BrowserContext, shop: str) -> None:
    page = await opened(desk, shop)
    await write(page, "Something private")
    await world.olga.sees("Something private")
    await page.evaluate("MeridianChat('reset')")
    await page.evaluate("MeridianChat('open')")
    await expect(text_box(page)).to_be_visible()
    await expect(message(page, "Something private")).to_have_count(0)
    assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_the_chat_speaks_the_language_of_the_page(world: World, desk: BrowserContext) -> None:
    async with serving(shop_page(world, 'data-locale="ru"'), free_port()) as address:
        page = await desk.new_page()
        await page.goto(address)
        await page.get_by_role("button", name="Чат").click()
        await expect(frame(page).get_by_role("textbox", name="Напишите сообщение…")).to_be_focused()
        await expect(page.get_by_role("button", name="Закрыть чат")).to_be_visible()


async def test_on_a_phone_the_chat_covers_the_screen(world: World, browser: Browser, shop: str) -> None:
    phone = await browser.new_context(viewport={"width": 375, "height": 812}, is_mobile=True, has_touch=True)
    page = await phone.new_page()
    await page.goto(shop)
    await page.get_by_role("button", name="Chat").tap()
    await expect(text_box(page)).to_be_visible()
    box = await page.locator("meridian-chat .panel").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 375, "height": 812}
    await expect(page.locator("meridian-chat button")).to_be_hidden()
    await phone.close()
