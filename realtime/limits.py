"""Every bound of a connection, and the token bucket that holds its client to one of them."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Bytes, events or seconds. What happens at each bound is said where it is enforced."""

    max_queue_bytes: int = 1024 * 1024
    resume_limit: int = 10_000  # events that a client may be behind
    replay_batch: int = 100  # events read from the log, and sent, at a time
    resume_timeout: float = 10.0
    close_timeout: float = 1.0  # for the bye, and again for the close
    heartbeat: float = 15.0
    frame_rate: float = 20.0  # client frames per second
    frame_burst: float = 40.0
    max_topics: int = 1024


class TokenBucket:
    """Allows `burst` at once and `rate` per second in the long run. Pure: the caller brings the time."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """True, and one token less; or False, and nothing changed but the time."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
