"""Routing: gives ownerless conversations to people, and drains the queue when somebody has room."""

from inbox.actions.letters import bury_entry
from inbox.actions.route import drain_queue, route
from inbox.outbox import Store
from inbox.streams import Entry

GROUP = "routing"

# A message by itself changes nothing for routing: its thread has an owner or its place in the queue.
_LOOK = {"conversation.created", "conversation.reopened", "conversation.updated"}
_ROOM = {"conversation.resolved", "conversation.snoozed", "agent.updated"}


class Routing:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle(self, entry: Entry) -> None:
        kind = entry.text("t")
        if kind in _LOOK:
            await route(self._store, entry.uuid("a"), entry.uuid("c"))
        elif kind in _ROOM:
            await drain_queue(self._store, entry.uuid("a"))

    async def bury(self, entry: Entry, reason: str) -> None:
        await bury_entry(self._store, GROUP, entry, reason)
