"""People: the agents of an account."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from inbox import events, shifts
from inbox.access import Scope
from inbox.crypto import Passwords
from inbox.errors import BadInput, Forbidden, NotFound
from inbox.outbox import Store, Work, new_id
from inbox.records import sessions, users
from inbox.views import AgentView, Availability, Role

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Email = Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Schedule = tuple[tuple[int, int, int], ...]

MIN_PASSWORD = 8


class NewAgent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    email: Email
    password: str
    role: Role = "agent"
    time_zone: str = "UTC"
    schedule: Schedule | None = None


class AgentChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays as it is."""

    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    schedule: Schedule | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    password: str | UnsetType = UNSET


class OwnChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people change about themselves. A new password needs the current one."""

    name: Name | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    availability: Availability | UnsetType = UNSET
    password: str | UnsetType = UNSET
    current_password: str = ""


def check_password(password: str, *context: str) -> None:
    """Raises BadInput for what is too short, too long, or the person's own name or address."""
    if len(password) < MIN_PASSWORD:
        raise BadInput(f"Use at least {MIN_PASSWORD} characters for the password.", field="password")
    if len(password.encode()) > Passwords.MAX_BYTES:
        raise BadInput("The password is too long.", field="password")
    if password.lower() in {word.lower() for word in context} or len(set(password)) < 3:
        raise BadInput("This password is too easy to guess.", field="password")


def check_zone(time_zone: str) -> None:
    if time_zone not in available_timezones():
        raise BadInput(f"{time_zone!r} is not a time zone, e.g. Europe/Madrid.", field="time_zone")


def _check_schedule(time_zone: str, schedule: Schedule | None) -> None:
    try:
        shifts.check_schedule(time_zone, list(schedule or ()))
    except ValueError as error:
        raise BadInput(f"The schedule does not work: {error}.", field="schedule") from None


async def add(store: Store, scope: Scope, passwords: Passwords, given: NewAgent) -> AgentView:
    """Raises Forbidden, BadInput, Conflict."""
    scope.require_admin()
    if given.role == "owner" and scope.role != "owner":
        raise Forbidden("Only an owner can make another owner.")
    return await admit(store, scope.account_id, passwords, given)


async def admit(store: Store, account_id: UUID, passwords: Passwords, given: NewAgent) -> AgentView:
    """Add somebody on the word of whoever runs the installation. Raises BadInput, Conflict."""
    check_password(given.password, given.name, given.email)
    check_zone(given.time_zone)
    _check_schedule(given.time_zone, given.schedule)
    hashed = await passwords.hash(given.password)
    user_id = new_id()
    async with store.write(account_id) as work:
        await users.create(
            work, user_id, email=given.email, name=given.name, password_hash=hashed, role=given.role,
            time_zone=given.time_zone, schedule=list(given.schedule) if given.schedule is not None else None,
        )  # fmt: skip
        view = await _view(work, user_id)
        work.record(events.AgentUpdated(view))
        return view


async def change(
    store: Store, scope: Scope, passwords: Passwords, user_id: UUID, wanted: AgentChange
) -> AgentView:
    """Raises Forbidden, BadInput, NotFound. Deactivating somebody, or setting a password for them, signs
    them out everywhere."""
    scope.require_admin()
    values = _given(wanted)
    if user_id == scope.user_id and (values.get("active") is False or "role" in values):
        raise Forbidden("Ask another admin to change your own role or to deactivate you.")
    if wanted.password is not UNSET:
        check_password(wanted.password)
        values["password_hash"] = await passwords.hash(wanted.password)
    async with store.write(scope.account_id) as work:
        current = await users.get(work, user_id)
        if current is None:
            raise NotFound("There is no such agent.")
        if "owner" in (current.role, values.get("role")) and scope.role != "owner":
            raise Forbidden("Only an owner can change an owner.")
        zone = values.get("time_zone", current.time_zone)
        check_zone(zone)
        _check_schedule(zone, values.get("schedule", current.schedule))
        await users.change(work, user_id, values)
        if values.get("active") is False or "password_hash" in values:
            await sessions.end_all(work, user_id)
        view = await _view(work, user_id)
        work.record(events.AgentUpdated(view))
        return view


async def change_own(
    store: Store, scope: Scope, passwords: Passwords, wanted: OwnChange, session: bytes
) -> AgentView:
    """Raises BadInput, Forbidden for a wrong current password. A new password ends other sessions."""
    values = _given(wanted)
    values.pop("current_password", None)
    if wanted.time_zone is not UNSET:
        check_zone(wanted.time_zone)
    if wanted.password is not UNSET:
        async with store.read(scope.account_id) as tx:
            known = await users.password_hash(tx, scope.user_id)
        if not await passwords.matches(known, wanted.current_password):
            raise Forbidden("The current password is not right.", field="current_password")
        check_password(wanted.password, scope.name)
        values["password_hash"] = await passwords.hash(wanted.password)
    async with store.write(scope.account_id) as work:
        await users.change(work, scope.user_id, values)
        if "password_hash" in values:
            await sessions.end_all(work, scope.user_id, but=session)
        view = await _view(work, scope.user_id)
        work.record(events.AgentUpdated(view))
        return view


def _given(wanted: AgentChange | OwnChange) -> dict[str, Any]:
    """The fields that were sent, as columns; the password is hashed by its own road."""
    values = {
        name: value
        for name, value in msgspec.structs.asdict(wanted).items()
        if value is not UNSET and name != "password"
    }
    if values.get("schedule") is not None:
        values["schedule"] = [list(item) for item in values["schedule"]]
    return values


async def _view(work: Work, user_id: UUID) -> AgentView:
    user = await users.get(work, user_id)
    assert user is not None
    return users.view(user, on_shift=shifts.on_shift(user, datetime.now(UTC)))
