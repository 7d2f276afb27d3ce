"""People's schedules as the calendars of the time engine. Pure."""

from datetime import datetime

from inbox.records.users import User
from routing.calendars import Calendar, Interval, is_open

DAY = 24 * 60


def calendar_of(user: User) -> Calendar | None:
    """The person's shifts; None for somebody without a schedule, who is always on shift."""
    if user.schedule is None:
        return None
    weekly: list[list[Interval]] = [[] for _ in range(7)]
    for day, start, end in user.schedule:
        weekly[day].append(Interval(start, end))
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = (tuple(day) for day in weekly)
    return Calendar(user.time_zone, (monday, tuesday, wednesday, thursday, friday, saturday, sunday))


def on_shift(user: User, now: datetime) -> bool:
    return is_open(calendar_of(user), now)


def check_schedule(time_zone: str, schedule: list[tuple[int, int, int]]) -> None:
    """Raises ValueError in words for a zone that does not exist or hours that make no sense."""
    for day, start, end in schedule:
        if not 0 <= day <= 6:
            raise ValueError("a weekday is 0 (Monday) to 6 (Sunday)")
        if not (0 <= start < DAY and start < end <= start + DAY):
            raise ValueError("hours begin within their day and last at most 24 hours")
    weekly = tuple(tuple(Interval(s, e) for d, s, e in schedule if d == day) for day in range(7))
    Calendar(time_zone, weekly)
