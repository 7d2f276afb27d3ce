"""Intake: turns accepted raw events into messages."""

from uuid import UUID

from inbox.actions import receive
from inbox.adapters import Adapters
from inbox.outbox import Store
from inbox.streams import Entry

GROUP = "intake"


class Intake:
    def __init__(self, store: Store, adapters: Adapters) -> None:
        self._store, self._adapters = store, adapters

    async def handle(self, entry: Entry) -> None:
        """Every event that the entry names, the others too when one of them fails; then its error is raised."""
        failure: Exception | None = None
        for raw_id in _ids(entry):
            try:
                await receive.receive(self._store, entry.uuid("a"), raw_id, self._adapters.parse)
            except Exception as error:  # the entry comes again, and finds the others done
                failure = failure or error
        if failure is not None:
            raise failure

    async def bury(self, entry: Entry, reason: str) -> None:
        for raw_id in _ids(entry):
            await receive.give_up(self._store, entry.uuid("a"), raw_id, reason)


def _ids(entry: Entry) -> list[UUID]:
    return [UUID(name) for name in entry.text("r").split()]
