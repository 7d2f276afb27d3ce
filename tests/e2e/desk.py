"""An agent's desk in a real browser: what the stories do there and look at, by role and name."""

from playwright.async_api import BrowserContext, Locator, Page, expect
from world import Agent


class Desk:
    """One window of the inbox."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.thread = page.get_by_role("log", name="Messages")
        self.link = page.locator("nav").get_by_role("status").first
        self.notices = page.get_by_role("status", name="Notices")
        self.heading = page.locator("#thread-heading")

    async def goes_to(self, path: str = "/inbox/all") -> "Desk":
        await self.page.goto(f"{self.address}{path}")
        return self

    async def is_live(self) -> None:
        await expect(self.page.get_by_text("Live", exact=True).filter(visible=True)).to_be_visible()

    # ------------------------------------------------------------ the list

    def rows(self) -> Locator:
        return self.page.locator("[data-row]")

    def row(self, name: str) -> Locator:
        return self.rows().filter(has_text=name)

    def view(self, name: str) -> Locator:
        """The link of a list in the navigation, with its count."""
        return self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name)

    async def order(self) -> list[str]:
        """The names in the list, from the top."""
        return await self.page.locator("[data-row] .name").all_inner_texts()

    async def counts(self) -> list[str]:
        """Every list of the navigation with its count."""
        links = self.page.get_by_role("navigation", name="Main").locator("a.place[href^='/inbox/']")
        return [" ".join(text.split()) for text in await links.all_inner_texts()]

    async def opens(self, name: str) -> None:
        await self.row(name).click()
        await expect(self.heading).to_have_text(name)

    # ------------------------------------------------------------ the thread

    def message(self, text: str) -> Locator:
        return self.thread.get_by_role("article").filter(has_text=text)

    def activity(self, words: str) -> Locator:
        return self.thread.locator("p.activity").filter(has_text=words)

    async def sees(self, text: str, *, state: str = "") -> None:
        await expect(self.message(text)).to_be_visible()
        if state:
            await expect(self.message(text)).to_contain_text(state)

    @property
    def reply(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a reply")

    async def answers(self, text: str) -> None:
        await self.reply.fill(text)
        await self.reply.press("Control+Enter")
        await expect(self.reply).to_have_value("")

    async def notes(self, text: str) -> None:
        await self.page.get_by_role("tab", name="Note").click()
        field = self.page.get_by_role("textbox", name="Write a note")
        await field.fill(text)
        await field.press("Control+Enter")
        await expect(field).to_have_value("")

    # ------------------------------------------------------------ triage

    def action(self, name: str) -> Locator:
        return self.page.locator(".conversation").get_by_role("button", name=name, exact=True)

    async def menu(self, opener: str, choice: str) -> None:
        """Open a menu of the conversation's toolbar and take a choice."""
        await self.page.get_by_role("toolbar").get_by_role("button", name=opener).click()
        menu = self.page.locator("[popover]:popover-open")
        await menu.get_by_text(choice).first.click()

    async def undoes(self) -> None:
        await self.notices.get_by_role("button", name="Undo").last.click()


async def seat(context: BrowserContext, agent: Agent) -> Desk:
    """A desk at which the agent is signed in already, with the session of their API calls."""
    address = agent.world.installation.url
    cookies = [{"name": name, "value": value, "url": address} for name, value in agent.http.cookies.items()]
    await context.add_cookies(cookies)  # type: ignore[arg-type]
    return Desk(await context.new_page(), address)
