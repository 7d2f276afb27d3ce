"""A channel as its clients see it: what it is, what it can do, how it is. Never its secrets."""

from channels.base import Adapter
from inbox.records.channels import Channel
from inbox.views import ChannelView


def view(channel: Channel, adapter: Adapter, origin: str) -> ChannelView:
    can = adapter.capabilities
    snippet = None
    if channel.kind == "webchat":
        snippet = f'<script src="{origin}/widget/loader.js" data-channel="{channel.id}" async></script>'
    return ChannelView(
        id=channel.id,
        kind=channel.kind,
        name=channel.name,
        enabled=channel.enabled,
        settings=channel.settings,
        hook_url=f"{origin}/hooks/{channel.id}",
        text_limit=can.text_limit,
        file_limit=can.file_limit,
        media=tuple(sorted(can.media)),
        marks=tuple(sorted(can.marks)),
        reports_delivered=can.reports_delivered,
        reports_read=can.reports_read,
        can_reply_to=can.can_reply_to,
        last_inbound_at=channel.last_inbound_at,
        last_outbound_at=channel.last_outbound_at,
        last_error=channel.last_error,
        snippet=snippet,
    )
