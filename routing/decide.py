"""The decision: who takes this conversation now, or why it waits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from routing.calendars import next_opening
from routing.candidates import removal
from routing.decision import CandidateTrace, Decision
from routing.facts import AgentFacts, ConversationFacts
from routing.rules import RuleSet
from routing.scoring import rank, score_parts
from routing.wallclock import in_utc
from routing.words import NextShift, why_assigned, why_queued


def decide(
    conversation: ConversationFacts, roster: Sequence[AgentFacts], rules: RuleSet, now: datetime
) -> Decision:
    """Assign the conversation to the best person who can take it, or queue it when there is none.

    The answer depends on the arguments only, and not on the order of the roster. Raises ValueError when a
    person is on the roster twice, or when `now` is naive or out of range (`routing.wallclock.in_utc`).
    """
    at = in_utc(now)
    agents = {agent.id: agent for agent in sorted(roster, key=lambda agent: agent.id)}
    if len(agents) != len(roster):
        raise ValueError("a person is on the roster twice")
    traces = [_trace(agent, conversation, rules, at) for agent in agents.values()]
    removed = [trace for trace in traces if trace.score is None]
    ranked = _ranked(traces, agents)
    if ranked:
        shift = None
        words = why_assigned(ranked, removed, conversation.previous_owner_id if rules.sticky_owner else None)
    else:
        shift = _next_shift((agents[trace.agent_id] for trace in removed if trace.removed_by == "shift"), at)
        words = why_queued(removed, shift)
    return Decision(
        conversation_id=conversation.id,
        conversation_version=conversation.version,
        outcome="assign" if ranked else "queue",
        agent_id=ranked[0].agent_id if ranked else None,
        candidates=(*ranked, *removed),
        rule_version=rules.version,
        at=at,
        words=words,
        next_check_at=shift.starts_at if shift else None,
    )


def _ranked(traces: Iterable[CandidateTrace], agents: Mapping[str, AgentFacts]) -> list[CandidateTrace]:
    keyed = ((rank(agents[t.agent_id], t.score), t) for t in traces if t.score is not None)
    return [trace for _, trace in sorted(keyed, key=lambda pair: pair[0])]


def _next_shift(off_shift: Iterable[AgentFacts], at: datetime) -> NextShift | None:
    """The earliest shift to begin; of several at once, that of the first person given."""
    shifts = (
        NextShift(agent.name, agent.calendar.zone, opening)
        for agent in off_shift
        if agent.calendar is not None and (opening := next_opening(agent.calendar, at)) is not None
    )
    return min(shifts, key=lambda shift: shift.starts_at, default=None)


def _trace(
    agent: AgentFacts, conversation: ConversationFacts, rules: RuleSet, at: datetime
) -> CandidateTrace:
    gone = removal(agent, conversation, rules, at)
    if gone is not None:
        by, words = gone
        return CandidateTrace(agent.id, agent.name, removed_by=by, detail=words)
    parts = score_parts(agent, conversation, rules)
    return CandidateTrace(
        agent.id,
        agent.name,
        removed_by=None,
        detail=f"has {agent.load} of {rules.limit(agent.capacity)} conversations open",
        score=sum(parts.values()),
        score_parts=parts,
    )
