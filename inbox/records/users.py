"""Users: the people who answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from inbox.db import Tx
from inbox.errors import Conflict
from inbox.views import AgentView, Availability, Role

Schedule = list[tuple[int, int, int]]


class User(Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: Role
    availability: Availability
    time_zone: str
    schedule: Schedule | None
    capacity: int
    last_assigned_at: datetime | None
    active: bool
    load: int  # open conversations owned


class SignIn(Struct, frozen=True):
    account_id: UUID
    id: UUID
    password_hash: str


_COLUMNS = """
    u.id, u.email, u.name, u.role, u.availability, u.time_zone, u.schedule, u.capacity,
    u.last_assigned_at, u.active,
    (select count(*) from conversations c where c.account_id = u.account_id and c.assignee_id = u.id
        and c.status in ('open', 'pending'))::int as load
"""


def _user(row: asyncpg.Record) -> User:
    values = dict(row)
    if values["schedule"] is not None:
        values["schedule"] = [(day, start, end) for day, start, end in values["schedule"]]
    return User(**values)


def view(user: User, *, on_shift: bool) -> AgentView:
    return AgentView(
        id=user.id,
        name=user.name,
        email=user.email,
        role=user.role,
        availability=user.availability,
        time_zone=user.time_zone,
        active=user.active,
        on_shift=on_shift,
        open_conversations=user.load,
        schedule=tuple(user.schedule or ()),
    )


async def create(
    tx: Tx,
    user_id: UUID,
    *,
    email: str,
    name: str,
    password_hash: str,
    role: Role,
    time_zone: str,
    schedule: Schedule | None,
) -> None:
    """Raises Conflict when the account has somebody with that address."""
    try:
        async with tx.savepoint():
            await tx.run(
                """
                insert into users (account_id, id, email, name, password_hash, role, time_zone, schedule)
                values ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                tx.account_id, user_id, email, name, password_hash, role, time_zone, schedule,
            )  # fmt: skip
    except asyncpg.UniqueViolationError:
        raise Conflict(f"Somebody with the address {email} is already here.") from None


async def get(tx: Tx, user_id: UUID) -> User | None:
    row = await tx.row(
        f"select {_COLUMNS} from users u where u.account_id = $1 and u.id = $2", tx.account_id, user_id
    )
    return _user(row) if row else None


async def everybody(tx: Tx) -> list[User]:
    rows = await tx.all(
        f"select {_COLUMNS} from users u where u.account_id = $1 order by u.name, u.id", tx.account_id
    )
    return [_user(row) for row in rows]


_CHANGEABLE = (
    "name", "email", "role", "time_zone", "schedule", "availability", "active", "password_hash", "capacity",
)  # fmt: skip


async def change(tx: Tx, user_id: UUID, values: dict[str, Any]) -> bool:
    """Set the given columns; False when there is no such user."""
    assert set(values) <= set(_CHANGEABLE)
    if not values:
        return await get(tx, user_id) is not None
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 3))
    return bool(
        await tx.run(
            f"update users set {sets} where account_id = $1 and id = $2",
            tx.account_id,
            user_id,
            *values.values(),
        )
    )


async def touch_assigned(tx: Tx, user_id: UUID) -> None:
    await tx.run(
        "update users set last_assigned_at = now() where account_id = $1 and id = $2", tx.account_id, user_id
    )


async def sign_ins(tx: Tx, email: str) -> list[SignIn]:
    """Active people with this address, in any account. In a system transaction."""
    rows = await tx.all(
        """
        select account_id, id, password_hash from users
        where lower(email) = lower($1) and active order by account_id limit 10
        """,
        email,
    )
    return [SignIn(**row) for row in rows]


async def password_hash(tx: Tx, user_id: UUID) -> str | None:
    hashed: str | None = await tx.value(
        "select password_hash from users where account_id = $1 and id = $2", tx.account_id, user_id
    )
    return hashed
