"""Marks as the HTML of Telegram's parse_mode "HTML" (Bot API, "HTML style")."""

from html import escape

from channels.richtext import Mark, MarkKind, RichText, spans

_TAGS: dict[MarkKind, str] = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strike": "s",
    "spoiler": "tg-spoiler",
    "code": "code",
    "quote": "blockquote",
}
_ALONE = ("pre", "code")  # Telegram allows no other formatting inside or around these


def to_telegram_html(rich: RichText) -> str:
    """Only the tags that Telegram knows, properly nested, with `& < > "` escaped. Newlines are literal."""
    out: list[str] = []
    opened: list[Mark] = []
    for span in spans(rich):
        wanted = _rendered(span.marks)
        kept = 0
        while kept < min(len(opened), len(wanted)) and opened[kept] == wanted[kept]:
            kept += 1
        out.extend(_close(mark) for mark in reversed(opened[kept:]))
        out.extend(_open(mark) for mark in wanted[kept:])
        out.append(escape(span.text))
        opened = wanted
    out.extend(_close(mark) for mark in reversed(opened))
    return "".join(out)


def _rendered(marks: tuple[Mark, ...]) -> list[Mark]:
    """The marks that Telegram can show together: one of each kind, and code by itself."""
    chosen: dict[str, Mark] = {}
    for mark in marks:
        if mark.kind in _TAGS or mark.kind == "pre" or (mark.kind == "link" and mark.href):
            chosen.setdefault(mark.kind, mark)
    for kind in _ALONE:
        if kind in chosen:
            return [chosen[kind]]
    return list(chosen.values())


def _open(mark: Mark) -> str:
    if mark.kind == "link":
        return f'<a href="{escape(mark.href or "")}">'
    if mark.kind == "pre":
        if mark.language:
            return f'<pre><code class="language-{escape(mark.language)}">'
        return "<pre>"
    return f"<{_TAGS[mark.kind]}>"


def _close(mark: Mark) -> str:
    if mark.kind == "link":
        return "</a>"
    if mark.kind == "pre":
        return "</code></pre>" if mark.language else "</pre>"
    return f"</{_TAGS[mark.kind]}>"
