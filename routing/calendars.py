"""The time engine: when a person, a team or a channel is open.

A calendar is written in local clock readings and asked about instants. The span of an interval runs from
the first instant at which the clock shows its start to the last at which it shows its end; a reading that
daylight saving skips is replaced by the first valid instant after it. So a shift never splits or vanishes
in the hour that occurs twice, and one that lies wholly in a skipped hour is empty.

Everywhere, None instead of a calendar means "always open". Instants are aware datetimes, answers are UTC.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from routing.wallclock import first_instant, in_utc, last_instant, zone_named

DAY = 24 * 60  # minutes
HORIZON = timedelta(days=366)
MAX_INTERVALS_PER_DAY = 48
MAX_EXCEPTIONS = 3660

# How many local dates on either side of an instant's UTC date can hold the beginning of a span around it:
# one for the offset, one for the longest fold since 1900 (Kwajalein, 1969: 23 hours), one back for midnight.
_DAYS_BACK = 3
_DAYS_AHEAD = 2

Span = tuple[datetime, datetime]


class Interval(Struct, frozen=True):
    """Clock readings as minutes from local midnight, the end excluded.

    An end beyond 24:00 (1440) lies on the next date: 22:00 to 06:00 is `Interval(1320, 1800)`. Raises
    ValueError when empty, longer than 24 hours, or not beginning on its own date.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < DAY:
            raise ValueError(f"an interval starts within 0-{DAY - 1} minutes, not at {self.start}")
        if not self.start < self.end <= self.start + DAY:
            raise ValueError(f"an interval lasts 1-{DAY} minutes, not from {self.start} to {self.end}")


Hours = tuple[Interval, ...]


class DayException(Struct, frozen=True):
    """Replaces the intervals that begin on one local date. Without hours, none begins there.

    An interval that began on the date before, and runs past midnight, is not cut.
    """

    day: date
    hours: Hours = ()


class Calendar(Struct, frozen=True, cache_hash=True):
    """Weekly hours in an IANA zone, Monday first, with dated exceptions.

    Intervals may overlap; the calendar is open in their union. Raises ValueError for an unknown zone, a
    week that has not seven days, two exceptions for one date, or more of them than the limits above.
    """

    zone: str
    weekly: tuple[Hours, ...]
    exceptions: tuple[DayException, ...] = ()

    def __post_init__(self) -> None:
        zone_named(self.zone)
        if len(self.weekly) != 7:
            raise ValueError(f"a week has 7 days, not {len(self.weekly)}")
        if len(self.exceptions) > MAX_EXCEPTIONS:
            raise ValueError(f"a calendar holds at most {MAX_EXCEPTIONS} exceptions")
        if max(map(len, (*self.weekly, *(e.hours for e in self.exceptions)))) > MAX_INTERVALS_PER_DAY:
            raise ValueError(f"a day holds at most {MAX_INTERVALS_PER_DAY} intervals")
        for one, other in pairwise(sorted(exception.day for exception in self.exceptions)):
            if one == other:
                raise ValueError(f"two exceptions for {one}")


def is_open(calendar: Calendar | None, at: datetime) -> bool:
    """Whether the calendar is open at that instant. Raises ValueError as `in_utc` does."""
    at = in_utc(at)
    if calendar is None:
        return True
    # Starts are in order: if the first span that has not ended has not begun, no later one has.
    span = next((span for span in _spans_near(calendar, at.date()) if span[1] > at), None)
    return span is not None and span[0] <= at


def next_opening(calendar: Calendar | None, at: datetime) -> datetime | None:
    """The first open instant, `at` itself included. None when it stays closed for `HORIZON`."""
    at = in_utc(at)
    if calendar is None:
        return at
    span = next(_spans_after(calendar, at), None)
    if span is None or span[0] > at + HORIZON:
        return None
    return max(span[0], at)


def next_closing(calendar: Calendar | None, at: datetime) -> datetime | None:
    """The first closed instant, `at` itself included. None when it stays open for `HORIZON`."""
    at = in_utc(at)
    if calendar is None:
        return None
    edge = at
    for start, end in _spans_after(calendar, at):
        if start > edge:
            break
        edge = max(edge, end)
    return edge if edge <= at + HORIZON else None


def _spans_after(calendar: Calendar, at: datetime) -> Iterator[Span]:
    """The spans that end after `at`, in the order of their starts, to beyond the horizon. They may overlap."""
    for span in _spans_near(calendar, at.date()):
        if span[1] > at:
            yield span
    for days in range(_DAYS_AHEAD + 1, HORIZON.days + _DAYS_AHEAD + 1):
        yield from _spans_of(calendar, at.date() + timedelta(days=days))


# Remembered because routing asks the same day of every agent again and again. It cannot go stale:
# calendars are values, and the zone database does not change within a process.
@lru_cache(maxsize=16_384)
def _spans_near(calendar: Calendar, utc_day: date) -> tuple[Span, ...]:
    """The spans that could hold an instant of that UTC date, and the next few, in the order of their starts."""
    midnight = datetime.combine(utc_day, time(), UTC)
    local_days = (utc_day + timedelta(days=days) for days in range(-_DAYS_BACK, _DAYS_AHEAD + 1))
    return tuple(span for day in local_days for span in _spans_of(calendar, day) if span[1] > midnight)


def _spans_of(calendar: Calendar, day: date) -> list[Span]:
    """The spans of the intervals that begin on a local date, in the order of their starts."""
    zone = zone_named(calendar.zone)
    midnight = datetime.combine(day, time())
    spans = (
        (
            first_instant(zone, midnight + timedelta(minutes=interval.start)),
            last_instant(zone, midnight + timedelta(minutes=interval.end)),
        )
        for interval in _hours_of(calendar, day)
    )
    return sorted(span for span in spans if span[0] < span[1])


def _hours_of(calendar: Calendar, day: date) -> Hours:
    for exception in calendar.exceptions:
        if exception.day == day:
            return exception.hours
    return calendar.weekly[day.weekday()]
