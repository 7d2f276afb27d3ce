"""Decisions recomputed: the same facts, in any order and after storage, give the same answer."""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendars import Calendar, Interval
from routing.decide import decide
from routing.decision import Decision
from routing.facts import AgentFacts, ConversationFacts, RoutingFacts
from routing.replay import replay
from routing.rules import RuleSet

START = datetime(2026, 3, 28, tzinfo=UTC)
CALENDARS = [
    None,
    *(
        Calendar(zone, ((Interval(9 * 60, 17 * 60),),) * 5 + ((), (Interval(22 * 60, 30 * 60),)))
        for zone in ("Europe/Berlin", "Asia/Tokyo", "America/Sao_Paulo", "Australia/Lord_Howe")
    ),
]

identifiers = st.sampled_from("abcdefgh")
instants = st.integers(0, 3 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
several = st.lists(identifiers, max_size=3, unique=True).map(tuple)
languages = st.sampled_from(["en", "pt-BR", "pt", "ja"])

# Few distinct values, so that people are often equal in everything but one thing.
agents = st.builds(
    AgentFacts,
    id=identifiers,
    name=st.sampled_from(["Ana", "Bo", "محمد", ""]),
    calendar=st.sampled_from(CALENDARS),
    availability=st.sampled_from(["available", "available", "away", "busy", "offline"]),
    connected=st.sampled_from([True, False, None]),
    load=st.integers(0, 4),
    capacity=st.integers(0, 4),
    languages=st.lists(languages, max_size=2).map(tuple),
    channels=st.none() | several,
    teams=st.none() | several,
    last_assigned_at=st.none() | st.sampled_from([START, START + timedelta(hours=1)]),
)
conversations = st.builds(
    ConversationFacts,
    id=identifiers,
    version=st.integers(0, 99),
    channel_id=identifiers,
    channel_kind=st.just("telegram"),
    waiting_since=instants,
    contact_language=st.none() | languages,
    previous_owner_id=st.none() | identifiers,
    team_id=st.none() | identifiers,
)
rule_sets = st.builds(
    RuleSet,
    version=st.integers(1, 9),
    require_connected=st.booleans(),
    sticky_owner=st.booleans(),
    require_language=st.booleans(),
    max_load=st.none() | st.integers(0, 4),
)
facts = st.builds(
    RoutingFacts,
    conversation=conversations,
    roster=st.lists(agents, max_size=6, unique_by=lambda agent: agent.id).map(tuple),
    rules=rule_sets,
)


def decided(known: RoutingFacts, now: datetime) -> Decision:
    return decide(known.conversation, known.roster, known.rules, now)


@settings(max_examples=100, deadline=None)
@given(facts, instants, st.randoms(use_true_random=False))
def test_the_order_of_the_roster_changes_nothing(known: RoutingFacts, now: datetime, random: Random) -> None:
    shuffled = list(known.roster)
    random.shuffle(shuffled)
    assert decide(known.conversation, shuffled, known.rules, now) == decided(known, now)


@settings(max_examples=100, deadline=None)
@given(facts, instants)
def test_a_stored_decision_is_reproduced_from_stored_facts(known: RoutingFacts, now: datetime) -> None:
    decision = msgspec.json.decode(msgspec.json.encode(decided(known, now)), type=Decision)
    stored = msgspec.json.decode(msgspec.json.encode(known), type=RoutingFacts)
    assert replay(decision, stored).changed == ()
    assert replay(decision, stored).recomputed == decided(known, now)


@settings(max_examples=100, deadline=None)
@given(facts, instants)
def test_a_decision_accounts_for_everybody_once(known: RoutingFacts, now: datetime) -> None:
    decision = decided(known, now)
    assert sorted(trace.agent_id for trace in decision.candidates) == sorted(a.id for a in known.roster)
    able = [trace for trace in decision.candidates if trace.removed_by is None]
    assert list(decision.candidates[: len(able)]) == able
    assert decision.agent_id == (able[0].agent_id if able else None)
    assert (decision.outcome == "assign") == bool(able)
    assert all(trace.score == max(t.score or 0 for t in able) for trace in able[:1])
    assert decision.next_check_at is None or decision.next_check_at > now


def test_changed_rules_show_what_they_would_have_changed() -> None:
    def agent(name: str, load: int) -> AgentFacts:
        return AgentFacts(name, name, None, "available", True, load, capacity=5)

    conversation = ConversationFacts("c1", 1, "tg1", "telegram", START, previous_owner_id="ana")
    known = RoutingFacts(conversation, (agent("ana", 3), agent("bo", 0)), RuleSet(version=1))
    decision = decided(known, START)
    assert decision.agent_id == "ana"
    changed_rules = msgspec.structs.replace(known, rules=RuleSet(version=2, sticky_owner=False))
    outcome = replay(decision, changed_rules)
    assert outcome.recomputed.agent_id == "bo"
    assert outcome.changed == ("agent_id", "candidates", "rule_version", "words")
