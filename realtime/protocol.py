"""The words spoken on the socket: cursors, frames, close codes.

A client frame is one JSON object of at most 4 KiB. A server frame is a JSON array of objects, each of
them an event (encoded elsewhere) or one of the control frames below.
"""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

MAX_CLIENT_FRAME: Final = 4096  # bytes
MAX_SEQ: Final = 2**63 - 1  # PostgreSQL's bigint

# Close codes. 1xxx: https://www.iana.org/assignments/websocket/websocket.xhtml; 4xxx are private use
# (RFC 6455, section 7.4.2) and echo the HTTP status that means the same.
INTERNAL_ERROR: Final = 1011
RESTART: Final = 1012  # this process goes away; reconnect after `retry_after_ms` and resume
TRY_AGAIN_LATER: Final = 1013  # the log cannot be read now; reconnect after `retry_after_ms` and resume
BAD_FRAME: Final = 4400  # not a client frame; a client that repeats it is broken
UNAUTHENTICATED: Final = 4401  # sign in, then connect again
FORBIDDEN: Final = 4403  # access was taken away; do not reconnect with the same scope
SLOW_CONSUMER: Final = 4408  # too much was waiting for this socket; reconnect and resume, nothing is lost
WENT_SILENT: Final = 4410  # nothing was heard from the client for too long; reconnect and resume
TOO_MANY_FRAMES: Final = 4429  # more frames than allowed; reconnect later

_CURSOR = re.compile(r"([0-9A-Za-z_-]{1,64}):(0|[1-9][0-9]{0,18})")


class Cursor(Struct, frozen=True):
    """A place in a log: everything up to and including `seq` was seen, in the history named `epoch`."""

    epoch: str
    seq: int

    def encode(self) -> str:
        return f"{self.epoch}:{self.seq}"

    @classmethod
    def decode(cls, text: str) -> "Cursor | None":
        """The cursor that `encode` wrote, or None for anything that it cannot have written."""
        match = _CURSOR.fullmatch(text)
        if match is None or int(match[2]) > MAX_SEQ:
            return None
        return cls(match[1], int(match[2]))


# ---------------------------------------------------------------- from the client

ConversationId = Annotated[str, Meta(min_length=1, max_length=64)]


class Resume(Struct, frozen=True, tag_field="type", tag="resume"):
    """Always the first frame that matters. Null means: I have nothing, start me at the head."""

    cursor: str | None


class Watch(Struct, frozen=True, tag_field="type", tag="watch"):
    conversation_id: ConversationId


class Unwatch(Struct, frozen=True, tag_field="type", tag="unwatch"):
    conversation_id: ConversationId


class Typing(Struct, frozen=True, tag_field="type", tag="typing"):
    conversation_id: ConversationId
    on: bool


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    """Keeps the connection alive; the answer is a pong."""


ClientFrame = Resume | Watch | Unwatch | Typing | Ping

_client = msgspec.json.Decoder(ClientFrame)


class BadFrame(Exception):
    """The client sent something that is not a client frame. The text is safe to send back."""


def decode_client_frame(data: bytes | str) -> ClientFrame:
    """One client frame; raises BadFrame for everything else, whatever it is."""
    try:
        raw = data.encode() if isinstance(data, str) else data
        if len(raw) > MAX_CLIENT_FRAME:
            raise BadFrame("frame larger than 4 KiB")
        frame: ClientFrame = _client.decode(raw)
        return frame
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadFrame("not a known frame") from error


# ---------------------------------------------------------------- to the client


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome"):
    """Everything after `cursor` follows, once, in order. `resumed`: that is the client's own cursor.
    Otherwise it is the head, and the client takes a snapshot now."""

    cursor: str
    resumed: bool


class Reset(Struct, frozen=True, tag_field="type", tag="reset"):
    """What the client holds cannot be continued: forget it and take a snapshot. The stream goes on after
    `cursor`. Reasons: malformed, epoch, future, pruned, too_far, rewound."""

    reason: str
    cursor: str


class Head(Struct, frozen=True, tag_field="type", tag="head"):
    """The heartbeat. Everything up to `cursor` that this client may see has been sent before this frame,
    so the client may resume from `cursor` even if it saw no event that carries it."""

    cursor: str


class Pong(Struct, frozen=True, tag_field="type", tag="pong"): ...


class Bye(Struct, frozen=True, tag_field="type", tag="bye"):
    """The server closes. Null `retry_after_ms` means that reconnecting as before will not help."""

    reason: str
    retry_after_ms: int | None


ControlFrame = Welcome | Reset | Head | Pong | Bye

_encoder = msgspec.json.Encoder()


def encode_frame(frame: ControlFrame) -> bytes:
    """One JSON object; the array around it is made when it leaves."""
    return _encoder.encode(frame)
