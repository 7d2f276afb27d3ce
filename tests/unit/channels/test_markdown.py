"""Markdown in and out."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.markdown import from_markdown
from channels.markdown_writer import to_markdown
from channels.richtext import Mark, RichText, utf16_length

SIGNS = st.text(alphabet="*_~`[]()> ab\n\\é👋", max_size=40)
PIECES = st.lists(
    st.sampled_from(
        ["**", "*", "_", "__", "~~", "`", "```", "\n", "> ", ">", " ", "a", "b", "\\", "👋", ".",
         "[", "](https://a.b/c)", "](tel:1)", "***", "py\n"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def test_each_sign_becomes_its_mark() -> None:
    rich = from_markdown("**b** _i_ *j* ~~s~~ `c` [l](https://x.y/z) 👋 **e**")
    assert rich.text == "b i j s c l 👋 e"
    assert rich.marks == (
        Mark("bold", 0, 1),
        Mark("italic", 2, 1),
        Mark("italic", 4, 1),
        Mark("strike", 6, 1),
        Mark("code", 8, 1),
        Mark("link", 10, 1, href="https://x.y/z"),
        Mark("bold", 15, 1),
    )


def test_a_fence_keeps_its_lines_and_language() -> None:
    rich = from_markdown("see\n```py\na *b*\n> c\n```\nend")
    assert rich == RichText("see\na *b*\n> c\nend", (Mark("pre", 4, 9, language="py"),))


def test_lines_of_a_quotation_are_one_mark() -> None:
    assert from_markdown("> a\n> **b**\nc") == RichText("a\nb\nc", (Mark("quote", 0, 3), Mark("bold", 2, 1)))


@pytest.mark.parametrize(
    "text",
    ["2 * 3 * 4", "snake_case_name", "**open", "a ** b", "`tick", "[x](javascript:alert(1))", "[x](y)",
     "~not struck~", "# not a heading", "1. not a list", "a > b", "```", "****", "** **", "[](https://a.b)"],
)  # fmt: skip
def test_what_is_no_formatting_stays_as_written(text: str) -> None:
    assert from_markdown(text) == RichText(text)


def test_a_backslash_takes_the_meaning_from_a_sign() -> None:
    assert from_markdown(r"\*a\* \`b\` \[c](https://d.e) \> \\") == RichText(
        r"*a* `b` [c](https://d.e) > " + "\\"
    )


@given(st.one_of(SIGNS, PIECES, st.text(max_size=60)))
@settings(max_examples=600, deadline=None)
def test_what_was_read_reads_the_same_when_written_again(text: str) -> None:
    """Text, code, links and quotes always; emphasis never moves, but may be left out where Markdown has no
    form for it."""
    rich = from_markdown(text)
    again = from_markdown(to_markdown(rich))
    assert again.text == rich.text
    emphasis = {"bold", "italic", "strike"}
    assert [m for m in again.marks if m.kind not in emphasis] == [
        m for m in rich.marks if m.kind not in emphasis
    ]
    assert all(
        any(
            m.kind == w.kind and w.offset <= m.offset and m.offset + m.length <= w.offset + w.length
            for w in rich.marks
        )
        for m in again.marks
    )


@pytest.mark.parametrize(
    "text", ["**>**_a_", "*a***b**", "**a***b*", "~~*a*~~ **b _c_**", "[*a*](https://b.example)"]
)
def test_emphasis_that_has_a_form_is_kept(text: str) -> None:
    rich = from_markdown(text)
    assert rich.marks
    assert from_markdown(to_markdown(rich)) == rich


def test_bold_that_ends_in_a_mark_inside_a_word_is_left_out_rather_than_shown_as_signs() -> None:
    rich = RichText("so!very", (Mark("bold", 0, 3),))
    assert to_markdown(rich) == "so!very"


@given(st.one_of(SIGNS, PIECES))
@settings(max_examples=200, deadline=None)
def test_marks_lie_within_the_text(text: str) -> None:
    rich = from_markdown(text)
    assert all(0 <= mark.offset < mark.offset + mark.length <= utf16_length(rich.text) for mark in rich.marks)


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_plain_text_survives_being_written_and_read(text: str) -> None:
    assert from_markdown(to_markdown(RichText(text))).text == text


@pytest.mark.parametrize(
    "unit",
    ["*a ", "_a ", "a* ", "[", "[a](", "`", "```", "> ", "*_~~", "\\", "**a* ", "``` x", "[a](https://b"],
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.process_time()
        from_markdown(text)
        return time.process_time() - started

    small = min(cost(20_000) for _ in range(3))
    assert cost(160_000) < 40 * small + 0.1
