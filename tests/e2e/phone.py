"""The sandbox's phone page, on which one plays the customer."""

from playwright.async_api import BrowserContext, Page, expect
from world import Customer


async def phone_of(customer: Customer, context: BrowserContext, via: str = "telegram") -> Page:
    """The page with this customer and this channel picked, as their last visit left it."""
    installation = customer.world.installation
    person, channel = await customer.exists(), customer.world.channels[via].sandbox_id
    page = await context.new_page()
    await page.goto(f"{installation.sandbox_url}/phone")
    await page.evaluate(
        "([person, channel]) => { localStorage['phone.person'] = person; localStorage['phone.channel'] = channel; }",
        [person["id"], channel],
    )
    await page.reload()
    picked = page.get_by_role("button", name=customer.name).and_(page.locator("[aria-pressed=true]"))
    await expect(picked).to_have_count(1)
    return page
