"""What has been dispatched of one log, and what follows from an announcement. Pure."""

import asyncio
from enum import Enum, auto


class Verdict(Enum):
    NEXT = auto()
    DUPLICATE = auto()
    HELD = auto()  # not now: what is missing is being read from the log, and this with it
    GAP = auto()


class Track:
    """What has been dispatched of one log. The lock makes sure that it is started once."""

    __slots__ = ("base", "broken", "followers", "healing", "last", "log", "seen", "starting")

    def __init__(self, log: str) -> None:
        self.log = log
        self.followers = 0
        self.base = 0
        self.last: int | None = None  # None until the bounds are known
        self.seen = 0  # the newest seq that anybody announced
        self.healing = False
        self.broken: str | None = None  # why it cannot be continued
        self.starting = asyncio.Lock()

    def take(self, seq: int) -> Verdict:
        """Judges an announced entry and, if it is the next, counts it as dispatched."""
        if self.last is not None and seq <= self.last:
            return Verdict.DUPLICATE
        self.seen = max(self.seen, seq)
        if self.last is None or self.healing:
            return Verdict.HELD
        if seq > self.last + 1:
            return Verdict.GAP
        self.last = seq
        return Verdict.NEXT
