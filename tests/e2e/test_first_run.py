"""An empty installation: its first page makes the workspace, and leads on to the first channel."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from axe import violations
from installation import Installation, installed
from playwright.async_api import BrowserContext, Page, expect
from watch import Watch

OpenContext = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture(scope="module")
async def empty(_alarms: object) -> AsyncIterator[Installation]:
    async with installed() as running:
        yield running


async def fill_in(page: Page, **fields: str) -> None:
    for label, text in fields.items():
        await page.get_by_label(label.replace("_", " "), exact=True).fill(text)


async def test_without_the_terminals_key_nobody_founds_the_workspace(
    empty: Installation, browse: OpenContext, watch: Watch
) -> None:
    page = await (await browse()).new_page()
    watch.expect("status of 401")
    await page.goto(empty.url)
    await expect(page.get_by_role("heading", name="Welcome to Meridian")).to_be_visible()
    await expect(page.get_by_text("it carries the key to this page")).to_be_visible()
    await expect(page.get_by_role("button", name="Create the workspace")).to_be_disabled()
    assert not await violations(page)


async def test_the_first_run_makes_the_workspace_and_leads_to_a_web_chat(
    empty: Installation, browse: OpenContext, watch: Watch
) -> None:
    page = await (await browse()).new_page()
    await page.goto(f"{empty.url}/setup?token={empty.settings.setup_token}")
    await fill_in(page, Workspace="Harbour Goods", Name="Olga Petrova")
    await page.get_by_label("E-mail").fill("olga@example.com")
    await page.get_by_label("Password").fill("olga@example.com")
    await page.get_by_role("button", name="Create the workspace").click()
    watch.expect("status of 422")
    await expect(page.get_by_role("alert")).not_to_be_empty()
    await page.get_by_label("Password").fill("four unrelated words")
    await page.get_by_role("button", name="Create the workspace").click()

    await expect(page.get_by_text("Connect your first channel")).to_be_visible()
    await page.get_by_role("link", name="Add a channel").click()
    await page.get_by_role("button", name="Add a channel").click()
    wizard = page.get_by_role("dialog", name="Add a channel")
    await wizard.get_by_role("button", name="Web chat").click()
    await wizard.get_by_role("button", name="Connect").click()
    await expect(wizard).to_contain_text("is connected.")
    await expect(wizard).to_contain_text(f"{empty.url}/widget/loader.js")
    await wizard.get_by_role("button", name="Finish").click()
    await expect(page.get_by_role("main").get_by_role("heading", name="Web chat")).to_be_visible()
    await page.goto(f"{empty.url}/setup")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
