"""A whole round of work without a mouse."""

import asyncio

from desk import Desk
from playwright.async_api import Route, expect
from world import World


async def test_a_list_is_worked_through_with_the_keyboard_alone(world: World, olga: Desk) -> None:
    for name in ("Kenji", "Inés", "Amara"):
        await world.customer(name).writes(f"Hello from {name}")
        await olga.row(name).wait_for()
    keyboard = olga.page.keyboard
    await keyboard.press("j")
    await expect(olga.row("Amara")).to_be_focused()
    await keyboard.press("j")
    await expect(olga.row("Inés")).to_be_focused()
    await keyboard.press("k")
    await expect(olga.row("Amara")).to_be_focused()
    await keyboard.press("j")
    await keyboard.press("Enter")
    await expect(olga.heading).to_have_text("Inés")
    await olga.sees("Hello from Inés")
    await keyboard.press("r")
    await expect(olga.reply).to_be_focused()
    await keyboard.type("Good morning")
    await keyboard.press("Control+Enter")
    await olga.sees("Good morning", state="Sent")
    await world.customer("Inés").reads("Good morning")
    await keyboard.press("Escape")
    await keyboard.press("e")
    await expect(olga.row("Inés")).to_have_count(0)
    await expect(olga.heading).not_to_have_text("Inés")
    await expect(olga.view("Resolved")).to_have_text("Resolved 1")


async def test_the_sheet_lists_the_keys_and_the_palette_finds_a_command(world: World, olga: Desk) -> None:
    await world.customer("Inés").writes("hi")
    await olga.row("Inés").wait_for()
    keyboard = olga.page.keyboard
    await keyboard.press("?")
    sheet = olga.page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(sheet).to_contain_text("Resolve and go on")
    await keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await keyboard.press("j")
    await keyboard.press("Enter")
    await expect(olga.heading).to_have_text("Inés")
    palette = olga.page.get_by_role("combobox", name="What do you want to do?")
    await keyboard.press("Control+k")
    await expect(palette).to_be_focused()
    await keyboard.type("assign to me")
    await keyboard.press("Enter")
    await expect(olga.action("Owner: You")).to_be_visible()
    await keyboard.press("Control+k")
    await expect(palette).to_be_focused()
    await keyboard.type("go to failures")
    await keyboard.press("Enter")
    await expect(olga.page.get_by_role("heading", name="Failures")).to_be_visible()


async def test_what_is_typed_before_the_palette_is_there_does_nothing(world: World, olga: Desk) -> None:
    await world.customer("Inés").writes("hi")
    await olga.opens("Inés")
    arrives = asyncio.Event()

    async def slowly(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await olga.page.route("**/assets/palette-*", slowly)
    await olga.page.keyboard.press("Control+k")
    await olga.page.keyboard.press("e")
    arrives.set()
    await expect(olga.page.get_by_role("combobox", name="What do you want to do?")).to_be_focused()
    await olga.page.keyboard.press("Escape")
    await expect(olga.action("Resolve")).to_be_visible()
    await expect(olga.row("Inés")).to_be_visible()
