"""Configured channels and the adapters that speak for them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from channels.base import Adapter, ChannelConfig, InboundEvent
from inbox.crypto import Seals
from inbox.records.channels import Channel


class Adapters:
    """Opens a channel's secrets and finds its adapter. `find` is the registry of the channels leaf."""

    def __init__(self, seals: Seals, find: Callable[[str], Adapter]) -> None:
        self._seals = seals
        self._find = find

    def of(self, channel: Channel) -> tuple[Adapter, ChannelConfig]:
        return self._find(channel.kind), self.config(channel)

    def kind(self, kind: str) -> Adapter:
        """Raises KeyError for a kind that does not exist."""
        return self._find(kind)

    def config(self, channel: Channel) -> ChannelConfig:
        secrets = self._seals.open(channel.secrets, f"channel {channel.id}")
        return ChannelConfig(str(channel.id), channel.settings, secrets)

    def seal(self, channel_id: object, secrets: dict[str, str]) -> bytes:
        return self._seals.close(secrets, f"channel {channel_id}")

    def parse(self, channel: Channel, body: bytes, received_at: datetime) -> Sequence[InboundEvent]:
        adapter, config = self.of(channel)
        return adapter.parse(body, config, received_at)
