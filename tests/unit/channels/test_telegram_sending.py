"""Telegram: the calls we make and what its answers mean."""

import json
from pathlib import Path
from typing import Any

import pytest
from channels_support import BytesFile, LoopbackHttp, Recorder, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import (
    ChannelConfig,
    Moved,
    OutboundPart,
    OutcomeUnknown,
    Permanent,
    Retryable,
    SendError,
    Sent,
)
from channels.registry import adapter
from channels.richtext import Mark, RichText, utf16_length
from channels.sandbox.telegram_html import parse_html
from channels.splitting import split_text
from channels.telegram.address import Address, decode_address
from channels.telegram.entities import from_entities, to_entities
from channels.telegram.html import to_telegram_html

FIXTURES = Path(__file__).parents[2] / "fixtures"
TOKEN = "123456:top-secret-token"
TELEGRAM = adapter("telegram")
OK = json.dumps({"ok": True, "result": {"message_id": 205, "chat": {"id": 700000001}}}).encode()


async def sent(part: OutboundPart, *answers: tuple[int, bytes]) -> tuple[Any, list[tuple[str, Any]]]:
    """Send `part` against the given answers; the result or SendError, and the calls (path, JSON)."""
    queue = list(answers)

    def respond(path: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        return (*queue.pop(0), {})

    recorder, http = Recorder(respond), LoopbackHttp()
    async with serving(recorder) as base:
        config = ChannelConfig("c", {"api_url": base}, {"bot_token": TOKEN})
        try:
            result: Any = await TELEGRAM.send(part, config, http)
        except SendError as error:
            result = error
    await http.close()
    calls = [(path.removeprefix(f"/bot{TOKEN}/"), body) for path, _, body in recorder.requests]
    return result, [(method, json.loads(body) if body[:1] == b"{" else body) for method, body in calls]


def answer(name: str) -> tuple[int, bytes]:
    sample = json.loads((FIXTURES / "telegram_outbound" / f"{name}.json").read_bytes())
    return sample["status"], json.dumps(sample["json"]).encode()


def part(text: RichText | str = "hi", address: str = "700000001", **fields: Any) -> OutboundPart:
    return OutboundPart("m1", address, RichText(text) if isinstance(text, str) else text, **fields)


async def test_text_goes_out_as_html_with_reply_topic_and_business_connection() -> None:
    rich = RichText("Ready & paid", (Mark("bold", 0, 5),))
    result, calls = await sent(part(rich, "-100/42@biz", reply_to="-100:7@biz"), (200, OK))
    assert calls == [
        (
            "sendMessage",
            {
                "chat_id": -100,
                "message_thread_id": 42,
                "business_connection_id": "biz",
                "reply_parameters": {"message_id": 7, "allow_sending_without_reply": True},
                "text": "<b>Ready</b> &amp; paid",
                "parse_mode": "HTML",
            },
        )
    ]
    assert result == Sent(("700000001:205@biz",))


async def test_a_reply_to_a_message_of_another_chat_is_sent_without_the_reply() -> None:
    _, calls = await sent(part(reply_to="5:7"), (200, OK))
    assert "reply_parameters" not in calls[0][1]


async def test_formatting_that_telegram_cannot_read_is_sent_once_more_as_plain_text() -> None:
    rich = RichText("Hi", (Mark("bold", 0, 2),))
    result, calls = await sent(part(rich), answer("resp_400_parse_entities"), (200, OK))
    assert result == Sent(("700000001:205",))
    assert calls[1][1]["text"] == "Hi"
    assert "parse_mode" not in calls[1][1]
    failure, calls = await sent(
        part(rich), answer("resp_400_parse_entities"), answer("resp_400_parse_entities")
    )
    assert isinstance(failure, Permanent)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("name", "error", "code", "words"),
    [
        ("resp_429_retry_after", Retryable, "429", "Too Many Requests: retry after 17"),
        ("resp_403_blocked", Permanent, "403", "Forbidden: bot was blocked by the user"),
        ("resp_403_deactivated", Permanent, "403", "Forbidden: user is deactivated"),
        ("resp_400_reply_missing", Permanent, "400", "Bad Request: message to be replied not found"),
        ("resp_400_migrated", Moved, "400", "Bad Request: group chat was upgraded to a supergroup chat"),
    ],
)
async def test_telegrams_own_code_and_words_are_kept(
    name: str, error: type[SendError], code: str, words: str
) -> None:
    failure, _ = await sent(part(), answer(name))
    assert type(failure) is error
    assert (failure.code, failure.words) == (code, words)
    if isinstance(failure, Retryable):
        assert (failure.retry_after, failure.whole_channel) == (17, True)
    if isinstance(failure, Moved):
        assert failure.new_address == "-1004000000001"


async def test_a_wrong_token_says_what_to_do_and_does_not_show_the_token() -> None:
    failure, _ = await sent(part(), answer("resp_401_token"))
    assert isinstance(failure, Permanent)
    assert failure.words.startswith("Unauthorized")
    assert "@BotFather" in failure.words
    echo = json.dumps({"ok": False, "error_code": 404, "description": f"Not Found: /bot{TOKEN}/x"}).encode()
    failure, _ = await sent(part(), (404, echo))
    assert TOKEN not in str(failure)


async def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown() -> None:
    for body in (b"<html>", b'{"ok":true,"result":{}}', b'{"ok":true}'):
        failure, _ = await sent(part(), (200, body))
        assert isinstance(failure, OutcomeUnknown), body


async def test_a_bad_gateway_is_retried() -> None:
    failure, _ = await sent(part(), (502, b"<html>502</html>"))
    assert type(failure) is Retryable
    assert failure.code == "502"


async def test_a_file_that_breaks_off_while_it_is_read_was_not_sent() -> None:
    class Broken(BytesFile):
        async def read(self) -> Any:
            yield b"half"
            raise OSError("disk gone")

    failure, _ = await sent(part("", files=(Broken(b""),)))
    assert type(failure) is Retryable


async def test_a_file_above_50_mb_is_not_uploaded() -> None:
    failure, calls = await sent(part("", files=(BytesFile(b"", claimed=50_000_001),)))
    assert isinstance(failure, Permanent)
    assert calls == []


async def test_an_address_of_another_kind_is_refused_without_a_call() -> None:
    for address in ("", "x", "1/2/3", "１２", "9" * 40, "1/"):
        failure, calls = await sent(part(address=address))
        assert isinstance(failure, Permanent)
        assert calls == []


def test_a_long_caption_follows_the_file_as_its_own_message() -> None:
    photo = BytesFile(b"x", "image", "a.png", "image/png")
    short = TELEGRAM.split(RichText("x" * 1024), [photo], "1", "m", None)
    long = TELEGRAM.split(RichText("x" * 1025), [photo], "1", "m", None)
    assert [(len(each.files), len(each.text.text)) for each in short] == [(1, 1024)]
    assert [(len(each.files), len(each.text.text)) for each in long] == [(1, 0), (0, 1025)]
    assert [each.key for each in long] == ["m", "m-2"]


def test_files_that_telegram_shows_together_make_albums_of_at_most_ten() -> None:
    photo, video = (
        BytesFile(b"x", "image", "a.png", "image/png"),
        BytesFile(b"x", "video", "a.mp4", "video/mp4"),
    )
    voice, paper = BytesFile(b"x", "voice", "a.ogg", "audio/ogg"), BytesFile(b"x")
    heavy = BytesFile(b"", "image", "b.png", "image/png", claimed=10_000_001)
    parts = TELEGRAM.split(RichText(), [photo, video, voice, paper, heavy, *[photo] * 11], "1", "m", None)
    assert [len(each.files) for each in parts] == [2, 1, 2, 10, 1]


def test_a_text_is_cut_at_paragraphs_then_lines_then_words() -> None:
    assert [each.text for each in split_text(RichText("aaaa bbb\n\ncccc"), 12)] == ["aaaa bbb", "cccc"]
    assert [each.text for each in split_text(RichText("aaaa bbb\ncccc"), 12)] == ["aaaa bbb", "cccc"]
    assert [each.text for each in split_text(RichText("aaaa bbbbb cccc"), 12)] == ["aaaa bbbbb", "cccc"]
    assert [each.text for each in split_text(RichText("a" * 25), 12)] == ["a" * 12, "a" * 12, "a"]


def test_a_cut_never_tears_a_character_and_carries_formatting_over() -> None:
    pieces = split_text(RichText("👋" * 10, (Mark("bold", 2, 16),)), 7)
    assert [piece.text for piece in pieces] == ["👋👋👋"] * 3 + ["👋"]
    assert [piece.marks for piece in pieces[:2]] == [(Mark("bold", 2, 4),), (Mark("bold", 0, 6),)]
    family = "👩‍👩‍👧"
    assert split_text(RichText(f"ab{family}"), 6)[0].text == "ab"


KINDS = st.sampled_from(["bold", "italic", "underline", "strike", "spoiler", "code", "pre", "quote", "link"])
MARKS = st.lists(
    st.builds(
        lambda kind, offset, length: Mark(
            kind, offset, length, "https://a.b/?c=1&d" if kind == "link" else None
        ),
        KINDS,
        st.integers(0, 20),
        st.integers(1, 20),
    ),
    max_size=6,
)


@given(text=st.text(alphabet='ab<>&" \n👋é', max_size=20), marks=MARKS)
@settings(max_examples=400, deadline=None)
def test_html_is_always_well_formed_and_says_the_same_text(text: str, marks: list[Mark]) -> None:
    said, entities = parse_html(to_telegram_html(RichText(text, tuple(marks))))
    assert said == text
    assert all(entity["offset"] + entity["length"] <= utf16_length(text) for entity in entities)


@given(text=st.text(alphabet="ab 👋é", max_size=20), marks=MARKS)
@settings(max_examples=200, deadline=None)
def test_marks_survive_the_way_to_entities_and_back(text: str, marks: list[Mark]) -> None:
    rich = from_entities(text, to_entities(RichText(text, tuple(marks))))
    assert from_entities(text, to_entities(rich)) == rich


@given(
    st.builds(
        Address,
        st.integers(-(2**52), 2**52),
        st.none() | st.integers(1, 2**31),
        st.none() | st.text("ab_-", min_size=1),
    )
)
def test_an_address_reads_back_as_it_was_written(address: Address) -> None:
    assert decode_address(address.encode()) == address
