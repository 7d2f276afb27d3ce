"""Two agents at two browsers: both follow everything without a reload, and stay equal."""

from desk import Desk
from installation import until
from playwright.async_api import expect
from world import World


async def equal(one: Desk, other: Desk, names: list[str]) -> None:
    """Wait until both desks list these names in this order, with the same counts of what is everybody's."""

    async def same() -> bool:
        shared = [
            [line for line in await desk.counts() if not line.startswith("Mine")] for desk in (one, other)
        ]
        return await one.order() == await other.order() == names and shared[0] == shared[1]

    await until(same, 10, f"two desks that list {names}")


async def test_a_customer_writes_and_two_agents_see_it_without_a_reload(
    world: World, olga: Desk, diego: Desk
) -> None:
    for desk in (olga, diego):
        await expect(desk.page.get_by_text("No open conversations")).to_be_visible()
    for name in ("Inés", "Kenji", "Amara"):
        await world.customer(name).writes(f"Hola, soy {name}")
        await expect(olga.row(name)).to_contain_text(f"Hola, soy {name}")
    await equal(olga, diego, ["Amara", "Kenji", "Inés"])
    await expect(diego.view("All")).to_have_text("All 3")
    await world.customer("Inés").writes("¿Están ahí?")
    await equal(olga, diego, ["Inés", "Amara", "Kenji"])
    await expect(diego.row("Inés")).to_contain_text("¿Están ahí?")


async def test_an_answer_is_sent_with_the_keyboard_and_everybody_shows_it_as_sent(
    world: World, olga: Desk, diego: Desk
) -> None:
    ines = world.customer("Inés")
    await ines.writes("¿Abren mañana?")
    for desk in (olga, diego):
        await desk.opens("Inés")
        await desk.sees("¿Abren mañana?")
    await olga.answers("Sí, desde las nueve.")
    await olga.sees("Sí, desde las nueve.", state="Sent")
    await diego.sees("Sí, desde las nueve.", state="Sent")
    await ines.reads("Sí, desde las nueve.")
    await expect(diego.row("Inés")).to_contain_text("Olga Petrova: Sí, desde las nueve.")
    await expect(olga.row("Inés")).to_contain_text("You: Sí, desde las nueve.")
    await expect(diego.message("Sí, desde las nueve.")).to_have_count(1)


async def test_a_bots_customer_makes_it_delivered_and_then_read(
    world: World, olga: Desk, diego: Desk
) -> None:
    ines = world.customer("Inés")
    await ines.writes("Where is my order?", via="bot")
    for desk in (olga, diego):
        await desk.opens("Inés")
    await olga.answers("It left this morning.")
    await olga.sees("It left this morning.", state="Delivered")
    await ines.opens_the_chat()
    await olga.sees("It left this morning.", state="Read")
    await diego.sees("It left this morning.", state="Read")


async def test_a_note_is_yellow_says_so_and_never_leaves(world: World, olga: Desk, diego: Desk) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi")
    for desk in (olga, diego):
        await desk.opens("Inés")
    await olga.notes("She is our best customer")
    for desk in (olga, diego):
        note = desk.message("She is our best customer")
        await expect(note).to_contain_text("Note ·")
        red, green, blue = await note.locator(".bubble").evaluate(
            "bubble => getComputedStyle(bubble).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"
        )
        assert red > 225, (red, green, blue)
        assert green > 200, (red, green, blue)
        assert blue < green - 15, (red, green, blue)
    await olga.page.get_by_role("tab", name="Reply").click()
    await olga.answers("hello")
    await ines.reads("hello")
    await world.quiet()
    assert await ines.received() == ["hello"]


async def test_the_colleague_follows_assigning_resolving_reopening_and_their_undo(
    world: World, olga: Desk, diego: Desk
) -> None:
    await world.customer("Inés").writes("hi")
    for desk in (olga, diego):
        await desk.opens("Inés")
    await world.olga.screen.event("conversation.assigned")
    await world.olga.changes(await world.olga.sees("hi"), assignee_id=world.olga.id)
    await expect(diego.action("Owner: Olga Petrova")).to_be_visible()
    await olga.menu("Owner", "Diego Ramos")
    await expect(diego.action("Owner: You")).to_be_visible()
    await expect(diego.activity("Olga Petrova assigned this to Diego Ramos")).to_be_visible()
    await expect(diego.view("Mine")).to_have_text("Mine 1")

    await olga.action("Resolve").click()
    await expect(diego.action("Reopen")).to_be_visible()
    await expect(diego.row("Inés")).to_have_count(0)
    await olga.undoes()
    await expect(diego.action("Resolve")).to_be_visible()
    await expect(diego.row("Inés")).to_be_visible()
    await diego.action("Resolve").click()
    await expect(olga.view("Resolved")).to_have_text("Resolved 1")
    await olga.action("Reopen").click()
    await equal(olga, diego, ["Inés"])


async def test_the_colleague_follows_a_snooze_and_a_priority_and_a_new_label(
    world: World, olga: Desk, diego: Desk
) -> None:
    await world.customer("Inés").writes("hi")
    for desk in (olga, diego):
        await desk.opens("Inés")
    await olga.menu("Priority", "Urgent")
    await expect(diego.row("Inés").get_by_role("img", name="Urgent")).to_be_visible()
    await olga.page.get_by_role("toolbar").get_by_role("button", name="Labels").click()
    field = olga.page.get_by_role("textbox", name="Find or create a label")
    await field.fill("Refund")
    await field.press("Enter")
    await expect(diego.row("Inés")).to_contain_text("Refund")
    await olga.page.keyboard.press("Escape")
    await olga.menu("Snooze", "In 3 hours")
    await expect(diego.view("Snoozed")).to_have_text("Snoozed 1")
    await expect(diego.row("Inés")).to_have_count(0)
    await diego.goes_to("/inbox/snoozed")
    await expect(diego.row("Inés")).to_contain_text("Until")
    await olga.menu("Snooze", "Wake up now")
    await expect(diego.row("Inés")).to_have_count(0)
    await expect(diego.view("All")).to_have_text("All 1")
