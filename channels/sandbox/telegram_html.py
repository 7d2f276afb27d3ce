"""Telegram's parse_mode "HTML": text and entities, or the error that Telegram would give."""

import re
from html import unescape
from typing import Any

from channels.richtext import utf16_length

_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)?([^<>]*)>|<|[^<]+")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_ENTITIES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
}


class CannotParse(Exception):
    """The words that follow "Bad Request: can't parse entities: "."""


def parse_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """The text and its entities. Raises CannotParse."""
    text: list[str] = []
    length = 0
    opened: list[tuple[str, int, dict[str, str]]] = []
    entities: list[dict[str, Any]] = []
    for token in _TOKEN.finditer(source):
        offset = len(source[: token.start()].encode("utf-8", "replace"))
        if not token[0].startswith("<"):
            piece = unescape(token[0])
            text.append(piece)
            length += utf16_length(piece)
            continue
        name = (token[2] or "").lower()
        if not token[1]:
            if name not in _ENTITIES:
                raise CannotParse(f'Unsupported start tag "{name}" at byte offset {offset}')
            opened.append((name, length, dict(_ATTRIBUTE.findall(token[3] or ""))))
            continue
        expected = opened.pop() if opened else None
        if expected is None:
            raise CannotParse(f"Unexpected end tag at byte offset {offset}")
        if name != expected[0]:
            raise CannotParse(
                f'Unmatched end tag at byte offset {offset}, expected "</{expected[0]}>", found "</{name}>"'
            )
        if entity := _entity(expected, length, bool(opened and opened[-1][0] == "pre")):
            entities.append(entity)
    if opened:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return "".join(text), sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _entity(tag: tuple[str, int, dict[str, str]], end: int, in_pre: bool) -> dict[str, Any] | None:
    name, start, attributes = tag
    if end == start or (name == "code" and in_pre):
        return None
    entity: dict[str, Any] = {"type": _ENTITIES[name], "offset": start, "length": end - start}
    if name == "a":
        entity["url"] = unescape(attributes.get("href", ""))
        return entity if entity["url"] else None
    return entity
