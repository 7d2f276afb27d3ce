"""Marks as the Markdown that `channels.markdown` reads back."""

import re
from collections.abc import Iterable

from channels.markdown import from_markdown
from channels.richtext import (
    Mark,
    MarkKind,
    RichText,
    Span,
    normal_marks,
    spans,
    utf16_length,
    utf16_slices,
)

_SIGNS: dict[MarkKind, str] = {"bold": "**", "italic": "*", "strike": "~~"}
_VERBATIM: tuple[MarkKind, ...] = ("pre", "code", "link")
_SPECIAL = re.compile(r"([\\*_~`\[\]])")
_LINES = re.compile(r"[^\n]+")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,20}")
_LABEL_LIMIT = 500
_IN_ADDRESS = str.maketrans({char: f"%{ord(char):02X}" for char in ' ()<>\\\n\t"'})


def to_markdown(rich: RichText) -> str:
    """`rich` as Markdown. Underline, spoiler and mention have no sign there and are left out.

    Some emphasis has no form in Markdown either (bold that ends in a punctuation mark inside a word); then
    all of it is left out, because a lost emphasis is better than signs in the reader's text.
    """
    marks = _expressible(rich)
    written = _write(RichText(rich.text, marks))
    if from_markdown(written).text == from_markdown(_write(RichText(rich.text))).text:
        return written
    return _write(RichText(rich.text, tuple(mark for mark in marks if mark.kind not in _SIGNS)))


def _write(rich: RichText) -> str:
    writer = _Writer(rich.text)
    for span in spans(rich):
        writer.write(span)
    return writer.finish()


class _Writer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.opened: list[tuple[Mark, str]] = []  # with the sign that opened it
        self.at_line_start = True

    def write(self, span: Span) -> None:
        verbatim = next((mark for mark in span.marks if mark.kind in _VERBATIM), None)
        quoted = any(mark.kind == "quote" for mark in span.marks)
        opening = self._close_and_open(span)
        lines = [span.text] if verbatim else span.text.split("\n")
        for index, line in enumerate(lines):
            if index:
                self._begin_line(quoted and index > 1)
                self.out.append("\n")
                self.at_line_start = True
            if line:
                self._begin_line(quoted)
                self.out.append(opening)
                self.out.append(_verbatim(line, verbatim) if verbatim else self._plain(line, quoted))
                opening = ""
                self.at_line_start = False

    def finish(self) -> str:
        self.out.extend(sign for _, sign in reversed(self.opened))
        return "".join(self.out)

    def _close_and_open(self, span: Span) -> str:
        wanted = [mark for mark in span.marks if mark.kind in _SIGNS]
        kept = 0
        while kept < min(len(self.opened), len(wanted)) and self.opened[kept][0] == wanted[kept]:
            kept += 1
        self.out.extend(sign for _, sign in reversed(self.opened[kept:]))
        closed = bool(self.opened[kept:])
        del self.opened[kept:]
        for mark in wanted[kept:]:
            self.opened.append((mark, self._sign(mark, closed)))
        return "".join(sign for _, sign in self.opened[kept:])

    def _sign(self, mark: Mark, after_a_sign: bool) -> str:
        """Right behind a closing sign, italic is written with the other one: *** would be read as one run.
        An underscore cannot close inside a word."""
        if mark.kind == "italic" and after_a_sign and self.out[-1:] in (["**"], ["*"]):
            (following,) = utf16_slices(self.text, [(mark.offset + mark.length, 1)])
            if not following.isalnum():
                return "_"
        return _SIGNS[mark.kind]

    def _begin_line(self, quoted: bool) -> None:
        if self.at_line_start and quoted:
            self.out.append("> ")
            self.at_line_start = False

    def _plain(self, line: str, quoted: bool) -> str:
        escaped = _SPECIAL.sub(r"\\\1", line)
        starts = self.at_line_start and not quoted and not self.opened
        return "\\" + escaped if starts and line.startswith(">") else escaped


def _expressible(rich: RichText) -> tuple[Mark, ...]:
    """The marks that Markdown has, as it can have them: emphasis lies within a line and neither begins
    nor ends with white space; code and links fit their brackets."""
    kept: list[Mark] = []
    for mark in normal_marks(rich.marks, utf16_length(rich.text)):
        (text,) = utf16_slices(rich.text, [(mark.offset, mark.length)])
        if mark.kind in _SIGNS:
            kept.extend(_by_line(mark, text))
        elif _writable(mark, text):
            kept.append(mark)
    return tuple(kept)


def _by_line(mark: Mark, text: str) -> Iterable[Mark]:
    for line in _LINES.finditer(text):
        words = line[0].strip()
        if words:
            lead = utf16_length(text[: line.start()] + line[0][: line[0].index(words)])
            yield Mark(mark.kind, mark.offset + lead, utf16_length(words))


def _writable(mark: Mark, text: str) -> bool:
    if mark.kind == "code":
        return "`" not in text and "\n" not in text
    if mark.kind == "pre":
        return "```" not in text
    if mark.kind == "link":
        return bool(mark.href) and "\n" not in text and len(text) <= _LABEL_LIMIT
    return mark.kind == "quote"


def _verbatim(text: str, mark: Mark) -> str:
    if mark.kind == "code":
        return f"`{text}`"
    if mark.kind == "pre":
        language = mark.language if mark.language and _LANGUAGE.fullmatch(mark.language) else ""
        return f"```{language}\n{text}\n```"
    label = _SPECIAL.sub(r"\\\1", text)
    return f"[{label}]({(mark.href or '').translate(_IN_ADDRESS)})"
