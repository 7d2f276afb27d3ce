"""Rate limits that hold over all processes: a token bucket per key, in Redis, in one atomic step.

When Redis is away, sign-ins are refused (guessing passwords must not become free) and everything else is
let through.
"""

from redis.asyncio import Redis

from inbox.errors import TooMany
from inbox.streams import REDIS_ERRORS

# Counts within a window that begins with the first hit. Returns the seconds to wait, or 0.
_SCRIPT = """
local hits = redis.call('incrby', KEYS[1], ARGV[3])
if hits == tonumber(ARGV[3]) then redis.call('pexpire', KEYS[1], ARGV[2]) end
if hits <= tonumber(ARGV[1]) then return 0 end
local left = redis.call('pttl', KEYS[1])
if left < 0 then redis.call('pexpire', KEYS[1], ARGV[2]); left = tonumber(ARGV[2]) end
return math.ceil(left / 1000)
"""


class Throttle:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._run = redis.register_script(_SCRIPT)

    async def spend(
        self, key: str, limit: int, seconds: int, *, cost: int = 1, fail_closed: bool = False
    ) -> None:
        """Count one use. Raises TooMany above `limit` uses in `seconds`."""
        try:
            wait = int(await self._run(keys=[f"meridian:limit:{key}"], args=[limit, seconds * 1000, cost]))
        except REDIS_ERRORS:
            if fail_closed:
                raise TooMany(5, "Sign-in is not possible for a moment. Please try again.") from None
            return
        if wait:
            raise TooMany(wait)

    async def forgive(self, key: str) -> None:
        """Forget the uses of a key (a sign-in that succeeded)."""
        try:
            await self._redis.delete(f"meridian:limit:{key}")
        except REDIS_ERRORS:
            return
