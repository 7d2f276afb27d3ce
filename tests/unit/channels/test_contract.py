"""What every adapter must do, held against each one in the registry."""

import asyncio
import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from channels_support import BytesFile, LoopbackHttp, Recorder, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import (
    Adapter,
    BadSignature,
    ChannelConfig,
    FetchError,
    HookRequest,
    InboundEvent,
    InboundMessage,
    OutcomeUnknown,
    Permanent,
    Retryable,
    SendError,
    Sent,
    Unreadable,
)
from channels.registry import adapter, all_adapters, generate
from channels.richtext import Mark, RichText, utf16_length
from channels.standard_webhooks import signed_headers

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"
KINDS = [each.kind for each in all_adapters()]
TOKEN = "123456:top-secret-token"
ADDRESSES = {"telegram": "700000001", "webchat": "vs_1", "bot": "erp-77"}
CASES = [
    pytest.param(kind, path, id=f"{kind}-{path.stem}")
    for kind in KINDS
    for path in sorted((FIXTURES / kind).glob("*.json"))
    if path.stem != "expected"
]

every_adapter = pytest.mark.parametrize("channel", all_adapters(), ids=KINDS)


def config_of(channel: Adapter, base: str = "http://127.0.0.1:9") -> ChannelConfig:
    """A complete configuration: generated secrets, and every address leading to `base`."""
    secrets = {each.name: generate(each) for each in channel.settings if each.secret}
    if "bot_token" in secrets:
        secrets["bot_token"] = TOKEN
    return ChannelConfig("c", {"api_url": base, "callback_url": f"{base}/callback"}, secrets)


def parsed(channel: Adapter, body: bytes) -> list[InboundEvent]:
    """What `parse` gives, checked to be storable: no U+0000, no lone surrogate, an aware instant."""
    events = list(channel.parse(body, ChannelConfig("c"), NOW))
    encoded = msgspec.json.encode(events)
    assert b"\\u0000" not in encoded
    assert msgspec.json.decode(encoded, type=list[InboundEvent]) == events
    return events


# ---------------------------------------------------------------- in


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_a_sample_is_read_as_expected(kind: str, path: Path) -> None:
    expected = json.loads((FIXTURES / kind / "expected.json").read_text())
    events = adapter(kind).parse(path.read_bytes(), ChannelConfig("c"), NOW)
    assert json.loads(msgspec.json.encode(events)) == expected[path.stem]


@every_adapter
@given(
    body=st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_can_be_parsed(channel: Adapter, body: bytes) -> None:
    parsed(channel, body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**63, 2**64, 10**30, 1e308, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from(["\x00", "🌊", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_a_sample_with_anything_anywhere_can_be_parsed(kind: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([case.values[1] for case in CASES if case.values[0] == kind]))
    value: Any = json.loads(path.read_bytes())
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 4))):
        value = _mutated(value, data.draw(JSON), rng)
    parsed(adapter(kind), json.dumps(value).encode())


def _mutated(value: Any, replacement: Any, rng: random.Random) -> Any:
    """`value` with one node, at any depth, replaced or removed."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.15:
        return replacement
    value = copy.copy(value)
    key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    if rng.random() < 0.15:
        del value[key]
    else:
        value[key] = _mutated(value[key], replacement, rng)
    return value


@every_adapter
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"type":"message","text":"\\ud800' + b"[" * 100_000,
        b'{"update_id":NaN}',
        b"9" * 100_000,
        b'{"update_id":1,"message":"\xc3\x28"}',
        b"null",
        b"[]" * 10,
    ],
    ids=[
        "empty",
        "binary",
        "open",
        "nested",
        "objects",
        "surrogate",
        "nan",
        "huge",
        "not-utf8",
        "null",
        "several",
    ],
)
def test_hostile_bytes_become_a_reason(channel: Adapter, body: bytes) -> None:
    events = parsed(channel, body)
    assert events
    assert all(isinstance(event, Unreadable) and event.reason for event in events)


def _with_text(kind: str, text: str) -> bytes:
    """The plainest message of a channel, saying `text`."""
    sample = {"telegram": "text", "webchat": "message_plain_page", "bot": "message_created"}[kind]
    value = json.loads((FIXTURES / kind / f"{sample}.json").read_bytes())
    holder = {
        "telegram": lambda: value["message"],
        "webchat": lambda: value,
        "bot": lambda: value["data"]["content"],
    }
    holder[kind]()["text"] = text
    return json.dumps(value).encode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "\u200b" * 1000,
        "\u202eمرحبا\u202c",
        "👩‍👩‍👧‍👦🏳️‍🌈" * 100,
        "<script>alert(1)</script>",
        "' or 1=1 --",
    ],
    ids=["megabyte", "zero-width", "right-to-left", "emoji", "script", "sql"],
)
def test_odd_text_is_kept_as_written(kind: str, text: str) -> None:
    (message,) = parsed(adapter(kind), _with_text(kind, text))
    assert isinstance(message, InboundMessage)
    assert message.text == RichText(text)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_database_cannot_store_is_replaced_at_the_same_length(kind: str) -> None:
    text = "a\x00b\ud83cc"
    (message,) = parsed(adapter(kind), _with_text(kind, text))
    assert isinstance(message, InboundMessage)
    assert message.text.text == "a\ufffdb\ufffdc"
    assert utf16_length(message.text.text) == utf16_length(text)


# ---------------------------------------------------------------- who is asking


def _genuine(channel: Adapter, config: ChannelConfig, body: bytes) -> dict[str, str]:
    if channel.kind == "telegram":
        return {"x-telegram-bot-api-secret-token": config.secrets["webhook_secret"]}
    return signed_headers(config.secrets["inbound_secret"], "msg_1", NOW, body)


@every_adapter
def test_a_request_without_proof_is_refused(channel: Adapter) -> None:
    with pytest.raises(BadSignature):
        channel.verify(HookRequest("POST", "", {}, b"{}"), config_of(channel), NOW)


@every_adapter
def test_nothing_is_proved_against_a_missing_secret(channel: Adapter) -> None:
    headers = {
        "x-telegram-bot-api-secret-token": "",
        "webhook-id": "a",
        "webhook-timestamp": "1",
        "webhook-signature": "",
    }
    with pytest.raises(BadSignature):
        channel.verify(HookRequest("POST", "", headers, b"{}"), ChannelConfig("c"), NOW)


@pytest.mark.parametrize("kind", ["telegram", "bot"])
def test_only_the_genuine_proof_is_accepted(kind: str) -> None:
    channel, body = adapter(kind), b"\xff not even text"
    config = config_of(channel)
    genuine = _genuine(channel, config, body)
    channel.verify(HookRequest("POST", "", genuine, body), config, NOW)
    for name, value in genuine.items():
        for wrong in ("", value[:-2], value + "x", "é\udcff", value.swapcase() + "0"):
            with pytest.raises(BadSignature):
                channel.verify(HookRequest("POST", "", genuine | {name: wrong}, body), config, NOW)


def test_the_widget_has_no_public_hook() -> None:
    channel = adapter("webchat")
    body = (FIXTURES / "webchat" / "message.json").read_bytes()
    with pytest.raises(BadSignature):
        channel.verify(
            HookRequest("POST", "", _genuine(adapter("bot"), config_of(adapter("bot")), body), body),
            config_of(channel),
            NOW,
        )


def test_a_bots_webhook_is_good_for_five_minutes() -> None:
    channel, body = adapter("bot"), b"{}"
    config = config_of(channel)
    request = HookRequest("POST", "", _genuine(channel, config, body), body)
    channel.verify(request, config, NOW + timedelta(seconds=299))
    channel.verify(request, config, NOW - timedelta(seconds=299))
    for away in (timedelta(seconds=302), timedelta(seconds=-302)):
        with pytest.raises(BadSignature):
            channel.verify(request, config, NOW + away)
    with pytest.raises(BadSignature):
        channel.verify(HookRequest("POST", "", request.headers, b"{} "), config, NOW)


# ---------------------------------------------------------------- out

WORDS = st.lists(st.sampled_from(["word", "👋🏽", "é", "x" * 700, "\n", "\n\n", " ", "𝕏" * 300]), max_size=60)


@every_adapter
@given(words=WORDS, count=st.integers(0, 12), data=st.data())
@settings(max_examples=60, deadline=None)
def test_splitting_is_stable_within_limits_and_loses_no_word(
    channel: Adapter, words: list[str], count: int, data: st.DataObject
) -> None:
    text = "".join(words)
    length = utf16_length(text)
    start, end = sorted((data.draw(st.integers(0, length)), data.draw(st.integers(0, length))))
    rich = RichText(text, (Mark("bold", start, end - start),) if start < end else ())
    kinds = [("image", "image/png"), ("document", "text/plain"), ("voice", "audio/ogg")]
    files = [BytesFile(b"x", *_kind(kinds[number % 3])) for number in range(count)]
    address = ADDRESSES[channel.kind]
    parts = channel.split(rich, files, address, "m1", "700000001:5")
    assert parts == channel.split(rich, files, address, "m1", "700000001:5")
    assert len({part.key for part in parts}) == len(parts)
    assert [file for part in parts for file in part.files] == files
    assert "".join(part.text.text for part in parts).split() == text.split() or _only_joined(parts, text)
    for index, part in enumerate(parts):
        limit = channel.capabilities.caption_limit if part.files else channel.capabilities.text_limit
        assert utf16_length(part.text.text) <= limit
        part.text.text.encode()  # no half of a surrogate pair
        assert (part.reply_to is not None) == (index == 0)
        assert all(each.offset + each.length <= utf16_length(part.text.text) for each in part.text.marks)
    if text.strip() or files:
        assert parts


def _kind(pair: tuple[str, str]) -> tuple[Any, str, str]:
    return pair[0], "a.bin", pair[1]


def _only_joined(parts: Any, text: str) -> bool:
    """Pieces joined without the white space at their cuts: the same characters all the same."""
    return "".join("".join(part.text.text for part in parts).split()) == "".join(text.split())


def _answering(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Callable[..., Any]:
    return lambda path, request: (status, body, headers or {})


HTML = b"<html><body>Bad Gateway</body></html>"
FAILURES = [
    (status, body, headers)
    for status in (204, 301, 400, 401, 403, 404, 408, 409, 410, 413, 418, 429, 500, 502, 503, 504)
    for body, headers in (
        (b"", {}),
        (HTML, {"retry-after": "9" * 8}),
        (b'{"ok":false}', {"retry-after": "soon"}),
    )
] + [
    (200, b"not json", {}),
    (200, b'{"ok":false,"error_code":500}', {}),
    (200, b'{"ok":true,"result":7}', {}),
]


async def _send(channel: Adapter, config: ChannelConfig, http: LoopbackHttp) -> Sent:
    part = channel.split(RichText("hi"), (), ADDRESSES[channel.kind], "m1", None)[0]
    return await channel.send(part, config, http)


@every_adapter
async def test_every_answer_of_a_provider_is_sent_or_a_send_error(channel: Adapter) -> None:
    answers = iter(FAILURES)
    recorder = Recorder(lambda path, body: next(answers))
    http = LoopbackHttp()
    async with serving(recorder) as base:
        for status, body, _ in FAILURES:
            outcome = await _outcome(channel, config_of(channel, base), http)
            assert TOKEN not in str(outcome)
            if channel.kind == "telegram":
                assert isinstance(outcome, SendError), (status, body)
            if isinstance(outcome, SendError):
                _assert_explained(outcome, status)
    await http.close()


async def _outcome(channel: Adapter, config: ChannelConfig, http: LoopbackHttp) -> Sent | SendError:
    try:
        return await _send(channel, config, http)
    except SendError as error:
        return error


def _assert_explained(error: SendError, status: int) -> None:
    assert error.code
    assert error.words
    if status in (429, 500, 502, 503, 504):
        assert isinstance(error, Retryable)
    if status in (301, 400, 401, 403, 404, 410, 413, 418):
        assert isinstance(error, Permanent)
    if isinstance(error, Retryable) and error.retry_after is not None:
        assert 0 <= error.retry_after <= 86_400


class Silent:
    """A server that takes connections and, after reading, answers nothing or hangs up."""

    def __init__(self, hang_up: bool) -> None:
        self.hang_up = hang_up

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if not self.hang_up:
            await reader.read()
        writer.close()


@pytest.mark.parametrize(
    ("kind", "hang_up", "expected"),
    [
        ("telegram", True, OutcomeUnknown),
        ("telegram", False, OutcomeUnknown),
        ("bot", True, Retryable),
        ("bot", False, Retryable),
    ],
)
async def test_no_answer_after_the_request_was_written(
    kind: str, hang_up: bool, expected: type[SendError]
) -> None:
    server = await asyncio.start_server(Silent(hang_up), "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http = LoopbackHttp(timeout=0.3)
    with pytest.raises(expected) as failure:
        await _send(adapter(kind), config_of(adapter(kind), base), http)
    assert TOKEN not in str(failure.value)
    assert failure.value.__cause__ is None or TOKEN not in str(failure.value.__cause__)
    server.close()
    await http.close()


@pytest.mark.parametrize("kind", ["telegram", "bot"])
async def test_a_refused_connection_is_retryable(kind: str) -> None:
    http = LoopbackHttp()
    with pytest.raises(Retryable) as failure:
        await _send(adapter(kind), config_of(adapter(kind), "http://127.0.0.1:9"), http)
    assert TOKEN not in str(failure.value)
    await http.close()


@every_adapter
async def test_a_file_that_cannot_be_fetched_says_whether_to_come_back(channel: Adapter) -> None:
    http = LoopbackHttp()
    for status, again in ((404, False), (500, True), (429, True)):
        async with serving(Recorder(_answering(status))) as base:
            with pytest.raises(FetchError) as failure:
                async with channel.fetch(
                    {"file_id": "f", "url": f"{base}/a"}, config_of(channel, base), http
                ):
                    raise AssertionError("opened")
            assert failure.value.retryable == (again and channel.kind != "webchat")
            assert TOKEN not in str(failure.value)
    await http.close()


async def test_a_webchat_message_is_sent_when_it_is_stored() -> None:
    http = LoopbackHttp()
    assert (await _send(adapter("webchat"), ChannelConfig("c"), http)).external_ids == ("m1",)
    await http.close()


@every_adapter
async def test_connecting_to_nothing_says_so(channel: Adapter) -> None:
    http = LoopbackHttp()
    probe = await channel.connect("https://inbox.example.com/hooks/1", config_of(channel), http)
    assert probe.words
    assert probe.ok == (channel.kind != "telegram")
    assert TOKEN not in probe.words
    await http.close()


def test_permanent_and_retryable_are_told_apart_by_type() -> None:
    assert not issubclass(Permanent, Retryable)
    assert not issubclass(OutcomeUnknown, (Permanent, Retryable))
