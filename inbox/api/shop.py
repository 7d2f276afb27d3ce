"""The demo's shop: a page of somebody else's, with the widget's one line in it."""

from litestar import Response, get

from inbox.api.pages import ROOT
from inbox.api.services import Services
from inbox.errors import NotFound, Unavailable
from inbox.records import visitors

PAGE = ROOT / "widget" / "shop" / "index.html"
# As strict as a shop's policy can be that lets the widget in: its script, its frame, nothing inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@get("/demo/shop", include_in_schema=False)
async def demo_shop(services: Services) -> Response[str]:
    """The shop with the chat of the demo workspace. There is none outside of the demo."""
    if services.demo is None:
        raise NotFound
    async with services.store.database.system() as tx:
        channel_id = await visitors.first_widget(tx)
    if channel_id is None:
        raise NotFound("No web chat is connected yet.")
    try:
        page = PAGE.read_text()
    except FileNotFoundError:
        raise Unavailable("The front end has not been built. Run make setup.") from None
    return Response(
        page.replace("{{channel}}", str(channel_id)),
        media_type="text/html",
        headers={"content-security-policy": POLICY},
    )
