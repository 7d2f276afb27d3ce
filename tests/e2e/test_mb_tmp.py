import time
from desk import Desk
from world import World
async def test_mb(world: World, olga: Desk):
    def lap(what, t=[time.monotonic()]):
        print(what, round(time.monotonic()-t[0],2)); t[0]=time.monotonic()
    text = "word " * 209_715 + "THE END"
    await world.customer("Inés").writes(text); lap("written")
    await olga.row("Inés").wait_for(); lap("row")
    await olga.opens("Inés"); lap("opened")
    b = olga.thread.get_by_role("article")
    await b.wait_for(); lap("bubble")
    await b.get_by_role("button", name="Show all").click(); lap("unfold")
    await olga.page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"); lap("2 frames")
    n = await olga.page.evaluate("document.querySelector('article .bubble').textContent.length"); lap(f"text {n}")
    await olga.reply.fill("ok"); lap("fill")
    await olga.reply.press("Control+Enter"); lap("sent")
    await olga.sees("ok", state="Sent"); lap("seen")
