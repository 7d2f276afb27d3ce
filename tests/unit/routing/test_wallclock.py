from datetime import UTC, datetime, timedelta, timezone

import pytest

from routing.wallclock import first_instant, in_utc, last_instant, zone_named


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def reading(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "shown", "first", "last"),
    [
        ("Europe/Berlin", "2026-01-15T09:00", "2026-01-15T08:00", "2026-01-15T08:00"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00", "2026-10-25T01:00"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
        ("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30", "2026-10-03T15:30"),
        ("America/Havana", "2026-03-08T00:20", "2026-03-08T05:00", "2026-03-08T05:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-30T10:00"),
    ],
)
def test_a_reading_becomes_its_first_and_its_last_instant(
    zone: str, shown: str, first: str, last: str
) -> None:
    assert first_instant(zone_named(zone), reading(shown)) == utc(first)
    assert last_instant(zone_named(zone), reading(shown)) == utc(last)


@pytest.mark.parametrize(
    "name",
    [
        *("Europe/Atlantis", "", "Europe", "../etc/passwd", "/etc/passwd", "a\0b", "\ud800", "x" * 5000),
        *("tzdata.zi", "localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/Berlin"),
    ],
)
def test_a_name_that_is_no_iana_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        zone_named(name)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        in_utc(reading("2026-01-01T00:00"))


@pytest.mark.parametrize("year", [1, 1899, 9001, 9999])
def test_an_instant_of_a_clock_gone_mad_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="year"):
        in_utc(datetime(year, 6, 1, tzinfo=UTC))


def test_an_instant_of_any_zone_is_the_same_instant_in_utc() -> None:
    at = in_utc(datetime(2026, 5, 1, 9, tzinfo=timezone(timedelta(hours=9))))
    assert at == utc("2026-05-01T00:00")
    assert at.tzinfo is UTC
