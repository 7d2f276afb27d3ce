"""Change: status, owner, priority, labels and snooze of a conversation, in one transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from inbox import events
from inbox.access import Scope
from inbox.errors import BadInput, Conflict, NotFound
from inbox.outbox import Store, Work, new_id
from inbox.records import conversations, labels, messages, users
from inbox.views import ConversationStatus, ConversationView, MessageView, Priority


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client asks to change; what is absent stays as it is."""

    status: ConversationStatus | UnsetType = UNSET
    assignee_id: UUID | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    snoozed_until: datetime | UnsetType = UNSET
    label_ids: tuple[UUID, ...] | UnsetType = UNSET


class _Step(Struct, frozen=True):
    """One kind of change: what it sets, the event it makes, and the line that the thread shows."""

    values: dict[str, Any]
    event: type[events.ConversationEvent]
    line: dict[str, str] | None = None


def plan(
    current: conversations.Locked, change: Change, now: datetime, agent_names: dict[UUID, str]
) -> list[_Step]:
    """What a change amounts to. Pure; raises BadInput for what makes no sense."""
    steps: list[_Step] = []
    status = _status_step(current, change, now)
    if status:
        steps.append(status)
    if change.assignee_id is not UNSET and change.assignee_id != current.assignee_id:
        line = {"what": "unassigned"}
        if change.assignee_id is not None:
            line = {"what": "assigned", "agent": agent_names[change.assignee_id]}
        values: dict[str, Any] = {"assignee_id": change.assignee_id}
        steps.append(_Step(values, events.ConversationAssigned, line))
    if change.priority is not UNSET and change.priority != current.priority:
        line = {"what": "priority", "priority": change.priority}
        steps.append(_Step({"priority": change.priority}, events.ConversationUpdated, line))
    if change.label_ids is not UNSET and set(change.label_ids) != set(current.label_ids):
        values = {"label_ids": list(dict.fromkeys(change.label_ids))}
        steps.append(_Step(values, events.ConversationUpdated))
    return steps


def _status_step(current: conversations.Locked, change: Change, now: datetime) -> _Step | None:
    if change.snoozed_until is not UNSET and change.status in (UNSET, "snoozed"):
        until = change.snoozed_until
        if until.tzinfo is None:
            raise BadInput("snoozed_until needs a time zone.", field="snoozed_until")
        if not now < until <= now + timedelta(days=366):
            raise BadInput("Snooze until a time within the next year.", field="snoozed_until")
        if current.status == "snoozed" and current.snoozed_until == until:
            return None
        values = {"status": "snoozed", "snoozed_until": until}
        line = {"what": "snoozed", "until": until.astimezone(UTC).isoformat()}
        return _Step(values, events.ConversationSnoozed, line)
    if change.status is UNSET or change.status == current.status:
        return None
    if change.status == "snoozed":
        raise BadInput("Say until when: snoozed_until.", field="snoozed_until")
    values = {"status": change.status, "snoozed_until": None}
    if change.status == "resolved":
        values |= {"waiting_since": None, "unanswered": 0}
        return _Step(values, events.ConversationResolved, {"what": "resolved"})
    if current.status in ("resolved", "snoozed"):
        return _Step(values, events.ConversationReopened, {"what": "reopened"})
    return _Step(values, events.ConversationUpdated, {"what": change.status})


async def change(
    store: Store, scope: Scope, conversation_id: UUID, wanted: Change, *, if_version: int | None = None
) -> ConversationView:
    """Apply a change. Raises NotFound, BadInput, and Conflict with the `current` conversation when it is
    no longer at `if_version`."""
    async with store.write(scope.account_id) as work:
        current = await conversations.lock(scope, work, conversation_id)
        if current is None:
            raise NotFound("This conversation does not exist, or you may not see it.")
        if if_version is not None and if_version != current.version:
            view = await conversations.view_unscoped(work, conversation_id)
            raise Conflict("Somebody changed this conversation first.", current=msgspec.to_builtins(view))
        names = await _check(work, wanted)
        for step in plan(current, wanted, datetime.now(UTC), names):
            await conversations.change(work, conversation_id, step.values)
            activity = None
            if step.line is not None:
                activity = await add_line(work, conversation_id, step.line, scope.user_id, scope.name)
            view = await conversations.view_unscoped(work, conversation_id)
            work.record(step.event(view, activity), conversation_id)  # type: ignore[arg-type]
        return await conversations.view_unscoped(work, conversation_id)


async def _check(work: Work, wanted: Change) -> dict[UUID, str]:
    """Everybody and everything that is named must exist; names of the people."""
    if wanted.label_ids is not UNSET:
        ids = list(wanted.label_ids)
        if len(ids) > 50 or await labels.known(work, ids) != set(ids):
            raise BadInput("One of these labels does not exist.", field="label_ids")
    if wanted.assignee_id is UNSET or wanted.assignee_id is None:
        return {}
    agent = await users.get(work, wanted.assignee_id)
    if agent is None or not agent.active:
        raise BadInput("There is no such agent.", field="assignee_id")
    await users.touch_assigned(work, agent.id)
    return {agent.id: agent.name}


async def add_line(
    work: Work, conversation_id: UUID, line: dict[str, str], author_id: UUID | None, author_name: str
) -> MessageView:
    """An activity line in a locked conversation."""
    message_id = new_id()
    await messages.insert(
        work,
        messages.Draft(
            id=message_id,
            conversation_id=conversation_id,
            channel_id=None,
            kind="activity",
            state="noted",
            author_kind="agent" if author_id else "system",
            author_id=author_id,
            author_name=author_name,
            content=messages.Content(activity=line),
            sort_at=datetime.now(UTC),
        ),
    )
    return await messages.view_unscoped(work, message_id)


async def wake(store: Store, account_id: UUID, conversation_id: UUID) -> bool:
    """A snooze has ended: the conversation is open again. False when it was woken before."""
    async with store.write(account_id) as work:
        current = await conversations.lock_unscoped(work, conversation_id)
        if current is None or current.status != "snoozed" or current.snoozed_until is None:
            return False
        if current.snoozed_until > datetime.now(UTC):
            return False
        await conversations.change(work, conversation_id, {"status": "open", "snoozed_until": None})
        activity = await add_line(work, conversation_id, {"what": "woken"}, None, "")
        view = await conversations.view_unscoped(work, conversation_id)
        work.record(events.ConversationReopened(view, activity), conversation_id)
        return True
