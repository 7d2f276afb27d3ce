"""The calendar against an oracle that looks at every minute's clock reading, around zone transitions.

The oracle lists what clocks show minute by minute and searches the readings of an interval's edges in
that list; it shares no arithmetic with the calendar.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendars import Calendar, DayException, Hours, Interval, is_open, next_closing, next_opening

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})
YEARS = range(1975, 2038)  # whole-minute offsets everywhere


@lru_cache(maxsize=2048)
def transition_days(zone: str, year: int) -> list[date]:
    """The UTC dates of a year within which the zone's offset changes."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    offsets = [(start + n * DAY).astimezone(ZoneInfo(zone)).utcoffset() for n in range(367)]
    return [(start + n * DAY).date() for n in range(366) if offsets[n] != offsets[n + 1]]


class Clock:
    """What the clocks of a zone show in each minute from `start` for `days` days."""

    def __init__(self, zone: str, start: datetime, days: int) -> None:
        self.start = start
        info = ZoneInfo(zone)
        instants = (start + n * MINUTE for n in range(days * 1440))
        self.shown = [at.astimezone(info).replace(tzinfo=None) for at in instants]
        self.seen: dict[datetime, list[int]] = {}
        for n, reading in enumerate(self.shown):
            self.seen.setdefault(reading, []).append(n)

    def edge(self, reading: datetime, occurrence: int) -> int:
        if reading in self.seen:
            return self.seen[reading][occurrence]
        return next(n for n, shown in enumerate(self.shown) if shown > reading)

    def open_minutes(self, calendar: Calendar) -> list[bool]:
        """For each minute whether the calendar is open; right from the 4th day to the 4th last."""
        is_open = [False] * len(self.shown)
        exceptions = {exception.day: exception.hours for exception in calendar.exceptions}
        first, last = min(self.shown).date(), max(self.shown).date()
        for n in range(1, (last - first).days - 2):
            day = first + n * DAY
            for interval in exceptions.get(day, calendar.weekly[day.weekday()]):
                midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a clock reading
                opens = self.edge(midnight + interval.start * MINUTE, 0)
                closes = self.edge(midnight + interval.end * MINUTE, -1)
                is_open[opens:closes] = [True] * (closes - opens)
        return is_open


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Many edges in the small hours, where transitions are; some anywhere, some past midnight."""
    start = draw(st.one_of(st.integers(0, 240), st.integers(0, 1439)))
    length = draw(st.one_of(st.integers(1, 90), st.integers(1, 1440)))
    return Interval(start, start + length)


hours: st.SearchStrategy[Hours] = st.lists(intervals(), max_size=3).map(tuple)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Calendar, date]:
    """A calendar and a date; the date is one of a transition where the zone has one that year."""
    zone, year = draw(st.sampled_from(ZONES)), draw(st.sampled_from(YEARS))
    anchor = draw(st.sampled_from(transition_days(zone, year) or [date(year, 2, 28), date(year, 12, 31)]))
    near = st.integers(-1, 1).map(lambda n: anchor + n * DAY)
    exceptions = draw(st.lists(st.builds(DayException, near, hours), max_size=2, unique_by=lambda e: e.day))
    weekly = draw(st.lists(hours, min_size=7, max_size=7).map(tuple))
    return Calendar(zone, weekly, tuple(exceptions)), anchor


def agree(calendar: Calendar, anchor: date, step: int) -> None:
    """Compare all three answers from the day before the anchor to two days after it."""
    start = datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC) - 5 * DAY
    oracle = Clock(calendar.zone, start, days=12).open_minutes(calendar)
    for n in [*range(4 * 1440, 7 * 1440, step), *edges(oracle, 4 * 1440, 7 * 1440)]:
        at = start + n * MINUTE
        assert is_open(calendar, at) == oracle[n], at
        opening, closing = following(oracle, n, True), following(oracle, n, False)
        if opening is not None:
            assert next_opening(calendar, at) == start + opening * MINUTE, at
        if closing is not None:
            assert next_closing(calendar, at) == start + closing * MINUTE, at


def edges(oracle: list[bool], first: int, last: int) -> list[int]:
    changes = [n for n in range(first + 1, last) if oracle[n] != oracle[n - 1]]
    return [minute for n in changes for minute in (n - 1, n)]


def following(oracle: list[bool], n: int, state: bool) -> int | None:
    """The first minute from n on in that state; None when the list does not tell."""
    try:
        return oracle.index(state, n, 8 * 1440)
    except ValueError:
        return None


@settings(max_examples=20, deadline=None)
@given(scenes())
def test_every_answer_around_a_transition_is_that_of_the_clock_on_the_wall(
    scene: tuple[Calendar, date],
) -> None:
    calendar, anchor = scene
    agree(calendar, anchor, step=37)


def test_every_kind_of_transition_of_all_zones_in_two_years_is_as_on_the_wall() -> None:
    """One zone and date stand for all that make the same jump at the same time of day."""
    kinds: dict[tuple[object, ...], tuple[str, date]] = {}
    for zone in ZONES:
        for day in [*transition_days(zone, 2026), *transition_days(zone, 2027)]:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            offsets = tuple(
                (midnight + n * DAY / 24).astimezone(ZoneInfo(zone)).utcoffset() for n in range(25)
            )
            kinds.setdefault(offsets, (zone, day))
    assert len(kinds) > 30
    small_hours = (Interval(0, 60), Interval(90, 125), Interval(150, 180), Interval(1320, 1530))
    for zone, day in kinds.values():
        agree(Calendar(zone, (small_hours,) * 7), day, step=720)
