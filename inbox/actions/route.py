"""Route: decide who gets an ownerless conversation, and give it to them if nothing changed meanwhile."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from inbox import events, shifts, telemetry
from inbox.actions.change import add_line
from inbox.outbox import Store
from inbox.records import conversations, decisions, queue, users
from routing.decide import decide
from routing.facts import AgentFacts, ConversationFacts, Priority, RoutingFacts
from routing.rules import RuleSet

RULES = RuleSet(version=1)
_PRIORITY: dict[str, Priority] = {
    "none": "normal", "low": "low", "medium": "normal", "high": "high", "urgent": "urgent",
}  # fmt: skip


def agent_facts(user: users.User) -> AgentFacts:
    return AgentFacts(
        id=str(user.id),
        name=user.name,
        calendar=shifts.calendar_of(user),
        availability=user.availability,
        connected=None,  # presence comes with the live feed's own issue; unknown removes nobody
        load=user.load,
        capacity=user.capacity,
        last_assigned_at=user.last_assigned_at,
    )


def _needs_owner(target: queue.ToRoute | None) -> bool:
    return target is not None and target.assignee_id is None and target.status in ("open", "pending")


async def route(
    store: Store, account_id: UUID, conversation_id: UUID
) -> Literal["assigned", "queued", "skipped"]:
    """Decide and claim. "skipped" when somebody owns it or it is not open."""
    async with store.write(account_id) as work:
        if not _needs_owner(await queue.to_route_unscoped(work, conversation_id)):
            return "skipped"
        await queue.take_turn(work)
        target = await queue.to_route_unscoped(work, conversation_id)
        if target is None or not _needs_owner(target):
            return "skipped"
        roster = tuple(agent_facts(user) for user in await users.everybody(work) if user.active)
        facts = RoutingFacts(
            ConversationFacts(
                id=str(target.id),
                version=target.version,
                channel_id=str(target.channel_id),
                channel_kind=target.channel_kind,
                waiting_since=target.waiting_since or target.created_at,
                priority=_PRIORITY[target.priority],
                contact_language=target.contact_language,
                previous_owner_id=str(target.previous_owner_id) if target.previous_owner_id else None,
            ),
            roster,
            RULES,
        )
        decision = decide(facts.conversation, facts.roster, facts.rules, datetime.now(UTC))
        agent_id = UUID(decision.agent_id) if decision.agent_id else None
        applied = False
        if agent_id is None:
            await queue.put(work, conversation_id, target.version, decision.next_check_at)
        else:
            applied = await queue.claim(work, conversation_id, agent_id, target.version)
        if agent_id is not None and not applied:
            return "skipped"
        before = await decisions.latest(work, conversation_id)
        if agent_id is None and before is not None and before["words"] == decision.words:
            return "queued"  # the same answer as last time says nothing new
        await decisions.write(
            work, conversation_id, at=decision.at, outcome=decision.outcome, agent_id=agent_id, applied=applied,
            decision=msgspec.to_builtins(decision), facts=msgspec.to_builtins(facts),
        )  # fmt: skip
        telemetry.decisions.labels(decision.outcome).inc()
        if agent_id is None:
            return "queued"
        await users.touch_assigned(work, agent_id)
        name = next(agent.name for agent in roster if agent.id == decision.agent_id)
        line = {"what": "routed", "agent": name, "why": decision.words}
        activity = await add_line(work, conversation_id, line, None, "")
        view = await conversations.view_unscoped(work, conversation_id)
        work.record(events.ConversationAssigned(view, activity), conversation_id)
        return "assigned"


async def drain_queue(store: Store, account_id: UUID, limit: int = 50) -> int:
    """Somebody became available: look again at what waits, most urgent first; how many found an owner."""
    async with store.read(account_id) as tx:
        waiting = await queue.waiting_unscoped(tx, limit)
    assigned = 0
    for conversation_id in waiting:
        if await route(store, account_id, conversation_id) == "assigned":
            assigned += 1
    return assigned
