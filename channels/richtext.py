"""The neutral rich text that every channel translates from and into.

Text is kept exactly as written; formatting lies beside it as marks. Offsets count UTF-16 code units,
because that is what Telegram sends (Bot API, "MessageEntity") and what a browser's strings use, so the
two busiest consumers never convert.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

MarkKind = Literal[
    "bold", "italic", "underline", "strike", "spoiler", "code", "pre", "quote", "link", "mention"
]


class Mark(Struct, frozen=True, omit_defaults=True):
    """Formatting of `length` UTF-16 units from `offset`; `href` for links, `language` for pre."""

    kind: MarkKind
    offset: int
    length: int
    href: str | None = None
    language: str | None = None


class RichText(Struct, frozen=True, omit_defaults=True):
    text: str = ""
    marks: tuple[Mark, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def utf16_slices(text: str, bounds: Iterable[tuple[int, int]]) -> list[str]:
    """The pieces of `text` at (offset, length) pairs given in UTF-16 units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [
        raw[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace") for offset, length in bounds
    ]


def clip_marks(marks: Sequence[Mark], start: int, end: int) -> tuple[Mark, ...]:
    """The marks that touch [start, end), moved so that `start` becomes 0. UTF-16 units."""
    clipped = []
    for mark in marks:
        low, high = max(mark.offset, start), min(mark.offset + mark.length, end)
        if low < high:
            clipped.append(Mark(mark.kind, low - start, high - low, href=mark.href, language=mark.language))
    return tuple(clipped)


MAX_MARKS = 1000  # formatting beyond this is dropped; the text itself is always kept


def normal_marks(marks: Iterable[Mark], length: int) -> tuple[Mark, ...]:
    """`marks` within [0, length), sorted by offset (wider first), with equal ones that touch joined."""
    joined: dict[tuple[str, str | None, str | None], list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.offset)[:MAX_MARKS]:
        low, high = max(0, mark.offset), min(mark.offset + mark.length, length)
        if low >= high:
            continue
        runs = joined.setdefault((mark.kind, mark.href, mark.language), [])
        if runs and runs[-1].offset + runs[-1].length >= low and mark.kind != "pre":
            low, high = runs[-1].offset, max(high, runs[-1].offset + runs[-1].length)
            runs.pop()
        runs.append(Mark(mark.kind, low, high - low, href=mark.href, language=mark.language))
    flat = [mark for runs in joined.values() for mark in runs]
    return tuple(sorted(flat, key=lambda mark: (mark.offset, -mark.length, mark.kind)))


class Span(Struct, frozen=True):
    """A stretch of text under one set of marks, the outermost first."""

    text: str
    marks: tuple[Mark, ...]


def spans(rich: RichText) -> list[Span]:
    """The text cut wherever formatting begins or ends, in order; together it is the whole text.

    A mark that would begin or end inside a surrogate pair is dropped.
    """
    length = utf16_length(rich.text)
    inside_pair = _pair_middles(rich.text)
    marks = [
        mark
        for mark in normal_marks(rich.marks, length)
        if mark.offset not in inside_pair and mark.offset + mark.length not in inside_pair
    ]
    edges = sorted(
        {0, length, *(edge for mark in marks for edge in (mark.offset, mark.offset + mark.length))}
    )
    pieces = utf16_slices(rich.text, [(low, high - low) for low, high in pairwise(edges)])
    result, upcoming, active = [], iter(marks), list[Mark]()
    following = next(upcoming, None)
    for low, piece in zip(edges, pieces, strict=False):
        active = [mark for mark in active if mark.offset + mark.length > low]
        while following is not None and following.offset <= low:
            active.append(following)
            following = next(upcoming, None)
        result.append(Span(piece, tuple(active)))
    return result


def _pair_middles(text: str) -> frozenset[int]:
    if text.isascii():
        return frozenset()
    middles, offset = set(), 0
    for char in text:
        if ord(char) > 0xFFFF:
            middles.add(offset + 1)
            offset += 1
        offset += 1
    return frozenset(middles)
