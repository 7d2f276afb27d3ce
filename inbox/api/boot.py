"""Boot: everything that the first screen needs, in one request and one snapshot."""

from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter
from msgspec import Struct

from inbox import channel_views, shifts
from inbox.access import Scope
from inbox.api.auth import Workspace
from inbox.api.guards import session_token
from inbox.api.services import Services
from inbox.api.times import now
from inbox.errors import Unauthenticated
from inbox.gateway import EventLog
from inbox.records import accounts, channels, conversations, labels, letters, users
from inbox.records.conversations import View
from inbox.views import AgentView, ChannelView, ConversationView, LabelView


class FirstPage(Struct, frozen=True):
    items: list[ConversationView]
    next_cursor: str | None


class DemoLinks(Struct, frozen=True):
    phone_url: str
    shop_url: str


class Boot(Struct, frozen=True):
    """`cursor` was read before everything else: resuming the live feed at it misses nothing."""

    user: AgentView
    csrf_token: str
    workspace: Workspace
    agents: list[AgentView]
    channels: list[ChannelView]
    labels: list[LabelView]
    conversations: FirstPage
    counts: dict[str, int]
    open_letters: int
    cursor: str
    server_time: str
    demo: DemoLinks | None


@get("/api/v1/boot", operation_id="Boot")
async def boot(
    request: Request[Any, Any, Any], services: Services, who: Scope, event_log: EventLog, view: View = "all",
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
) -> Boot:  # fmt: skip
    """The first screen."""
    token = session_token(request, services)
    assert token is not None
    async with services.store.read(who.account_id) as tx:
        head = await accounts.head(tx)
        account = await accounts.get(tx)
        everybody = await users.everybody(tx)
        known_channels = await channels.every(tx)
        page = await conversations.page(who, tx, view, limit=limit)
        counts = await conversations.counts(who, tx)
        known_labels = await labels.every(tx)
        open_letters = await letters.open_count(tx)
    at = now()
    agents = [users.view(user, on_shift=shifts.on_shift(user, at)) for user in everybody]
    own = next((agent for agent in agents if agent.id == who.user_id), None)
    if own is None:
        raise Unauthenticated
    origin = services.settings.origin
    return Boot(
        user=own,
        csrf_token=services.csrf.fixed(token),
        workspace=Workspace(str(account.id), account.name),
        agents=agents,
        channels=[
            channel_views.view(channel, services.adapters.kind(channel.kind), origin)
            for channel in known_channels
        ],
        labels=known_labels,
        conversations=FirstPage(page.items, page.next_cursor),
        counts=counts,
        open_letters=open_letters,
        cursor=f"{event_log.epoch}:{head}",
        server_time=at.isoformat(),
        demo=DemoLinks(services.demo.phone_url, services.demo.shop_url) if services.demo else None,
    )
