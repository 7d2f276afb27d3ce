from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from routing.calendars import (
    HORIZON,
    MAX_INTERVALS_PER_DAY,
    Calendar,
    DayException,
    Hours,
    Interval,
    is_open,
    next_closing,
    next_opening,
)

NEVER: tuple[Hours, ...] = ((),) * 7
OFFICE = (Interval(9 * 60, 12 * 60), Interval(13 * 60, 17 * 60))
NIGHT = (Interval(22 * 60, 30 * 60),)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def office(zone: str = "Europe/Berlin", *exceptions: DayException) -> Calendar:
    return Calendar(zone, (OFFICE,) * 5 + ((), ()), exceptions)


def daily(zone: str, *hours: Interval) -> Calendar:
    return Calendar(zone, (hours,) * 7)


def test_a_lunch_break_is_closed() -> None:
    monday = office()
    assert is_open(monday, utc("2026-01-12T10:59"))
    assert not is_open(monday, utc("2026-01-12T11:00"))
    assert next_opening(monday, utc("2026-01-12T11:30")) == utc("2026-01-12T12:00")
    assert next_closing(monday, utc("2026-01-12T08:00")) == utc("2026-01-12T11:00")


def test_an_open_calendar_opens_now_and_a_closed_one_closes_now() -> None:
    noon, midnight = utc("2026-01-12T10:00"), utc("2026-01-12T00:00")
    assert next_opening(office(), noon) == noon
    assert next_closing(office(), midnight) == midnight


def test_after_friday_comes_monday() -> None:
    assert next_opening(office(), utc("2026-01-16T16:00")) == utc("2026-01-19T08:00")


def test_no_calendar_is_always_open() -> None:
    at = utc("2026-01-12T10:00")
    assert is_open(None, at)
    assert next_opening(None, at) == at
    assert next_closing(None, at) is None


def test_a_night_shift_belongs_to_the_date_on_which_it_begins() -> None:
    fridays = Calendar("Asia/Tokyo", ((),) * 4 + (NIGHT, (), ()))
    assert next_opening(fridays, utc("2026-01-12T00:00")) == utc("2026-01-16T13:00")
    assert is_open(fridays, utc("2026-01-16T20:59"))
    assert next_closing(fridays, utc("2026-01-16T13:00")) == utc("2026-01-16T21:00")


def test_a_closed_date_ends_no_shift_that_began_the_day_before() -> None:
    nights = Calendar("UTC", (NIGHT,) * 7, (DayException(date(2026, 1, 13)),))
    assert next_closing(nights, utc("2026-01-12T23:00")) == utc("2026-01-13T06:00")
    assert next_opening(nights, utc("2026-01-13T06:00")) == utc("2026-01-14T22:00")


def test_an_exception_replaces_the_hours_of_its_date() -> None:
    saturday = DayException(date(2026, 1, 17), (Interval(10 * 60, 11 * 60),))
    assert next_opening(office("UTC", saturday), utc("2026-01-16T17:00")) == utc("2026-01-17T10:00")
    assert next_opening(office("UTC", saturday), utc("2026-01-17T11:00")) == utc("2026-01-19T09:00")


def test_the_29th_of_february_is_a_date_like_others() -> None:
    leap_day = DayException(date(2028, 2, 29))
    assert next_opening(office("UTC", leap_day), utc("2028-02-28T17:00")) == utc("2028-03-01T09:00")


def test_the_year_turns_within_a_shift() -> None:
    nights = daily("Pacific/Auckland", *NIGHT)
    assert next_closing(nights, utc("2026-12-31T10:00")) == utc("2026-12-31T17:00")


def test_intervals_that_touch_or_overlap_close_once() -> None:
    split = daily("UTC", Interval(480, 720), Interval(600, 700), Interval(720, 900))
    assert next_closing(split, utc("2026-01-12T08:00")) == utc("2026-01-12T15:00")


def test_round_the_clock_never_closes() -> None:
    always = daily("Europe/Berlin", Interval(0, 1440))
    for day in range(HORIZON.days):
        assert is_open(always, utc("2026-01-01T00:00") + timedelta(days=day))
    assert next_closing(always, utc("2026-01-01T00:00")) is None


def test_a_shift_over_the_skipped_hour_is_an_hour_shorter() -> None:
    early = daily("Europe/Berlin", Interval(60, 300))
    at = utc("2026-03-29T00:00")
    assert next_closing(early, at) == at + timedelta(hours=3)


def test_a_shift_over_the_repeated_hour_is_an_hour_longer() -> None:
    early = daily("Europe/Berlin", Interval(60, 300))
    at = utc("2026-10-24T23:00")
    assert next_closing(early, at) == at + timedelta(hours=5)


def test_a_shift_within_the_skipped_hour_does_not_happen() -> None:
    within = daily("Europe/Berlin", Interval(125, 170))
    assert next_opening(within, utc("2026-03-28T02:00")) == utc("2026-03-30T00:05")


def test_a_shift_that_begins_in_the_skipped_hour_begins_when_clocks_have_jumped() -> None:
    late = daily("Europe/Berlin", Interval(150, 300))
    assert next_opening(late, utc("2026-03-29T00:00")) == utc("2026-03-29T01:00")


def test_a_shift_within_the_repeated_hour_runs_from_its_first_to_its_second_reading() -> None:
    within = daily("Europe/Berlin", Interval(135, 165))
    opening = next_opening(within, utc("2026-10-25T00:00"))
    assert opening == utc("2026-10-25T00:15")
    assert next_closing(within, opening) == utc("2026-10-25T01:45")


def test_a_date_that_the_zone_skipped_has_no_shift() -> None:
    samoa = daily("Pacific/Apia", Interval(9 * 60, 17 * 60))
    assert next_opening(samoa, utc("2011-12-30T03:00")) == utc("2011-12-30T19:00")


def test_a_shift_goes_on_while_clocks_show_the_date_before_it_again() -> None:
    """Newfoundland's clocks went back at 00:01, to 23:01 of the date before."""
    sundays = Calendar("America/St_Johns", ((),) * 6 + ((Interval(0, 60),),))
    assert next_opening(sundays, utc("2010-11-05T00:00")) == utc("2010-11-07T02:30")
    assert is_open(sundays, utc("2010-11-07T03:00"))  # 23:30 on Saturday, the second time
    assert next_closing(sundays, utc("2010-11-07T03:00")) == utc("2010-11-07T04:30")


def test_a_shift_goes_on_while_clocks_show_the_date_after_it_already() -> None:
    fridays = Calendar("America/St_Johns", ((),) * 4 + ((Interval(1420, 2860),), (), ()))
    assert is_open(fridays, utc("2010-11-07T02:30:30"))  # 00:00:30 on Sunday, the first time
    assert next_closing(fridays, utc("2010-11-07T02:30:30")) == utc("2010-11-07T03:10")


def test_what_stays_closed_for_the_horizon_has_no_opening() -> None:
    start = utc("2026-01-01T00:00")
    assert next_opening(Calendar("UTC", NEVER), start) is None
    just_within = DayException(date(2027, 1, 2), (Interval(0, 60),))
    too_late = DayException(date(2027, 1, 2), (Interval(1, 60),))
    assert next_opening(Calendar("UTC", NEVER, (just_within,)), start) == start + HORIZON
    assert next_opening(Calendar("UTC", NEVER, (too_late,)), start) is None


def test_an_instant_without_a_zone_is_refused() -> None:
    for ask in (is_open, next_opening, next_closing):
        with pytest.raises(ValueError, match="naive"):
            ask(office(), datetime.fromisoformat("2026-01-01T00:00"))


@pytest.mark.parametrize(("start", "end"), [(-1, 10), (1440, 1500), (60, 60), (60, 59), (60, 1501)])
def test_an_interval_that_is_empty_too_long_or_off_its_date_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="an interval"):
        Interval(start, end)


def test_a_calendar_of_an_unknown_zone_is_refused_at_construction_and_at_decoding() -> None:
    with pytest.raises(ValueError, match="unknown time zone 'Europe/Atlantis'"):
        Calendar("Europe/Atlantis", NEVER)
    stored = msgspec.json.encode(office()).replace(b"Europe/Berlin", b"Europe/Atlantis")
    with pytest.raises(msgspec.ValidationError, match="unknown time zone 'Europe/Atlantis'"):
        msgspec.json.decode(stored, type=Calendar)


def test_a_calendar_out_of_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="7 days, not 6"):
        Calendar("UTC", ((),) * 6)
    with pytest.raises(ValueError, match="two exceptions for 2026-01-01"):
        office("UTC", DayException(date(2026, 1, 1)), DayException(date(2026, 1, 1)))
    with pytest.raises(ValueError, match="at most 3660 exceptions"):
        office("UTC", *(DayException(date.fromordinal(700_000 + n)) for n in range(3661)))
    with pytest.raises(ValueError, match="at most 48 intervals"):
        daily("UTC", *(Interval(n, n + 1) for n in range(MAX_INTERVALS_PER_DAY + 1)))


def test_a_calendar_comes_back_from_json_as_it_was() -> None:
    calendar = office("Asia/Kathmandu", DayException(date(2026, 1, 1)), DayException(date(2026, 1, 2), NIGHT))
    assert msgspec.json.decode(msgspec.json.encode(calendar), type=Calendar) == calendar
