"""The settings: what failed, who works here, labels."""

from collections.abc import Awaitable, Callable

from desk import Desk
from playwright.async_api import BrowserContext, Locator, expect
from watch import Watch
from world import World

SitDown = Callable[..., Awaitable[Desk]]
OpenContext = Callable[..., Awaitable[BrowserContext]]


def failure(desk: Desk, excerpt: str) -> Locator:
    return desk.page.get_by_role("main").get_by_role("listitem").filter(has_text=excerpt)


async def test_a_failure_appears_with_its_reason_and_can_be_replayed_and_discarded(
    world: World, desk_of: SitDown
) -> None:
    olga = await desk_of(world.olga, "/settings/failures")
    await expect(olga.page.get_by_text("Nothing has failed")).to_be_visible()
    await world.telegram.says(b'{"update_id": "first of april"}')
    letters = failure(olga, "first of april")
    letter = letters.first
    await expect(letter).to_contain_text("1 attempt")
    await expect(olga.page.get_by_role("link", name="Settings")).to_contain_text("1")
    await letter.get_by_role("button", name="Replay").click()
    await expect(olga.notices).to_contain_text("It is being tried again")
    # Its cause is not mended: it comes back as a failure of its own.
    await expect(letters).to_have_count(2)
    await expect(letters.last).to_contain_text("Dealt with")
    await letter.get_by_role("button", name="Discard").click()
    await expect(letter).to_contain_text("Discarded")
    await expect(letters.get_by_role("button")).to_have_count(0)
    await expect(olga.page.get_by_role("link", name="Settings")).to_have_text("Settings")


async def test_a_person_is_added_signs_in_and_is_shut_out_again(
    world: World, desk_of: SitDown, browse: OpenContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    olga = await desk_of(world.olga, "/settings/people")
    await olga.page.get_by_role("button", name="Add a person").click()
    dialog = olga.page.get_by_role("dialog", name="Add a person")
    email = f"amina{world.mark}@example.com"
    await dialog.get_by_label("Name", exact=True).fill("Amina Njoroge")
    await dialog.get_by_label("E-mail").fill(email)
    await dialog.get_by_label("First password").fill("four unrelated words")
    await dialog.get_by_label("Time zone").select_option("Africa/Nairobi")
    await dialog.get_by_role("button", name="Add a person").click()
    person = olga.page.get_by_role("main").get_by_role("listitem").filter(has_text="Amina Njoroge")
    await expect(person).to_contain_text("On shift")
    await expect(person).to_contain_text("Nairobi")

    context = await browse(extra_http_headers={"x-forwarded-for": world.address})
    page = await context.new_page()
    await page.goto(f"{world.installation.url}/signin")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill("four unrelated words")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    await person.get_by_role("button", name="Deactivate").click()
    await expect(person).to_contain_text("Deactivated")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_new_label_is_there_for_the_colleague_at_once(
    world: World, desk_of: SitDown, diego: Desk
) -> None:
    await world.customer("Inés").writes("hi")
    await diego.opens("Inés")
    olga = await desk_of(world.olga, "/settings/labels")
    await olga.page.get_by_label("New label").fill("Delivery")
    await olga.page.get_by_role("button", name="Add label").click()
    await expect(
        olga.page.get_by_role("main").get_by_role("listitem").filter(has_text="Delivery")
    ).to_be_visible()
    await diego.menu("Labels", "Delivery")
    await expect(diego.row("Inés")).to_contain_text("Delivery")


async def test_a_channel_is_checked_and_switched_off_and_on(world: World, desk_of: SitDown) -> None:
    olga = await desk_of(world.olga, "/settings/channels")
    card = olga.page.get_by_role("main").get_by_role("listitem").filter(has_text="telegram ·")
    await card.get_by_role("button", name="Check now").click()
    await expect(card.get_by_role("status")).not_to_be_empty()
    await card.get_by_role("button", name="Turn off").click()
    await expect(card).to_contain_text("Off")
    await olga.undoes()
    await expect(card.get_by_role("button", name="Turn off")).to_be_visible()
