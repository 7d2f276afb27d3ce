"""Contacts and the identities by which channels know them."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from inbox.db import Tx
from inbox.outbox import new_id
from inbox.views import ContactView, IdentityView


class Identity(Struct, frozen=True):
    """Somebody as a channel knows them. `scope` is the channel's id when `kind` is one channel's own."""

    kind: str
    scope: str
    external_id: str
    name: str
    username: str | None = None
    language: str | None = None
    time_zone: str | None = None
    email: str | None = None
    phone: str | None = None


class Known(Struct, frozen=True):
    contact_id: UUID
    identity_id: UUID
    name: str


async def resolve(tx: Tx, identity: Identity) -> Known:
    """The contact behind an identity, made if this is the first time that we hear of it.

    Two transactions that meet a new person at the same instant agree: the unique key decides, the
    loser's contact is never committed with an identity and is removed here.
    """
    known = await _find(tx, identity)
    if known is not None:
        return known
    contact_id, identity_id = new_id(), new_id()
    # The identity comes first in spirit, but it refers to the contact: insert both, keep both or none.
    await tx.run(
        """
        insert into contacts (account_id, id, name, email, phone, language, time_zone)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        tx.account_id, contact_id, identity.name, identity.email, identity.phone, identity.language,
        identity.time_zone,
    )  # fmt: skip
    inserted = await tx.run(
        """
        insert into contact_identities (account_id, id, contact_id, kind, scope, external_id, name)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (account_id, kind, scope, external_id) do nothing
        """,
        tx.account_id, identity_id, contact_id, identity.kind, identity.scope, identity.external_id,
        identity.username or identity.name,
    )  # fmt: skip
    if inserted:
        return Known(contact_id, identity_id, identity.name)
    await tx.run("delete from contacts where account_id = $1 and id = $2", tx.account_id, contact_id)
    known = await _find(tx, identity)
    assert known is not None
    return known


async def _find(tx: Tx, identity: Identity) -> Known | None:
    row = await tx.row(
        """
        select i.contact_id, i.id as identity_id, c.name
        from contact_identities i join contacts c on c.account_id = i.account_id and c.id = i.contact_id
        where i.account_id = $1 and i.kind = $2 and i.scope = $3 and i.external_id = $4
        """,
        tx.account_id, identity.kind, identity.scope, identity.external_id,
    )  # fmt: skip
    return Known(**row) if row else None


async def move_identity(tx: Tx, kind: str, old: str, new: str) -> None:
    """The person or room known as `old` is now known as `new`."""
    await tx.run(
        """
        update contact_identities set external_id = $4
        where account_id = $1 and kind = $2 and external_id = $3 and not exists (
            select from contact_identities o
            where o.account_id = $1 and o.kind = $2 and o.external_id = $4)
        """,
        tx.account_id, kind, old, new,
    )  # fmt: skip


async def set_reachable(tx: Tx, kind: str, scope: str, external_id: str, reachable: bool) -> UUID | None:
    """The contact whose identity changed, or None when nothing changed."""
    contact: UUID | None = await tx.value(
        """
        update contact_identities set reachable = $5
        where account_id = $1 and kind = $2 and scope = $3 and external_id = $4 and reachable <> $5
        returning contact_id
        """,
        tx.account_id, kind, scope, external_id, reachable,
    )  # fmt: skip
    if contact:
        await tx.run(
            "update contacts set version = version + 1 where account_id = $1 and id = $2",
            tx.account_id,
            contact,
        )
    return contact


async def view(tx: Tx, contact_id: UUID) -> ContactView | None:
    row = await tx.row(
        """
        select id, name, created_at, version, email, phone, language, time_zone
        from contacts where account_id = $1 and id = $2
        """,
        tx.account_id, contact_id,
    )  # fmt: skip
    if row is None:
        return None
    identities = await tx.all(
        """
        select kind, external_id as id, name, reachable from contact_identities
        where account_id = $1 and contact_id = $2 order by created_at
        """,
        tx.account_id, contact_id,
    )  # fmt: skip
    return ContactView(**row, identities=tuple(IdentityView(**identity) for identity in identities))


_CHANGEABLE = ("name", "email", "phone", "language", "time_zone")


async def change(tx: Tx, contact_id: UUID, values: dict[str, Any]) -> bool:
    """Set the given columns; False when there is no such contact."""
    assert set(values) <= set(_CHANGEABLE)
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(values, 3))
    return bool(
        await tx.run(
            f"update contacts set version = version + 1{sets} where account_id = $1 and id = $2",
            tx.account_id, contact_id, *values.values(),
        )
    )  # fmt: skip
