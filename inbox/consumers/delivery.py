"""Delivery: sends what is queued, one message of a conversation after the other."""

from inbox.actions.letters import bury_entry
from inbox.actions.send import Sender, send_next
from inbox.streams import Entry

GROUP = "delivery"

_QUEUED = {"message.queued", "message.sent", "message.failed"}  # the latter two free the next in line


class Delivery:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def handle(self, entry: Entry) -> None:
        if entry.text("t") in _QUEUED:
            while await send_next(self._sender, entry.uuid("a"), entry.uuid("c")):
                pass

    async def bury(self, entry: Entry, reason: str) -> None:
        await bury_entry(self._sender.store, GROUP, entry, reason)
