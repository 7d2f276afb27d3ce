"""The answer of the router, with its reasons: what is stored, shown and judged again."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

RemovedBy = Literal["team", "channel", "language", "shift", "availability", "connection", "capacity"]


class CandidateTrace(Struct, frozen=True):
    """What became of one person: removed by one filter, or scored.

    `detail` continues a sentence that begins with the name. `score` is the sum of `score_parts`; both are
    None and empty for somebody who was removed.
    """

    agent_id: str
    name: str
    removed_by: RemovedBy | None
    detail: str
    score: float | None = None
    score_parts: dict[str, float] = {}


class Decision(Struct, frozen=True):
    """What to do with a conversation at one version of it, decided at one instant (UTC).

    `candidates` begins with those who could take it, best first, so that the first is `agent_id`; the
    removed follow by identifier. `words` is one sentence for people. `next_check_at`, of a queue only, is
    when the first of those removed for being off shift comes on shift; None when nobody will within
    `routing.calendars.HORIZON`.
    """

    conversation_id: str
    conversation_version: int
    outcome: Literal["assign", "queue"]
    agent_id: str | None
    candidates: tuple[CandidateTrace, ...]
    rule_version: int
    at: datetime
    words: str
    next_check_at: datetime | None
