"""What the inbox shows of the demo."""

from inbox.api.services import Demo
from inbox.demo_cast import CAST, PASSWORD
from inbox.settings import Settings


def links(settings: Settings) -> Demo | None:
    """Where the demo's other pages are; None when this is no demo."""
    if not settings.sandbox_url:
        return None
    return Demo(
        phone_url=f"{settings.sandbox_url}/phone",
        shop_url=f"{settings.origin}/demo/shop",
        people=tuple((name, email) for name, email, _ in CAST),
        password=PASSWORD,
    )
