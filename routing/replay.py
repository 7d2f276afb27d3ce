"""Recomputing a stored decision from its stored facts."""

from msgspec import Struct

from routing.decide import decide
from routing.decision import Decision
from routing.facts import RoutingFacts


class Replay(Struct, frozen=True):
    """What the facts give today, and the fields of the decision in which that differs from what was stored.

    No changed field means that the decision is reproduced entirely.
    """

    recomputed: Decision
    changed: tuple[str, ...]


def replay(decision: Decision, facts: RoutingFacts) -> Replay:
    """Decide again, at the instant of the stored decision. Raises ValueError as `decide` does.

    Unchanged facts change nothing, as long as the zone database says the same about that instant.
    """
    recomputed = decide(facts.conversation, facts.roster, facts.rules, decision.at)
    changed = tuple(
        field
        for field in Decision.__struct_fields__
        if getattr(recomputed, field) != getattr(decision, field)
    )
    return Replay(recomputed, changed)
