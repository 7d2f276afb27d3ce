"""Where a customer's message stands in its thread."""

from datetime import UTC, datetime, timedelta

from inbox.threads import place

SECOND = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_a_message_of_a_whole_second_stands_where_it_arrived() -> None:
    arrived = SECOND + timedelta(milliseconds=700)
    assert place(SECOND, arrived) == arrived


def test_a_message_that_comes_late_stays_inside_its_second() -> None:
    assert place(SECOND, SECOND + timedelta(hours=3)) == SECOND + timedelta(microseconds=999_999)


def test_a_provider_whose_clock_is_ahead_keeps_its_own_order() -> None:
    assert place(SECOND, SECOND - timedelta(seconds=4)) == SECOND


def test_a_provider_that_counts_finer_is_believed() -> None:
    fine = SECOND + timedelta(milliseconds=250)
    assert place(fine, fine + timedelta(milliseconds=500)) == fine
