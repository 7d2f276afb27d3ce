"""From a local clock reading to an instant, through every gap and fold.

The rules of PEP 495: clocks that go forward leave readings that never occur (a gap), clocks that go back
show readings twice (a fold). Zones are those of the IANA time zone database, read by `zoneinfo`.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EARLIEST_YEAR = 1900
LATEST_YEAR = 9000

# Files of a zoneinfo directory that are no IANA zones: the host's own zone, and clocks with leap seconds.
_NOT_IANA = frozenset({"localtime", "posixrules", "Factory"})
_NOT_IANA_TREES = ("posix/", "right/")


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ValueError when there is none."""
    if name in _NOT_IANA or name.startswith(_NOT_IANA_TREES):
        raise ValueError(f"unknown time zone {name!r}")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # no such key; not a zone file; a directory, too long
        raise ValueError(f"unknown time zone {name[:64]!r}") from error


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive datetime and for years no schedule reaches.

    The limits on the year leave room for date arithmetic on both sides.
    """
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone: the datetime is naive")
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise ValueError(f"the year {at.year} is not within {EARLIEST_YEAR}-{LATEST_YEAR}")
    return at.astimezone(UTC)


def first_instant(zone: ZoneInfo, reading: datetime) -> datetime:
    """The first instant, in UTC, at which clocks in the zone show this (naive) reading.

    A reading that never occurs gives the instant at which clocks jumped over it.
    """
    return _instant(zone, reading, fold=0)


def last_instant(zone: ZoneInfo, reading: datetime) -> datetime:
    """Like `first_instant`, but the second occurrence of a reading that occurs twice."""
    return _instant(zone, reading, fold=1)


def _instant(zone: ZoneInfo, reading: datetime, fold: int) -> datetime:
    before = _offset(zone, reading, fold=0)
    after = _offset(zone, reading, fold=1)
    if before < after:
        return _jump(zone, reading, before, after)
    return (reading - (after if fold else before)).replace(tzinfo=UTC)


def _jump(zone: ZoneInfo, reading: datetime, before: timedelta, after: timedelta) -> datetime:
    """The first second at which clocks show more than a reading that lies in a gap."""
    too_early = (reading - after).replace(tzinfo=UTC)

    def shown(seconds: int) -> datetime:
        return (too_early + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)

    width = int((after - before).total_seconds())
    return too_early + timedelta(seconds=bisect_left(range(width), reading, key=shown))


def _offset(zone: ZoneInfo, reading: datetime, fold: int) -> timedelta:
    offset = reading.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset
