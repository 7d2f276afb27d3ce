"""Pictures and files, both ways."""

from collections.abc import Awaitable, Callable

from desk import Desk
from phone import phone_of
from playwright.async_api import BrowserContext, FilePayload, expect
from world import World

OpenContext = Callable[..., Awaitable[BrowserContext]]


async def test_a_photo_from_the_phone_appears_by_itself_and_opens_larger(
    world: World, olga: Desk, browse: OpenContext
) -> None:
    phone = await phone_of(world.customer("Inés"), await browse())
    await phone.get_by_role("textbox", name="Message").fill("Así ha llegado")
    await phone.get_by_role("button", name="Send something else").click()
    await phone.get_by_role("menuitem", name="Picture").click()
    await expect(phone.get_by_role("img", name="photo.png")).to_be_visible()
    await olga.opens("Inés")
    await olga.sees("Así ha llegado")
    thumbnail = olga.message("Así ha llegado").get_by_role("button", name="Open")
    await expect(thumbnail.locator("img")).to_have_js_property("complete", True)
    assert await thumbnail.locator("img").evaluate("image => image.naturalWidth") > 0
    await thumbnail.click()
    viewer = olga.page.get_by_role("dialog")
    await expect(viewer.get_by_role("img")).to_be_visible()
    await expect(viewer.get_by_role("link", name="Download")).to_be_visible()
    await olga.page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)


async def test_a_file_is_attached_and_reaches_the_phone(world: World, olga: Desk) -> None:
    ines = world.customer("Inés")
    await ines.writes("Could I have the invoice?")
    await olga.opens("Inés")
    invoice = FilePayload(name="invoice 42.txt", mimeType="text/plain", buffer=b"42 EUR\n")
    await olga.page.locator(".composer input[type=file]").set_input_files([invoice])
    await expect(olga.page.get_by_role("button", name="Remove invoice 42.txt")).to_be_visible()
    await olga.answers("Here it is")
    await olga.sees("Here it is", state="Sent")
    await expect(olga.message("Here it is").get_by_role("link", name="invoice 42.txt")).to_be_visible()
    await ines.reads("Here it is")
    sent = [message["content"] for message in await ines.phone() if message["author"] == "business"]
    assert [content["name"] for content in sent if "file_id" in content] == ["invoice 42.txt"]


async def test_an_empty_file_is_refused_in_words_before_anything_is_sent(world: World, olga: Desk) -> None:
    await world.customer("Inés").writes("hi")
    await olga.opens("Inés")
    empty = FilePayload(name="empty.pdf", mimeType="application/pdf", buffer=b"")
    await olga.page.locator(".composer input[type=file]").set_input_files([empty])
    await expect(olga.page.locator(".composer")).to_contain_text("This file is empty.")
    await expect(olga.page.get_by_role("button", name="Send")).to_be_disabled()
