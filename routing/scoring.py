"""Which of those who can take a conversation should."""

from datetime import UTC, datetime

from routing.facts import AgentFacts, ConversationFacts
from routing.rules import RuleSet

# More than any free capacity, which is at most 1: the earlier owner comes before the least loaded.
PREVIOUS_OWNER = 1.0

_NEVER = datetime.min.replace(tzinfo=UTC)


def score_parts(agent: AgentFacts, conversation: ConversationFacts, rules: RuleSet) -> dict[str, float]:
    """The parts of a person's score, which is their sum. For people with capacity left only.

    `free_capacity` is the free share of the person's limit, above 0 and up to 1.
    """
    limit = rules.limit(agent.capacity)
    parts = {"free_capacity": (limit - agent.load) / limit}
    if rules.sticky_owner and agent.id == conversation.previous_owner_id:
        parts["previous_owner"] = PREVIOUS_OWNER
    return parts


def rank(agent: AgentFacts, score: float) -> tuple[float, datetime, str]:
    """Sorts the best first: by score, then whose last assignment is longest ago, then by identifier."""
    return -score, agent.last_assigned_at or _NEVER, agent.id
