"""What comes from a client is trusted in nothing."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.protocol import (
    MAX_CLIENT_FRAME,
    MAX_SEQ,
    BadFrame,
    Bye,
    Cursor,
    Ping,
    Resume,
    Typing,
    Watch,
    Welcome,
    decode_client_frame,
    encode_frame,
)

epochs = st.text("abcXYZ019_-", min_size=1, max_size=64)


@given(epochs, st.integers(0, MAX_SEQ))
def test_a_cursor_survives_the_journey(epoch: str, seq: int) -> None:
    assert Cursor.decode(Cursor(epoch, seq).encode()) == Cursor(epoch, seq)


@pytest.mark.parametrize(
    "text",
    ["", ":", "e1", "e1:", ":1", "e1:-1", "e1:+1", "e1: 1", "e1:1 ", "e1:1\n", "e1:01", "e1:1.0", "e1:1e3", "e1:٣",
     "e1:²", "é:1", "e1:e1:1", f"e1:{MAX_SEQ + 1}", "e1:" + "9" * 5000, "e" * 65 + ":1", "e1\x00:1", "null"],
)  # fmt: skip
def test_a_hostile_cursor_is_none(text: str) -> None:
    assert Cursor.decode(text) is None


@given(st.text(max_size=80))
def test_any_text_is_a_canonical_cursor_or_none(text: str) -> None:
    cursor = Cursor.decode(text)
    assert cursor is None or cursor.encode() == text


def test_the_documented_frames_are_understood() -> None:
    assert decode_client_frame('{"type":"resume","cursor":null}') == Resume(None)
    assert decode_client_frame(b'{"type":"resume","cursor":"e1:7"}') == Resume("e1:7")
    assert decode_client_frame('{"type":"watch","conversation_id":"c"}') == Watch("c")
    assert decode_client_frame('{"type":"typing","conversation_id":"c","on":true}') == Typing("c", True)
    assert decode_client_frame('{"type":"ping"}') == Ping()


@pytest.mark.parametrize(
    "raw",
    ["", "null", "[]", "1", '"ping"', "{}", '{"type":"welcome","cursor":"e1:1","resumed":true}', '{"type":"resume"}',
     '{"type":"resume","cursor":7}', '{"type":"watch","conversation_id":""}', b"\xff\xfe", '{"type":"ping"', "\ud800",
     json.dumps({"type": "watch", "conversation_id": "x" * 65}), '{"type":"ping","x":' + "[" * 2000 + "]" * 2000 + "}",
     '{"type":"ping","x":"' + "é" * (MAX_CLIENT_FRAME // 2) + '"}'],
)  # fmt: skip
def test_what_is_not_a_client_frame_is_a_bad_frame(raw: str | bytes) -> None:
    with pytest.raises(BadFrame):
        decode_client_frame(raw)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_decode_or_be_a_bad_frame(raw: bytes) -> None:
    with contextlib.suppress(BadFrame):
        decode_client_frame(raw)


def test_server_frames_carry_their_type() -> None:
    assert json.loads(encode_frame(Welcome("e1:7", True))) == {
        "type": "welcome",
        "cursor": "e1:7",
        "resumed": True,
    }
    assert json.loads(encode_frame(Bye("restart", 12))) == {
        "type": "bye",
        "reason": "restart",
        "retry_after_ms": 12,
    }
