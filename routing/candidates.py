"""Who can take a conversation now: filters, in a fixed order, each with its words.

What cannot change by waiting (team, channel, language) is asked before the shift, so that somebody
removed for being off shift is worth another look when the shift begins.
"""

from collections.abc import Callable
from datetime import datetime

from routing.calendars import HORIZON, next_opening
from routing.decision import RemovedBy
from routing.facts import AgentFacts, ConversationFacts
from routing.rules import RuleSet
from routing.words import clock

# Words that continue a sentence beginning with the person's name, or None to keep the person.
Filter = Callable[[AgentFacts, ConversationFacts, RuleSet, datetime], str | None]


def removal(
    agent: AgentFacts, conversation: ConversationFacts, rules: RuleSet, at: datetime
) -> tuple[RemovedBy, str] | None:
    """The first filter that removes this person, with its words; None when the person can take it."""
    for name, removes in FILTERS:
        words = removes(agent, conversation, rules, at)
        if words is not None:
            return name, words
    return None


def _team(agent: AgentFacts, conversation: ConversationFacts, _rules: RuleSet, _at: datetime) -> str | None:
    if conversation.team_id is None or agent.teams is None or conversation.team_id in agent.teams:
        return None
    return "is not in the team of this conversation"


def _channel(
    agent: AgentFacts, conversation: ConversationFacts, _rules: RuleSet, _at: datetime
) -> str | None:
    if agent.channels is None or conversation.channel_id in agent.channels:
        return None
    return "may not answer on this channel"


def _language(
    agent: AgentFacts, conversation: ConversationFacts, rules: RuleSet, _at: datetime
) -> str | None:
    wanted = conversation.contact_language
    if not rules.require_language or wanted is None:
        return None
    if _primary(wanted) in map(_primary, agent.languages):
        return None
    return f"does not speak the contact's language ({wanted})"


def _shift(agent: AgentFacts, _conversation: ConversationFacts, _rules: RuleSet, at: datetime) -> str | None:
    if agent.calendar is None:
        return None
    opening = next_opening(agent.calendar, at)
    if opening == at:
        return None
    if opening is None:
        return f"has no shift in the next {HORIZON.days} days"
    return f"is off shift until {clock(agent.calendar.zone, opening)}"


def _availability(
    agent: AgentFacts, _conversation: ConversationFacts, _rules: RuleSet, _at: datetime
) -> str | None:
    return None if agent.availability == "available" else f"is {agent.availability}"


def _connection(
    agent: AgentFacts, _conversation: ConversationFacts, rules: RuleSet, _at: datetime
) -> str | None:
    if rules.require_connected and agent.connected is False:
        return "is not connected"
    return None


def _capacity(
    agent: AgentFacts, _conversation: ConversationFacts, rules: RuleSet, _at: datetime
) -> str | None:
    limit = rules.limit(agent.capacity)
    return None if agent.load < limit else f"has {agent.load} open of at most {limit}"


def _primary(language: str) -> str:
    """`pt` of `pt-BR`: people who share it are taken to understand each other."""
    return language.partition("-")[0].casefold()


FILTERS: tuple[tuple[RemovedBy, Filter], ...] = (
    ("team", _team),
    ("channel", _channel),
    ("language", _language),
    ("shift", _shift),
    ("availability", _availability),
    ("connection", _connection),
    ("capacity", _capacity),
)
