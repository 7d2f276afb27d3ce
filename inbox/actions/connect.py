"""Connect: set up, change and check channels."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from channels import registry
from channels.base import Adapter, ChannelConfig, Http, Probe
from inbox import channel_views, events
from inbox.access import Scope
from inbox.adapters import Adapters
from inbox.errors import BadInput, NotFound
from inbox.outbox import Store, new_id
from inbox.records import channels
from inbox.views import ChannelView

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Value = Annotated[str, Meta(max_length=4000)]


class NewChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    name: Name
    settings: dict[str, Value] = {}


class ChannelChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays as it is; a secret that is given replaces the old one."""

    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    settings: dict[str, Value] | UnsetType = UNSET


class Connected(Struct, frozen=True):
    """A new channel. `secrets` are those that we made; this is the only time that they are shown."""

    channel: ChannelView
    secrets: dict[str, str]
    probe: Probe


class Connector(Struct, frozen=True):
    """What connecting needs from the roof."""

    store: Store
    adapters: Adapters
    http: Http
    origin: str
    defaults: dict[str, dict[str, str]] = {}  # kind -> settings of the installation (TELEGRAM_API_URL)


def _sort_settings(
    adapter: Adapter, given: dict[str, str], defaults: dict[str, str], *, complete: bool
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """(plain settings, secrets, those of the secrets that we made). Raises BadInput."""
    known = {setting.name: setting for setting in adapter.settings}
    for name in given:
        if name not in known:
            raise BadInput(f"This kind of channel has no setting {name!r}.", field=name)
    plain: dict[str, str] = {}
    sealed: dict[str, str] = {}
    made: dict[str, str] = {}
    for name, setting in known.items():
        value = given.get(name, "").strip()
        if not value and complete:
            value = defaults.get(name, setting.default)
            if not value and setting.generated:
                value = made[name] = registry.generate(setting)
            if not value and setting.required:
                raise BadInput(f"{setting.label} is missing.", field=name)
        if value or (name in given and not setting.secret):
            (sealed if setting.secret else plain)[name] = value
    return plain, sealed, made


async def connect(connector: Connector, scope: Scope, given: NewChannel) -> Connected:
    """Store a channel and register its webhook. It is kept even when the live check fails: `probe` says
    what to do. Raises Forbidden, BadInput."""
    scope.require_admin()
    try:
        adapter = connector.adapters.kind(given.kind)
    except KeyError:
        raise BadInput("There is no such kind of channel.", field="kind") from None
    defaults = connector.defaults.get(given.kind, {})
    plain, sealed, made = _sort_settings(adapter, given.settings, defaults, complete=True)
    channel_id = new_id()
    probe = await adapter.connect(
        f"{connector.origin}/hooks/{channel_id}",
        ChannelConfig(str(channel_id), plain, sealed),
        connector.http,
    )
    async with connector.store.write(scope.account_id) as work:
        seal = connector.adapters.seal(channel_id, sealed)
        await channels.create(work, channel_id, given.kind, given.name, plain, seal)
        if not probe.ok:
            await channels.change(work, channel_id, {"last_error": probe.words})
        channel = await channels.get(work, channel_id)
        assert channel is not None
        view = channel_views.view(channel, adapter, connector.origin)
        work.record(events.ChannelUpdated(view))
        return Connected(view, made, probe)


async def change(connector: Connector, scope: Scope, channel_id: UUID, wanted: ChannelChange) -> ChannelView:
    """Raises Forbidden, NotFound, BadInput."""
    scope.require_admin()
    async with connector.store.write(scope.account_id) as work:
        channel = await channels.get(work, channel_id)
        if channel is None:
            raise NotFound("There is no such channel.")
        adapter, config = connector.adapters.of(channel)
        values: dict[str, object] = {}
        if wanted.name is not UNSET:
            values["name"] = wanted.name
        if wanted.enabled is not UNSET:
            values["enabled"] = wanted.enabled
        if wanted.settings is not UNSET:
            plain, sealed, _ = _sort_settings(adapter, wanted.settings, {}, complete=False)
            values["settings"] = {**channel.settings, **plain}
            if sealed:
                values["secrets"] = connector.adapters.seal(channel_id, {**config.secrets, **sealed})
        if values:
            await channels.change(work, channel_id, values)
        channel = await channels.get(work, channel_id)
        assert channel is not None
        view = channel_views.view(channel, adapter, connector.origin)
        work.record(events.ChannelUpdated(view))
        return view


async def check(connector: Connector, scope: Scope, channel_id: UUID) -> Probe:
    """Ask the provider now, and register the webhook again. Raises Forbidden, NotFound."""
    scope.require_admin()
    async with connector.store.read(scope.account_id) as tx:
        channel = await channels.get(tx, channel_id)
    if channel is None:
        raise NotFound("There is no such channel.")
    adapter, config = connector.adapters.of(channel)
    probe = await adapter.connect(f"{connector.origin}/hooks/{channel_id}", config, connector.http)
    async with connector.store.write(scope.account_id) as work:
        await channels.change(work, channel_id, {"last_error": None if probe.ok else probe.words})
        channel = await channels.get(work, channel_id)
        assert channel is not None
        work.record(events.ChannelUpdated(channel_views.view(channel, adapter, connector.origin)))
    return probe
