"""People, channels, labels and contacts."""

from typing import Any
from uuid import UUID

from litestar import Request, get, patch, post
from msgspec import UNSET, Struct

from channels import registry
from channels.base import Probe, Setting
from inbox import channel_views, crypto, shifts
from inbox.access import Scope
from inbox.actions import connect, contacts, labels, people
from inbox.actions.connect import ChannelChange, Connected, NewChannel
from inbox.actions.contacts import ContactChange
from inbox.actions.labels import NewLabel
from inbox.actions.people import AgentChange, NewAgent, OwnChange
from inbox.api.guards import session_token
from inbox.api.services import Services
from inbox.api.times import now
from inbox.errors import NotFound
from inbox.records import channels as channel_records
from inbox.records import contacts as contact_records
from inbox.records import conversations, users
from inbox.records import labels as label_records
from inbox.views import AgentView, ChannelView, ContactView, ConversationView, LabelView
from realtime.protocol import UNAUTHENTICATED


class ChannelKind(Struct, frozen=True):
    """A kind of channel that can be connected, with the fields of its form."""

    kind: str
    title: str
    settings: list[Setting]


class ConversationList(Struct, frozen=True):
    items: list[ConversationView]


@get("/api/v1/agents", operation_id="ListAgents")
async def list_agents(services: Services, who: Scope) -> list[AgentView]:
    """Everybody in the account."""
    async with services.store.read(who.account_id) as tx:
        everybody = await users.everybody(tx)
    return [users.view(user, on_shift=shifts.on_shift(user, now())) for user in everybody]


@post("/api/v1/agents", operation_id="AddAgent", status_code=201)
async def add_agent(data: NewAgent, services: Services, who: Scope) -> AgentView:
    """Add somebody."""
    return await people.add(services.store, who, services.passwords, data)


@patch("/api/v1/agents/{agent_id:uuid}", operation_id="ChangeAgent")
async def change_agent(data: AgentChange, services: Services, who: Scope, agent_id: UUID) -> AgentView:
    """Change somebody; deactivating them or setting a password for them closes their open screens."""
    agent = await people.change(services.store, who, services.passwords, agent_id, data)
    services.sessions.forget_user(agent_id)
    if not agent.active or data.password is not UNSET:
        services.hub.revoke(lambda c: c.user == str(agent_id), code=UNAUTHENTICATED, reason="signed out")
    return agent


@patch("/api/v1/me", operation_id="ChangeMe")
async def change_me(
    data: OwnChange, request: Request[Any, Any, Any], services: Services, who: Scope
) -> AgentView:
    """Change your own name, time zone, availability or password; a new password closes your other screens."""
    token = session_token(request, services)
    assert token is not None
    own = await people.change_own(services.store, who, services.passwords, data, crypto.digest(token))
    if data.password is not UNSET:
        services.sessions.forget_user(who.user_id)
        here = services.csrf.fixed(token)
        services.hub.revoke(
            lambda c: c.user == str(who.user_id) and c.tags.get("session") != here,
            code=UNAUTHENTICATED, reason="signed out",
        )  # fmt: skip
    return own


@get("/api/v1/channel-kinds", operation_id="ListChannelKinds")
async def list_channel_kinds() -> list[ChannelKind]:
    """What can be connected."""
    return [
        ChannelKind(adapter.kind, adapter.title, list(adapter.settings))
        for adapter in registry.all_adapters()
    ]


@get("/api/v1/channels", operation_id="ListChannels")
async def list_channels(services: Services, who: Scope) -> list[ChannelView]:
    """Every connected channel."""
    async with services.store.read(who.account_id) as tx:
        known = await channel_records.every(tx)
    origin = services.settings.origin
    return [channel_views.view(item, services.adapters.kind(item.kind), origin) for item in known]


@post("/api/v1/channels", operation_id="ConnectChannel", status_code=201)
async def connect_channel(data: NewChannel, services: Services, who: Scope) -> Connected:
    """Connect a channel. Secrets that we made are in the answer, once."""
    return await connect.connect(services.connector, who, data)


@patch("/api/v1/channels/{channel_id:uuid}", operation_id="ChangeChannel")
async def change_channel(
    data: ChannelChange, services: Services, who: Scope, channel_id: UUID
) -> ChannelView:
    """Rename, switch on or off, change settings, replace secrets."""
    return await connect.change(services.connector, who, channel_id, data)


@post("/api/v1/channels/{channel_id:uuid}/check", operation_id="CheckChannel", status_code=200)
async def check_channel(services: Services, who: Scope, channel_id: UUID) -> Probe:
    """Ask the provider whether the channel works."""
    return await connect.check(services.connector, who, channel_id)


@get("/api/v1/labels", operation_id="ListLabels")
async def list_labels(services: Services, who: Scope) -> list[LabelView]:
    """Every label."""
    async with services.store.read(who.account_id) as tx:
        return await label_records.every(tx)


@post("/api/v1/labels", operation_id="CreateLabel", status_code=201)
async def create_label(data: NewLabel, services: Services, who: Scope) -> LabelView:
    """Create a label."""
    return await labels.create(services.store, who, data)


@get("/api/v1/contacts/{contact_id:uuid}", operation_id="GetContact")
async def get_contact(services: Services, who: Scope, contact_id: UUID) -> ContactView:
    """A person, with every identity by which channels know them."""
    async with services.store.read(who.account_id) as tx:
        found = await contact_records.view(tx, contact_id)
    if found is None:
        raise NotFound("There is no such contact.")
    return found


@patch("/api/v1/contacts/{contact_id:uuid}", operation_id="ChangeContact")
async def change_contact(
    data: ContactChange, services: Services, who: Scope, contact_id: UUID
) -> ContactView:
    """Correct what we know of a person."""
    return await contacts.change(services.store, who, contact_id, data)


@get("/api/v1/contacts/{contact_id:uuid}/conversations", operation_id="ListContactConversations")
async def list_contact_conversations(services: Services, who: Scope, contact_id: UUID) -> ConversationList:
    """Every conversation with a person, newest first."""
    async with services.store.read(who.account_id) as tx:
        return ConversationList(await conversations.of_contact(who, tx, contact_id))
