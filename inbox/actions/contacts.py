"""Contacts: correct what we know of a person."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from inbox import events
from inbox.access import Scope
from inbox.actions.people import check_zone
from inbox.errors import NotFound
from inbox.outbox import Store
from inbox.records import contacts
from inbox.views import ContactView

Text = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")]


class ContactChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays as it is; null or an empty text takes it away."""

    name: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00]*$")] | UnsetType = UNSET
    email: Text | UnsetType | None = UNSET
    phone: Text | UnsetType | None = UNSET
    language: Text | UnsetType | None = UNSET
    time_zone: Text | UnsetType | None = UNSET


async def change(store: Store, scope: Scope, contact_id: UUID, wanted: ContactChange) -> ContactView:
    """Raises NotFound, BadInput for an unknown time zone."""
    values = {k: v or None for k, v in msgspec.structs.asdict(wanted).items() if v is not UNSET}
    if values.get("time_zone"):
        check_zone(str(values["time_zone"]))
    async with store.write(scope.account_id) as work:
        if not await contacts.change(work, contact_id, values):
            raise NotFound("There is no such contact.")
        view = await contacts.view(work, contact_id)
        assert view is not None
        work.record(events.ContactUpdated(view))
        return view
