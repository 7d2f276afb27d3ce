"""Failures on demand: what happens to the next calls and the next webhooks.

A plan counts down and is kept with the rest, so that it survives a restart. The oldest plan of a side
is used up before the next one begins.
"""

from msgspec import Struct

from channels.sandbox.store import Row, Store
from channels.sandbox.web import Refused

# How the next sends of the inbox end.
SEND_MODES = {
    "429": "answers that it is too much, and to wait",
    "500": "answers with an internal error",
    "502": "a proxy answers with an HTML page",
    "timeout": "takes the message and never answers",
    "cut": "takes the message and cuts the line before answering",
    "drop": "cuts the line before taking the message",
    "blocked": "says that the customer has blocked the business",
}
# How the next webhooks of customers arrive.
WEBHOOK_MODES = {
    "duplicate": "arrive several times at once",
    "reorder": "arrive in the opposite order",
    "delay": "arrive late",
}
_SIDES = {"send": SEND_MODES, "webhook": WEBHOOK_MODES}
_MOST = 1000


class Plan(Struct, frozen=True):
    """`seconds`: retry_after of a 429, or the delay of a webhook. `remaining` counts this use too."""

    mode: str
    remaining: int
    seconds: float
    copies: int


class Weather:
    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, side: str, mode: str, count: int, seconds: float, copies: int) -> None:
        """Add a plan. Raises Refused for one that does not exist or is out of bounds."""
        if mode not in _SIDES.get(side, {}):
            raise Refused(400, f"Unknown failure. Sides and modes: {_SIDES}")
        if not (1 <= count <= _MOST and 0 <= seconds <= 3600 and 1 <= copies <= 50):
            raise Refused(400, "count must be 1-1000, seconds 0-3600, copies 1-50.")
        plan = {"side": side, "mode": mode, "remaining": count, "seconds": seconds, "copies": copies}
        self._store.insert("weather", plan)

    def next(self, side: str) -> Plan | None:
        """Use up one failure of the side; None in good weather."""
        row = self._store.row("select * from weather where side = ? order by id limit 1", side)
        if row is None:
            return None
        if row["remaining"] > 1:
            self._store.run("update weather set remaining = remaining - 1 where id = ?", row["id"])
        else:
            self._store.run("delete from weather where id = ?", row["id"])
        return Plan(row["mode"], row["remaining"], row["seconds"], row["copies"])

    def plans(self) -> list[Row]:
        return self._store.rows("select * from weather order by id")

    def clear(self) -> None:
        self._store.run("delete from weather")
