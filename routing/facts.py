"""What a decision is made from: values that can be stored beside it and judged again.

Identifiers are opaque strings. Instants are aware datetimes.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from routing.calendars import Calendar
from routing.rules import RuleSet

Priority = Literal["low", "normal", "high", "urgent"]
Availability = Literal["available", "away", "busy", "offline"]

Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]


class ConversationFacts(Struct, frozen=True):
    """The conversation that needs somebody, as it was at `version`.

    `waiting_since` is when the customer began to wait for an answer. Without a team, anybody may take it.
    """

    id: str
    version: int
    channel_id: str
    channel_kind: str
    waiting_since: Instant
    priority: Priority = "normal"
    contact_language: str | None = None  # BCP 47
    previous_owner_id: str | None = None
    team_id: str | None = None


class AgentFacts(Struct, frozen=True):
    """One person of the roster.

    `calendar` is the person's shifts; None is always on shift. `availability` is what the person chose,
    `connected` what presence saw: None when presence does not know. `load` is the number of open
    conversations the person owns and `capacity` how many are wanted at most. `teams` and `channels` are
    identifiers; None is all of them. `last_assigned_at` orders people who are otherwise equal.
    """

    id: str
    name: str
    calendar: Calendar | None
    availability: Availability
    connected: bool | None
    load: Count
    capacity: Count
    languages: tuple[str, ...] = ()  # BCP 47
    channels: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    last_assigned_at: Instant | None = None


class RoutingFacts(Struct, frozen=True):
    """Everything `decide` judges, apart from the instant, which the decision carries itself."""

    conversation: ConversationFacts
    roster: tuple[AgentFacts, ...]
    rules: RuleSet
