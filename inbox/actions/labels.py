"""Labels: create one."""

from typing import Annotated

from msgspec import Meta, Struct

from inbox import events
from inbox.access import Scope
from inbox.outbox import Store, new_id
from inbox.records import labels
from inbox.views import LabelView


class NewLabel(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
    color: Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$")] = "#5b5268"


async def create(store: Store, scope: Scope, given: NewLabel) -> LabelView:
    """Raises Conflict when the name is taken."""
    async with store.write(scope.account_id) as work:
        view = await labels.create(work, new_id(), given.name.strip(), given.color)
        work.record(events.LabelUpdated(view))
        return view
