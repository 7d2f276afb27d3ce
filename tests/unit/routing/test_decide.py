from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from routing.calendars import Calendar, DayException, Interval
from routing.decide import decide
from routing.decision import CandidateTrace, Decision
from routing.facts import AgentFacts, ConversationFacts
from routing.rules import RuleSet

RULES = RuleSet(version=7)
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday, 19:00 in Tokyo
DAYTIME = ((Interval(9 * 60, 17 * 60),),) * 7
LONDON = Calendar("Europe/London", DAYTIME)
TOKYO = Calendar("Asia/Tokyo", DAYTIME)
NEW_YORK = Calendar("America/New_York", DAYTIME)
ON_LEAVE = Calendar("Europe/London", ((),) * 7)


def conversation(**known: Any) -> ConversationFacts:
    facts = {"id": "c1", "version": 3, "channel_id": "tg1", "channel_kind": "telegram", "waiting_since": NOW}
    return ConversationFacts(**{**facts, **known})


def person(name: str, **known: Any) -> AgentFacts:
    facts = {
        "id": name.lower(),
        "name": name,
        "calendar": LONDON,
        "availability": "available",
        "connected": True,
        "load": 0,
        "capacity": 10,
    }
    return AgentFacts(**{**facts, **known})


def decided(*roster: AgentFacts, rules: RuleSet = RULES, at: datetime = NOW, **known: Any) -> Decision:
    return decide(conversation(**known), roster, rules, at)


def trace(decision: Decision, agent_id: str) -> CandidateTrace:
    return next(candidate for candidate in decision.candidates if candidate.agent_id == agent_id)


def test_the_least_loaded_person_on_shift_gets_the_conversation() -> None:
    decision = decided(person("Ana", load=5), person("Bo", load=2), person("Kenji", calendar=TOKYO))
    assert (decision.outcome, decision.agent_id) == ("assign", "bo")
    assert decision.words == (
        "Assigned to Bo, the least loaded of 2 people who can take it now: Bo has 2 of 10 conversations open."
    )
    assert [candidate.agent_id for candidate in decision.candidates] == ["bo", "ana", "kenji"]
    assert decision.next_check_at is None


def test_load_is_measured_against_each_persons_capacity() -> None:
    assert decided(person("Ana", load=2, capacity=4), person("Bo", load=3, capacity=10)).agent_id == "bo"


def test_a_decision_names_what_it_was_made_from() -> None:
    decision = decided(person("Ana"))
    assert (decision.conversation_id, decision.conversation_version) == ("c1", 3)
    assert (decision.rule_version, decision.at) == (7, NOW)


def test_scores_are_the_sum_of_their_parts() -> None:
    decision = decided(person("Ana", load=5), person("Bo", load=2), previous_owner_id="ana")
    assert trace(decision, "ana").score_parts == {"free_capacity": 0.5, "previous_owner": 1.0}
    assert trace(decision, "ana").score == 1.5
    assert trace(decision, "bo").score_parts == {"free_capacity": 0.8}


@pytest.mark.parametrize(
    ("known", "about", "rules", "removed_by", "detail"),
    [
        (
            {"teams": ("sales",)},
            {"team_id": "help"},
            RULES,
            "team",
            "is not in the team of this conversation",
        ),
        ({"channels": ("wa1",)}, {}, RULES, "channel", "may not answer on this channel"),
        ({"calendar": TOKYO}, {}, RULES, "shift", "is off shift until 2026-03-03 09:00+09:00 (Asia/Tokyo)"),
        ({"calendar": ON_LEAVE}, {}, RULES, "shift", "has no shift in the next 366 days"),
        ({"availability": "away"}, {}, RULES, "availability", "is away"),
        ({"availability": "busy"}, {}, RULES, "availability", "is busy"),
        ({"availability": "offline"}, {}, RULES, "availability", "is offline"),
        ({"load": 10}, {}, RULES, "capacity", "has 10 open of at most 10"),
        ({"capacity": 0}, {}, RULES, "capacity", "has 0 open of at most 0"),
        ({"load": 3}, {}, RuleSet(version=7, max_load=3), "capacity", "has 3 open of at most 3"),
        (
            {"connected": False},
            {},
            RuleSet(version=7, require_connected=True),
            "connection",
            "is not connected",
        ),
        (
            {"languages": ("en", "de")},
            {"contact_language": "pt-BR"},
            RuleSet(version=7, require_language=True),
            "language",
            "does not speak the contact's language (pt-BR)",
        ),
    ],
)
def test_whoever_cannot_take_it_is_removed_with_the_reason(
    known: dict[str, Any], about: dict[str, Any], rules: RuleSet, removed_by: str, detail: str
) -> None:
    decision = decided(person("Ana", **known), person("Bo", load=1, languages=("pt",)), rules=rules, **about)
    assert decision.agent_id == "bo"
    removed = trace(decision, "ana")
    assert (removed.removed_by, removed.detail) == (removed_by, detail)
    assert (removed.score, removed.score_parts) == (None, {})


def test_whoever_is_not_restricted_serves_every_team_channel_and_language() -> None:
    assert decided(person("Ana"), team_id="help", contact_language="pt").agent_id == "ana"
    rules = RuleSet(version=7, require_language=True)
    assert decided(person("Ana"), rules=rules).agent_id == "ana"
    assert decided(person("Ana", calendar=None), at=NOW + timedelta(hours=12)).agent_id == "ana"


def test_while_presence_does_not_know_nobody_is_removed_for_it() -> None:
    rules = RuleSet(version=7, require_connected=True)
    assert decided(person("Ana", connected=None), rules=rules).agent_id == "ana"


def test_the_previous_owner_comes_before_the_least_loaded() -> None:
    decision = decided(person("Ana", load=9), person("Bo"), previous_owner_id="ana")
    assert decision.agent_id == "ana"
    assert decision.words == "Assigned to Ana, the previous owner: Ana has 9 of 10 conversations open."


def test_a_previous_owner_who_is_off_shift_is_passed_over_and_the_words_say_so() -> None:
    decision = decided(person("Ana"), person("Kenji", calendar=TOKYO), previous_owner_id="kenji")
    assert decision.agent_id == "ana"
    assert decision.words == (
        "Assigned to Ana, the only one of 2 people who can take it now: Ana has 0 of 10 conversations open; "
        "Kenji, the previous owner, is off shift until 2026-03-03 09:00+09:00 (Asia/Tokyo)."
    )


def test_without_the_rule_the_previous_owner_is_nobody_special() -> None:
    rules = RuleSet(version=7, sticky_owner=False)
    roster = (person("Ana", load=1), person("Bo"), person("Kenji", calendar=TOKYO))
    assert decided(*roster, rules=rules, previous_owner_id="ana").agent_id == "bo"
    assert "previous owner" not in decided(*roster, rules=rules, previous_owner_id="kenji").words


def test_equals_take_turns_by_their_last_assignment() -> None:
    lately = person("Ana", load=1, capacity=3, last_assigned_at=NOW - timedelta(minutes=1))
    earlier = person("Bo", load=2, capacity=6, last_assigned_at=NOW - timedelta(hours=1))
    never = person("Cem", load=3, capacity=9)
    assert decided(lately, earlier).agent_id == "bo"
    decision = decided(lately, earlier, never)
    assert decision.agent_id == "cem"
    assert decision.words.startswith("Assigned to Cem, next in turn of the 3 least loaded people:")


def test_a_queue_says_why_nobody_and_when_to_look_again() -> None:
    decision = decided(
        person("Ana", availability="away"),
        person("Bo", load=10),
        person("Dana", calendar=NEW_YORK),
        person("Kenji", calendar=TOKYO),
    )
    assert (decision.outcome, decision.agent_id) == ("queue", None)
    assert decision.words == (
        "Queued, because nobody can take it now: 2 off shift, 1 not available, 1 at capacity; "
        "Dana is next on shift, at 2026-03-02 09:00-05:00 (America/New_York)."
    )
    assert decision.next_check_at == datetime(2026, 3, 2, 14, tzinfo=UTC)


def test_a_queue_does_not_wait_for_somebody_who_may_not_take_it_even_on_shift() -> None:
    decision = decided(person("Dana", calendar=NEW_YORK, channels=()), person("Kenji", calendar=TOKYO))
    assert decision.next_check_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_when_the_queue_is_tried_again_the_person_who_came_on_shift_gets_it() -> None:
    roster = (person("Dana", calendar=NEW_YORK), person("Kenji", calendar=TOKYO))
    queued = decided(*roster)
    assert queued.next_check_at is not None
    assert decided(*roster, at=queued.next_check_at).agent_id == "dana"


def test_with_everybody_on_leave_the_queue_has_no_next_shift() -> None:
    decision = decided(person("Ana", calendar=ON_LEAVE))
    assert decision.next_check_at is None
    assert decision.words == "Queued, because nobody can take it now: 1 off shift."


def test_an_empty_roster_queues() -> None:
    decision = decided()
    assert (decision.outcome, decision.candidates) == ("queue", ())
    assert decision.words == "Queued: the roster is empty."


def test_leave_is_a_dated_exception_of_the_shift() -> None:
    on_leave_today = Calendar("Europe/London", DAYTIME, (DayException(date(2026, 3, 2)),))
    assert decided(person("Ana", calendar=on_leave_today)).outcome == "queue"
    assert decided(person("Ana", calendar=on_leave_today), at=NOW + timedelta(days=1)).agent_id == "ana"


def test_one_person_alone_is_named_as_such() -> None:
    assert decided(person("Ana")).words.startswith("Assigned to Ana, the only person on the roster:")


def test_a_person_twice_on_the_roster_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        decided(person("Ana"), person("Ana"))


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        decided(person("Ana"), at=NOW.replace(tzinfo=None))
