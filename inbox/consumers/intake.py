"""Intake: turns accepted raw events into messages."""

from inbox.actions import receive
from inbox.adapters import Adapters
from inbox.outbox import Store
from inbox.streams import Entry

GROUP = "intake"


class Intake:
    def __init__(self, store: Store, adapters: Adapters) -> None:
        self._store, self._adapters = store, adapters

    async def handle(self, entry: Entry) -> None:
        await receive.receive(self._store, entry.uuid("a"), entry.uuid("r"), self._adapters.parse)

    async def bury(self, entry: Entry, reason: str) -> None:
        await receive.give_up(self._store, entry.uuid("a"), entry.uuid("r"), reason)
