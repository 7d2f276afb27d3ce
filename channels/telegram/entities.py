"""Telegram's MessageEntity and our marks, both ways. Both count UTF-16 units, so offsets never change."""

from collections.abc import Sequence
from typing import Any

from channels.lenient import integer, label, string
from channels.richtext import MAX_MARKS, Mark, MarkKind, RichText, normal_marks, utf16_length, utf16_slices

_PLAIN: dict[str, MarkKind] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
    "mention": "mention",
    "text_mention": "mention",
    "text_link": "link",
}
# What Telegram recognised by itself: the address is the text, completed to a link.
_RECOGNISED = {"url": "https://", "email": "mailto:", "phone_number": "tel:"}
_SAFE_SCHEMES = ("https://", "http://", "mailto:", "tel:")
_HREF_LIMIT = 2048
_NAMES: dict[MarkKind, str] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strike": "strikethrough",
    "spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "quote": "blockquote",
    "link": "text_link",
}


def safe_href(href: str) -> bool:
    """Whether a link may be kept: http, https, mailto or tel, and nothing that a browser would run."""
    return len(href) <= _HREF_LIMIT and href.lower().startswith(_SAFE_SCHEMES)


def from_entities(text: str, entities: Sequence[Any]) -> RichText:
    """`text` with Telegram's entities as marks. Unknown, broken and unsafe entities are left out."""
    length = utf16_length(text)
    valid = [entity for entity in entities[:MAX_MARKS] if _within(entity, length)]
    pieces = utf16_slices(text, [(entity["offset"], entity["length"]) for entity in valid])
    marks = [mark for entity, piece in zip(valid, pieces, strict=True) if (mark := _mark(entity, piece))]
    return RichText(text, normal_marks(marks, length))


def _within(entity: Any, length: int) -> bool:
    if not isinstance(entity, dict):
        return False
    offset, size = integer(entity, "offset"), integer(entity, "length")
    return offset is not None and size is not None and offset >= 0 < size and offset + size <= length


def _mark(entity: dict[str, Any], piece: str) -> Mark | None:
    name = entity.get("type")
    if not isinstance(name, str):
        return None
    offset, length = entity["offset"], entity["length"]
    if name in _RECOGNISED:
        href = piece if piece.lower().startswith(_SAFE_SCHEMES) else _RECOGNISED[name] + piece
        return Mark("link", offset, length, href=href) if safe_href(href) else None
    kind = _PLAIN.get(name)
    if kind == "link":
        url = string(entity, "url")
        return Mark("link", offset, length, href=url) if url and safe_href(url) else None
    if kind == "pre":
        return Mark("pre", offset, length, language=label(entity, "language"))
    return Mark(kind, offset, length) if kind else None


def to_entities(rich: RichText) -> list[dict[str, Any]]:
    """The marks as entities. A mention needs none: Telegram recognises it in the text."""
    entities = []
    for mark in normal_marks(rich.marks, utf16_length(rich.text)):
        name = _NAMES.get(mark.kind)
        if name is None or (mark.kind == "link" and not mark.href):
            continue
        entity: dict[str, Any] = {"type": name, "offset": mark.offset, "length": mark.length}
        if mark.kind == "link":
            entity["url"] = mark.href
        if mark.kind == "pre" and mark.language:
            entity["language"] = mark.language
        entities.append(entity)
    return entities
