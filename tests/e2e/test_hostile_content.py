"""Whatever a customer writes is shown as it was written, and does nothing."""

import pytest
from desk import Desk
from playwright.async_api import expect
from world import World

TEXTS = {
    "script": "<script>window.harmed = true</script><img src=x onerror='window.harmed = true'>",
    "link": "javascript:window.harmed=true [click](javascript:window.harmed=true)",
    "right to left": "\u202eابجد\u202c مرحبا، هل الخيمة متوفرة؟",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 e\u0301",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "template": "{{constructor.constructor('window.harmed=1')()}} ${harmed} %s {0}",
}

# Press, and measure until the text has its place on the page.
UNFOLD = """async button => {
    const bubble = button.closest('.bubble'), began = performance.now();
    button.click();
    await Promise.resolve();
    bubble.getBoundingClientRect();
    return (performance.now() - began) / 1000;
}"""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_it_is_shown_as_it_was_written_and_nothing_runs(world: World, olga: Desk, text: str) -> None:
    ines = world.customer("Inés")
    await ines.writes(text)
    await olga.opens("Inés")
    shown = olga.thread.get_by_role("article").locator(".bubble")
    await expect(shown).to_have_count(1)
    assert (await shown.text_content() or "").strip() == text
    assert await shown.locator("script, img, a[href^='javascript:']").count() == 0
    await olga.answers("ok")
    await olga.sees("ok", state="Sent")
    assert await olga.page.evaluate("window.harmed === undefined")
    stored = await world.olga.sees(text)
    assert stored["text"] == text


async def test_a_megabyte_of_text_is_folded_and_unfolds_to_its_end_without_freezing(
    world: World, olga: Desk
) -> None:
    text = "word " * 209_715 + "THE END"
    await world.customer("Inés").writes(text)
    await olga.opens("Inés")
    unfold = olga.thread.get_by_role("button", name="Show all")
    await expect(unfold).to_have_text("Show all (1,048,582 characters)")
    seconds = await unfold.evaluate(UNFOLD)
    assert seconds < 3, seconds
    assert await olga.thread.locator(".rich").evaluate("rich => rich.textContent") == text
    stored = await world.olga.sees(text)
    assert stored["text"] == text
    await olga.answers("That was long")
    await olga.sees("That was long", state="Sent")


async def test_a_name_that_is_markup_is_a_name(world: World, olga: Desk) -> None:
    await world.customer("<b onclick=alert(1)>Bob</b>").writes("hi")
    await olga.opens("<b onclick=alert(1)>Bob</b>")
    assert await olga.page.locator("[onclick]").count() == 0
