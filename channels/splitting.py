"""Cut a long text into the pieces that a channel accepts."""

import re
import unicodedata
from collections.abc import Sequence

from channels.base import OutboundFile, OutboundPart
from channels.richtext import RichText, clip_marks, utf16_length

_BORDERS = ("\n\n", "\n", " ")
_LONGEST_CLUSTER = 16  # code points looked back over, so that an emoji sequence is not torn


def split_text(rich: RichText, limit: int) -> list[RichText]:
    """Pieces of at most `limit` UTF-16 units, cut at a paragraph, else a line, else a word.

    Never inside a surrogate pair; formatting that crosses a cut goes on in the next piece. White space
    at a cut is dropped; blank text gives no piece. Pure and linear in the length of the text.
    """
    pieces = []
    raw = rich.text.encode("utf-16-le", "surrogatepass")
    start, total = 0, len(raw) // 2
    while start < total:
        end = start + _take(raw, start, limit)
        piece = _trimmed(rich, raw, start, end)
        if piece:
            pieces.append(piece)
        start = end
    return pieces


def part_key(key: str, index: int) -> str:
    """The key of the part at `index`; the first part has the message's own."""
    return key if index == 0 else f"{key}-{index + 1}"


def split_with_files(
    text: RichText, files: Sequence[OutboundFile], limit: int, address: str, key: str, reply_to: str | None
) -> list[OutboundPart]:
    """Parts for a channel that takes text and any number of files in one call: the first has the files."""
    pieces = split_text(text, limit) or ([RichText()] if files else [])
    return [
        OutboundPart(
            part_key(key, index), address, piece, () if index else tuple(files), None if index else reply_to
        )
        for index, piece in enumerate(pieces)
    ]


def _take(raw: bytes, start: int, limit: int) -> int:
    if len(raw) // 2 - start <= limit:
        return len(raw) // 2 - start
    window = raw[2 * start : 2 * (start + limit)].decode("utf-16-le", "ignore")
    for border in _BORDERS:
        before, found, _ = window.rpartition(border)
        # A cut in the first half would make many tiny pieces: then a lesser border is better.
        if found and utf16_length(before) * 2 >= limit:
            return utf16_length(before + border)
    return utf16_length(_before_cluster(window, _char_at(raw, start + utf16_length(window))))


def _char_at(raw: bytes, offset: int) -> str:
    return raw[2 * offset : 2 * offset + 4].decode("utf-16-le", "ignore")[:1]


def _before_cluster(window: str, following: str) -> str:
    """`window` without the beginning of a character sequence that goes on in `following`."""
    cut, after = len(window), following
    while after and len(window) - cut < _LONGEST_CLUSTER and cut > 1:
        if not _joins(window[cut - 1], after):
            return window[:cut]
        cut -= 1
        after = window[cut]
    return window


def _joins(left: str, right: str) -> bool:
    return (
        "\u200d" in (left, right)
        or unicodedata.combining(right) != 0
        or 0xFE00 <= ord(right) <= 0xFE0F
        or 0x1F3FB <= ord(right) <= 0x1F3FF
    )


def _trimmed(rich: RichText, raw: bytes, start: int, end: int) -> RichText | None:
    text = raw[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
    first = start == 0
    last = end == len(raw) // 2
    kept = text if first else text.lstrip("\n ")
    start += utf16_length(text) - utf16_length(kept)
    kept = kept if last else re.sub(r"[\n ]+\Z", "", kept)
    if not kept.strip():
        return None
    return RichText(kept, clip_marks(rich.marks, start, start + utf16_length(kept)))
