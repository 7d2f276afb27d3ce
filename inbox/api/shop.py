"""The demo's shop: a page of somebody else's, with the widget's one line in it."""

from litestar import Response, get

from inbox.api.pages import ROOT
from inbox.api.services import Services
from inbox.errors import NotFound, Unavailable
from inbox.records import visitors

PAGE = ROOT / "widget" / "shop" / "index.html"


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
    return Response(page.replace("{{channel}}", str(channel_id)), media_type="text/html")
