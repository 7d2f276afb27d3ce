"""Who is writing in the chat widget: a signed token, kept by the customer's browser in the shop's storage.

The token needs no row and no cookie, so that blocking third-party storage does not lose the visitor. It
names one visitor of one channel and opens nothing else.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from msgspec import Struct

from inbox.access import visitor_topic
from inbox.api.services import Services
from inbox.errors import NotFound, Unauthenticated
from inbox.records import channels
from inbox.records.channels import Channel

LIFETIME = timedelta(days=365)


class Visitor(Struct, frozen=True):
    """Somebody in the widget of one channel. `visitor_id` is the identity's, `contact_id` the person's."""

    account_id: UUID
    channel_id: UUID
    visitor_id: UUID
    contact_id: UUID

    @property
    def owner(self) -> str:
        """How their uploads are marked."""
        return f"visitor:{self.visitor_id}"

    @property
    def topic(self) -> str:
        """Their live feed."""
        return visitor_topic(self.account_id, self.contact_id)


def sign(services: Services, visitor: Visitor) -> str:
    ids = (visitor.account_id, visitor.channel_id, visitor.visitor_id, visitor.contact_id)
    return services.visitors.sign("/".join(str(item) for item in ids), seconds=int(LIFETIME.total_seconds()))


def read(services: Services, channel_id: UUID, token: str) -> Visitor:
    """Raises Unauthenticated for a token that is forged, expired or another channel's."""
    value = services.visitors.verify(token)
    if value is None:
        raise Unauthenticated("This chat has expired.")
    visitor = Visitor(*(UUID(item) for item in value.split("/")))
    if visitor.channel_id != channel_id:
        raise Unauthenticated("This chat has expired.")
    return visitor


def bearer(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The token of an Authorization header; empty when there is none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def current_visitor(request: Request[Any, Any, Any], channel_id: UUID) -> Visitor:
    """Dependency: who writes. Raises Unauthenticated."""
    services: Services = request.app.state.services
    return read(services, channel_id, bearer(request))


async def widget_channel(services: Services, channel_id: UUID) -> Channel:
    """The web chat of that id. Raises NotFound when there is none or it is switched off."""
    async with services.store.database.system() as tx:
        channel = await channels.find(tx, channel_id)
    if channel is None or channel.kind != "webchat" or not channel.enabled:
        raise NotFound("This chat does not exist.")
    return channel
