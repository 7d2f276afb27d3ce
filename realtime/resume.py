"""What becomes of a client that comes back. Pure."""

from msgspec import Struct

from realtime.protocol import Cursor


class StartAtHead(Struct, frozen=True):
    """The client has nothing: the stream begins after the head."""


class Replay(Struct, frozen=True):
    """Everything after `after` is sent, then the stream goes on."""

    after: int


class StartOver(Struct, frozen=True):
    """The client's cursor cannot be continued: it is told so, and the stream begins after the head."""

    reason: str


Verdict = StartAtHead | Replay | StartOver


def judge(cursor: str | None, *, epoch: str, base: int, head: int, limit: int) -> Verdict:
    """The verdict over a client that resumes with `cursor` in a log that holds (base, head] of `epoch`.

    The text comes from outside and is trusted in nothing.
    """
    if cursor is None:
        return StartAtHead()
    decoded = Cursor.decode(cursor)
    if decoded is None:
        return StartOver("malformed")
    if decoded.epoch != epoch:
        return StartOver("epoch")
    if decoded.seq > head:
        return StartOver("future")
    if decoded.seq < base:
        return StartOver("pruned")
    if head - decoded.seq > limit:
        return StartOver("too_far")
    return Replay(decoded.seq)
