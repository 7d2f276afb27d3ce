"""The Markdown that people type in a chat, and marks as that Markdown.

**bold**, _italic_ or *italic*, ~~strike~~, `code`, ```pre```, [label](address) and lines that begin
with >. A backslash takes the meaning from a sign. Everything else stays as written: unbalanced signs,
lists, headings, blank lines. Emphasis follows CommonMark's delimiter rules (CommonMark 0.31, 6.2)
within a line. Work is linear in the length of the text, whatever it is.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from channels.richtext import Mark, MarkKind, RichText, normal_marks, utf16_length

_SIGNS = "\\*_~`[]>"
_FENCE = "```"
_LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{0,20}\n")
_CODE = re.compile(r"`([^`\n]+)`")
# Labels and addresses end at the next bracket, so a row of "[" costs one step each.
_LINK = re.compile(
    r"\[((?:[^\[\]\\\n`]|\\[^\n]){1,1000})\]\(((?:https?://|mailto:|tel:)[^\s()<>\\]{1,2000})\)", re.I
)
_ESCAPE = re.compile(r"\\([" + re.escape(_SIGNS) + "])")
_PLAIN = re.compile(r"[^\\*_~`\[]+")
_RUN = re.compile(r"\*+|_+|~~")


class _Run:
    """Signs in a row that may begin or end emphasis; `left` counts the signs not used yet."""

    __slots__ = ("both", "index", "left", "seen", "sign", "size")

    def __init__(self, sign: str, size: int, both: bool, index: int, seen: int) -> None:
        self.sign = sign
        self.size = self.left = size
        self.both = both  # stands where it could open and close
        self.index = index  # of its piece, where unused signs go back as text
        self.seen = seen  # characters before it, signs not counted


class _Found(Struct, frozen=True):
    kind: MarkKind
    first: int  # pieces from this one …
    last: int  # … up to, not including, this one
    href: str | None = None
    language: str | None = None


class _Builder:
    """Pieces of text and the marks between them; offsets are counted once, at the end."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.found: list[_Found] = []
        self.seen = 0

    def add(self, text: str) -> int:
        self.pieces.append(text)
        self.seen += len(text)
        return len(self.pieces) - 1

    def enclose(
        self, kind: MarkKind, text: str, href: str | None = None, language: str | None = None
    ) -> None:
        first = self.add(text)
        self.found.append(_Found(kind, first, first + 1, href, language))

    def result(self) -> RichText:
        starts = [0]
        for piece in self.pieces:
            starts.append(starts[-1] + utf16_length(piece))
        marks = [
            Mark(
                each.kind,
                starts[each.first],
                starts[each.last] - starts[each.first],
                each.href,
                each.language,
            )
            for each in self.found
        ]
        text = "".join(self.pieces)
        return RichText(text, normal_marks(marks, starts[-1]))


def from_markdown(text: str) -> RichText:
    """`text` with its signs turned into marks. Never raises; links only to http, https, mailto and tel."""
    out = _Builder()
    position, fences_end = 0, text.rfind(_FENCE)
    line_start = True
    while position < len(text):
        if line_start and text[position] == ">":
            position = _quote(text, position, out)
            continue
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        fence = text.find(_FENCE, position, end)
        # A fence needs its partner: the last one in the text can only close.
        if 0 <= fence < fences_end and (after := _pre(text, position, fence, out)):
            position, line_start = after, False
            continue
        _inline(text[position:end], out)
        if end < len(text):
            out.add("\n")
        position, line_start = end + 1, True
    return out.result()


def _pre(text: str, start: int, fence: int, out: _Builder) -> int:
    """Take the text before a fence and the block behind it; the position after, or 0 if it is none."""
    backslashes = 0
    while fence - backslashes > start and text[fence - backslashes - 1] == "\\":
        backslashes += 1
    if backslashes % 2:
        return 0
    begin = fence + len(_FENCE)
    named = _LANGUAGE.match(text, begin)
    language = named[0][:-1] if named else ""
    begin = named.end() if named else begin
    end = text.find(_FENCE, begin)
    if end < 0:
        return 0
    content = text[begin:end]
    content = content[:-1] if content.endswith("\n") else content
    if not content:
        return 0
    _inline(text[start:fence], out)
    out.enclose("pre", content, language=language or None)
    return end + len(_FENCE)


def _quote(text: str, position: int, out: _Builder) -> int:
    """Take the lines that begin with >, as one quotation; the position after them."""
    first = len(out.pieces)
    while position < len(text) and text[position] == ">":
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        _inline(text[position + (2 if text.startswith("> ", position) else 1) : end], out)
        if end < len(text):
            out.add("\n")
        position = end + 1
    last = len(out.pieces)
    while first < last and not out.pieces[first].strip("\n"):
        first += 1
    while first < last and not out.pieces[last - 1].strip("\n"):
        last -= 1
    out.found.append(_Found("quote", first, last))
    return position


def _inline(line: str, out: _Builder) -> None:
    """One line: code, links, escapes and emphasis."""
    runs: list[_Run] = []
    opened: dict[str, list[_Run]] = {"*": [], "_": [], "~": []}
    position = 0
    while position < len(line):
        if plain := _PLAIN.match(line, position):
            out.add(plain[0])
        elif plain := _ESCAPE.match(line, position):
            out.add(plain[1])
        elif plain := _CODE.match(line, position):
            out.enclose("code", plain[1])
        elif plain := _LINK.match(line, position):
            out.enclose("link", _ESCAPE.sub(r"\1", plain[1]), href=plain[2])
        elif plain := _RUN.match(line, position):
            runs.append(_emphasis(line, plain, opened, out))
        else:
            out.add(line[position])
            position += 1
            continue
        position = plain.end()
    for run in runs:
        out.pieces[run.index] = run.sign * run.left


def _emphasis(line: str, match: re.Match[str], opened: dict[str, list[_Run]], out: _Builder) -> _Run:
    """Close what this run can close, and leave the rest of it open when it can open."""
    can_open, can_close = _flanks(line, match.start(), match.end())
    sign = match[0][0]
    run = _Run(sign, len(match[0]), can_open and can_close, out.add(""), out.seen)
    while can_close and run.left and (opener := _opener(run, opened[sign])):
        used = 2 if sign == "~" or min(run.left, opener.left) >= 2 else 1
        kind: MarkKind = "strike" if sign == "~" else "bold" if used == 2 else "italic"
        out.found.append(_Found(kind, opener.index + 1, run.index))
        run.left -= used
        opener.left -= used
        for others in opened.values():
            while others and (others[-1].index > opener.index or not others[-1].left):
                others.pop()
    if can_open and run.left:
        opened[sign].append(run)
    return run


def _opener(run: _Run, candidates: Sequence[_Run]) -> _Run | None:
    """The innermost open run, if there is text between and CommonMark's "rule of 3" lets them pair."""
    opener = candidates[-1] if candidates else None
    if opener is None or opener.seen == run.seen:
        return None
    threes = (opener.size + run.size) % 3 == 0 and (opener.size % 3 or run.size % 3)
    return None if (opener.both or run.both) and threes and run.sign != "~" else opener


def _flanks(line: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether signs at [start, end) may open and may close emphasis."""
    before = line[start - 1] if start else " "
    after = line[end] if end < len(line) else " "
    punctuated_before, punctuated_after = _punctuation(before), _punctuation(after)
    left = not after.isspace() and (not punctuated_after or before.isspace() or punctuated_before)
    right = not before.isspace() and (not punctuated_before or after.isspace() or punctuated_after)
    if line[start] != "_":
        return left, right
    return left and (not right or punctuated_before), right and (not left or punctuated_after)


def _punctuation(char: str) -> bool:
    return not char.isalnum() and not char.isspace()
