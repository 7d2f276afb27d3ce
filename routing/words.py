"""Decisions in English sentences: "why me?" and "why nobody?"."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from routing.decision import CandidateTrace, RemovedBy
from routing.wallclock import zone_named

_NOT_NOW: dict[RemovedBy, str] = {
    "team": "outside the team",
    "channel": "not allowed on this channel",
    "language": "without the language",
    "shift": "off shift",
    "availability": "not available",
    "connection": "not connected",
    "capacity": "at capacity",
}


class NextShift(NamedTuple):
    """Who comes on shift next, and when."""

    name: str
    zone: str
    starts_at: datetime


@lru_cache(maxsize=4096)
def clock(zone: str, at: datetime) -> str:
    """An instant as people in the zone read it, with its offset: the hour may occur twice."""
    return f"{at.astimezone(zone_named(zone)).isoformat(' ', 'minutes')} ({zone})"


def why_assigned(
    ranked: Sequence[CandidateTrace], removed: Sequence[CandidateTrace], previous_owner_id: str | None
) -> str:
    """Why the first of `ranked` got the conversation, and why an earlier owner who cannot take it did not."""
    chosen = ranked[0]
    sentence = f"Assigned to {chosen.name}, {_advantage(ranked, removed)}: {chosen.name} {chosen.detail}"
    for candidate in removed:
        if candidate.agent_id == previous_owner_id:
            sentence += f"; {candidate.name}, the previous owner, {candidate.detail}"
    return sentence + "."


def why_queued(removed: Sequence[CandidateTrace], shift: NextShift | None) -> str:
    """Why nobody got it, and who comes on shift next."""
    if not removed:
        return "Queued: the roster is empty."
    counts = Counter(candidate.removed_by for candidate in removed)
    reasons = ", ".join(f"{counts[by]} {words}" for by, words in _NOT_NOW.items() if by in counts)
    sentence = f"Queued, because nobody can take it now: {reasons}"
    if shift is not None:
        sentence += f"; {shift.name} is next on shift, at {clock(shift.zone, shift.starts_at)}"
    return sentence + "."


def _advantage(ranked: Sequence[CandidateTrace], removed: Sequence[CandidateTrace]) -> str:
    chosen = ranked[0]
    if "previous_owner" in chosen.score_parts:
        return "the previous owner"
    if not removed and len(ranked) == 1:
        return "the only person on the roster"
    if len(ranked) == 1:
        return f"the only one of {len(removed) + 1} people who can take it now"
    equals = sum(candidate.score == chosen.score for candidate in ranked)
    if equals > 1:
        return f"next in turn of the {equals} least loaded people"
    return f"the least loaded of {len(ranked)} people who can take it now"
