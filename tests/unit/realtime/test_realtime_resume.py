"""Who may continue, who starts over, and what a log without holes is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.feed import Entry, flaw
from realtime.limits import TokenBucket
from realtime.resume import Replay, StartAtHead, StartOver, judge
from realtime.track import Track, Verdict


@pytest.mark.parametrize(
    ("cursor", "verdict"),
    [
        (None, StartAtHead()),
        ("e1:100", Replay(100)),
        ("e1:95", Replay(95)),
        ("e1:80", Replay(80)),
        ("e1:79", StartOver("too_far")),
        ("e1:49", StartOver("pruned")),
        ("e1:101", StartOver("future")),
        ("e2:95", StartOver("epoch")),
        ("other account", StartOver("malformed")),
    ],
)
def test_a_cursor_is_continued_or_the_reason_is_named(cursor: str | None, verdict: object) -> None:
    assert judge(cursor, epoch="e1", base=50, head=100, limit=20) == verdict


def test_the_base_itself_can_be_continued() -> None:
    assert judge("e1:50", epoch="e1", base=50, head=60, limit=20) == Replay(50)


def entries(*seqs: int, epoch: str = "e1") -> list[Entry]:
    return [Entry("a", seq, (), epoch) for seq in seqs]


def test_only_what_follows_without_a_hole_continues_a_log() -> None:
    assert flaw(entries(4, 5, 6), after=3, epoch="e1") is None
    assert flaw(entries(4, 5, epoch=""), after=3, epoch="e1") is None
    assert flaw(entries(5, 6), after=3, epoch="e1") == "pruned"
    assert flaw(entries(4, 6), after=3, epoch="e1") == "pruned"
    assert flaw(entries(4, 5, epoch="e2"), after=3, epoch="e1") == "epoch"


@given(st.lists(st.integers(1, 30), max_size=60))
def test_a_track_lets_each_seq_pass_once_and_in_order(announced: list[int]) -> None:
    track = Track("a")
    track.last = 0
    passed = [seq for seq in announced if track.take(seq) is Verdict.NEXT]
    assert passed == list(range(1, len(passed) + 1))
    assert track.last == len(passed)
    assert track.seen == max(announced, default=0)


def test_a_track_holds_back_while_it_is_being_healed() -> None:
    track = Track("a")
    assert track.take(5) is Verdict.HELD
    track.last, track.healing = 5, True
    assert track.take(6) is Verdict.HELD
    assert track.take(5) is Verdict.DUPLICATE
    track.healing = False
    assert track.take(8) is Verdict.GAP
    assert track.seen == 8


def test_a_bucket_allows_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=20, burst=40, now=0.0)
    assert [bucket.take(0.0) for _ in range(41)] == [True] * 40 + [False]
    assert [bucket.take(0.125) for _ in range(3)] == [True, True, False]
    assert [bucket.take(100.0) for _ in range(41)] == [True] * 40 + [False]
