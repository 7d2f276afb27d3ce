"""Reading JSON that others wrote: every function here is total over arbitrary input.

Text is kept as written, except U+0000 and lone surrogates: PostgreSQL stores neither, so each becomes
U+FFFD. Both are one UTF-16 unit long, as is U+FFFD, so offsets of formatting stay right.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from channels.base import Unreadable

ID_LIMIT = 200  # characters; a PostgreSQL index entry holds less than 2,700 bytes
LABEL_LIMIT = 255  # names, titles and file names, in characters
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z in seconds
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes) -> Any:
    """The JSON value in `body`, or Unreadable with the reason. Never raises.

    A lone surrogate escape, which msgspec refuses, is accepted: one broken emoji must not cost a
    customer's message.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        return Unreadable("nested too deeply")
    except UnicodeDecodeError as error:
        return Unreadable("not UTF-8", str(error.reason))
    except msgspec.DecodeError as error:
        return _decode_with_lone_surrogates(body, str(error))


def _decode_with_lone_surrogates(body: bytes, detail: str) -> Any:
    refused = Unreadable("not JSON", detail[:LABEL_LIMIT])
    if b"\\ud" not in body.lower():
        return refused
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return refused


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def clean(text: str) -> str:
    """`text` with what PostgreSQL cannot store replaced by U+FFFD, at the same UTF-16 length."""
    return _UNSTORABLE.sub("\ufffd", text)


def mapping(source: Any, name: str) -> dict[str, Any]:
    """The object at `name`, or an empty one."""
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, dict) else {}


def items(source: Mapping[str, Any], name: str) -> list[Any]:
    """The array at `name`, or an empty one."""
    value = source.get(name)
    return value if isinstance(value, list) else []


def string(source: Mapping[str, Any], name: str) -> str | None:
    """The text at `name`, cleaned; None when absent, empty or of another type."""
    value = source.get(name)
    return clean(value) if isinstance(value, str) and value else None


def label(source: Mapping[str, Any], name: str) -> str | None:
    """A name or title: cleaned text, cut after 255 characters."""
    value = string(source, name)
    return value[:LABEL_LIMIT] if value else None


def identifier(source: Mapping[str, Any], name: str) -> str | None:
    """An id of the sender's choosing. One that is too long for an index is replaced by its hash."""
    value = source.get(name)
    if type(value) is int and abs(value) < 10**ID_LIMIT:
        return str(value)
    text = string(source, name)
    if text is None or len(text) <= ID_LIMIT:
        return text
    return "sha256-" + hashlib.sha256(text.encode()).hexdigest()


def integer(source: Mapping[str, Any], name: str) -> int | None:
    """A whole number of 64 bits, or None."""
    value = source.get(name)
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def count(source: Mapping[str, Any], name: str) -> int | None:
    """A size, width or duration: not negative, below 2^53. A fraction is rounded down."""
    value = source.get(name)
    if type(value) is float and math.isfinite(value):
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**53 else None


def number(source: Mapping[str, Any], name: str, limit: float) -> float | None:
    """A finite number within plus or minus `limit`, or None."""
    value = source.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -limit <= value <= limit:
        return float(value)
    return None


def unix_time(source: Mapping[str, Any], name: str, default: datetime) -> datetime:
    """Seconds since 1970 as an instant; `default` when absent, zero or out of range."""
    value = source.get(name)
    if type(value) is not int or not 0 < value <= _LATEST:
        return default
    return datetime.fromtimestamp(value, UTC)


def iso_time(source: Mapping[str, Any], name: str, default: datetime) -> datetime:
    """An ISO 8601 instant (without a zone: UTC), never later than `default`."""
    value = source.get(name)
    if not isinstance(value, str) or len(value) > 40:
        return default
    try:
        parsed = datetime.fromisoformat(value)
        at = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return default
    return min(at, default)
