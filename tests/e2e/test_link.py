"""The live link breaks: the page says so, comes back by itself and shows what was missed, once."""

from desk import Desk
from installation import Installation, until
from playwright.async_api import expect
from watch import Watch
from world import World

# Every wording of the link, as it changes.
RECORD = """() => {
    const words = document.querySelector('nav .link .words');
    window.heard = [words.textContent];
    new MutationObserver(() => window.heard.push(words.textContent))
        .observe(words, { characterData: true, childList: true, subtree: true });
}"""


async def test_a_cut_socket_catches_up_and_shows_what_came_meanwhile_once(
    world: World, installation: Installation, olga: Desk
) -> None:
    ines = world.customer("Inés")
    await ines.writes("before")
    await olga.opens("Inés")
    await olga.is_live()
    await olga.page.evaluate(RECORD)
    installation.hub.revoke(lambda connection: True, code=1012, reason="restart")
    await ines.writes("during one")
    await ines.writes("during two")
    await olga.sees("during one")
    await olga.sees("during two")

    async def recovered() -> bool:
        heard = await olga.page.evaluate("window.heard")
        return "Catching up" in heard and heard[0] == heard[-1] == "Live"

    await until(recovered, 10, "Live, Catching up, Live")
    await expect(olga.thread.get_by_role("article")).to_have_count(3)
    await ines.writes("after")
    await olga.sees("after")
    await expect(olga.thread.get_by_role("article")).to_have_count(4)


async def test_offline_says_since_when_and_a_reply_waits_for_the_line(
    world: World, olga: Desk, watch: Watch
) -> None:
    ines = world.customer("Inés")
    await ines.writes("before")
    await olga.opens("Inés")
    await olga.is_live()
    watch.expect("ERR_INTERNET_DISCONNECTED")
    await olga.page.context.set_offline(True)
    await expect(olga.link).to_contain_text("Offline since")
    await expect(olga.page.get_by_text("Showing what we had at")).to_be_visible()
    await ines.writes("in the tunnel")
    await olga.answers("written offline")
    await olga.sees("written offline", state="Not sent: no answer from the server")
    await olga.page.context.set_offline(False)
    await expect(olga.link).to_have_text("Live")
    await olga.sees("in the tunnel")
    await olga.message("written offline").get_by_role("button", name="Retry").click()
    await olga.sees("written offline", state="Sent")
    await ines.reads("written offline")
    await expect(olga.thread.get_by_role("article")).to_have_count(3)
