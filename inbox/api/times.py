"""The clock of the edges."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
