"""What a client gets, and how each bound ends."""

import asyncio
import json

import pytest
from realtime_world import ACCOUNT, Client, in_virtual_time, spend, until, world

from realtime import protocol
from realtime.feed import Entry


def test_a_client_without_a_cursor_starts_at_the_head_and_is_live_from_there() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.commit("all", "all")
            client = await house.arrives("all")
            house.publish("all", "all")
            await client.gets("event", 2)
            assert client.frames("welcome") == [{"type": "welcome", "cursor": "e1:2", "resumed": False}]
            assert client.seqs() == [3, 4]

    in_virtual_time(story())


def test_a_client_that_comes_back_gets_what_it_missed_in_order_once_and_then_is_live() -> None:
    async def story() -> None:
        async with world(replay_batch=10) as house:
            house.truth.commit(*["all"] * 55)
            client = await house.arrives("all", cursor="e1:5")
            await client.gets("event", 50)
            house.publish("all")
            await client.gets("event", 51)
            assert client.frames()[0] == {"type": "welcome", "cursor": "e1:5", "resumed": True}
            assert client.seqs() == list(range(6, 57))
            assert house.hub.stats.resumed == 1

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("e1:99", "future"),
        ("e2:30", "epoch"),
        ("e1:2", "pruned"),
        ("e1:9", "too_far"),
        ("'; drop", "malformed"),
    ],
)
def test_a_cursor_that_cannot_be_continued_is_reset_to_the_head(cursor: str, reason: str) -> None:
    async def story() -> None:
        async with world(resume_limit=20) as house:
            house.truth.commit(*["all"] * 30)
            house.truth.prune(5)
            client = await house.arrives("all", cursor=cursor)
            house.publish("all")
            await client.gets("event")
            assert client.frames()[0] == {"type": "reset", "reason": reason, "cursor": "e1:30"}
            assert client.seqs() == [31]
            assert house.hub.stats.reset == 1

    in_virtual_time(story())


def test_what_the_feed_lost_is_read_from_the_log_when_the_next_entry_shows_the_gap() -> None:
    async def story() -> None:
        async with world(replay_batch=4) as house:
            client = await house.arrives("all")
            house.truth.commit(*["all"] * 10)
            house.publish("all")
            await client.gets("event", 11)
            assert client.seqs() == list(range(1, 12))
            assert house.hub.stats.gaps_healed > 0
            assert asyncio.get_running_loop().time() < 1

    in_virtual_time(story())


def test_a_lost_tail_is_found_by_the_heartbeat_and_the_head_follows_it() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            house.truth.commit("all", "team")
            head = await client.gets("head")
            assert [frame["type"] for frame in client.frames()] == ["welcome", "event", "head"]
            assert head == {"type": "head", "cursor": "e1:2"}
            assert asyncio.get_running_loop().time() < 16

    in_virtual_time(story())


def test_repeated_entries_are_dropped_and_counted() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            entries = house.publish("all", "all")
            house.wire.put(entries[::-1])
            house.publish("all")
            await client.gets("event", 3)
            assert client.seqs() == [1, 2, 3]
            assert house.hub.stats.duplicates == 2

    in_virtual_time(story())


def test_while_the_source_is_away_screens_lag_by_seconds_only() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            for _ in range(20):
                house.wire.put(ConnectionError("the source is away"))
            house.truth.commit("all")
            await client.gets("event")
            assert asyncio.get_running_loop().time() < 3
            house.publish("all")
            await client.gets("event", 2)
            assert client.seqs() == [1, 2]

    in_virtual_time(story())


def test_a_restored_backup_resets_every_client_at_once_when_its_entries_arrive() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.commit(*["all"] * 10)
            client = await house.arrives("all")
            house.truth.restore(7)
            house.publish("all")
            assert await client.gets("reset") == {"type": "reset", "reason": "epoch", "cursor": "e2:8"}
            house.publish("all")
            await client.gets("event")
            assert client.seqs() == [9]
            assert asyncio.get_running_loop().time() < 1

    in_virtual_time(story())


def test_a_gap_that_was_pruned_meanwhile_resets_instead_of_being_skipped() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            house.truth.commit(*["all"] * 5)
            house.truth.prune(3)
            house.publish("all")
            assert await client.gets("reset") == {"type": "reset", "reason": "pruned", "cursor": "e1:6"}
            assert client.seqs() == []

    in_virtual_time(story())


def test_a_gap_that_was_pruned_to_its_end_resets_too() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            entries = house.truth.commit(*["all"] * 6)
            house.truth.prune(6)
            house.wire.put(entries[5:])
            assert await client.gets("reset") == {"type": "reset", "reason": "pruned", "cursor": "e1:6"}

    in_virtual_time(story())


def test_a_log_that_is_shorter_than_what_was_dispatched_resets_at_the_heartbeat() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.commit(*["all"] * 6)
            client = await house.arrives("all")
            house.truth.events = house.truth.events[:4]
            assert await client.gets("reset") == {"type": "reset", "reason": "rewound", "cursor": "e1:4"}

    in_virtual_time(story())


def test_a_replay_never_crosses_into_another_epoch() -> None:
    async def story() -> None:
        async with world(replay_batch=10) as house:
            house.truth.commit(*["all"] * 30)
            first = await house.arrives("all")
            client = Client().open(house.hub, "all").says("resume", cursor="e1:0")
            client.reading.clear()
            await until(lambda: house.truth.reads == 1)
            house.truth.restore(25)
            house.truth.held["bounds"] = (
                asyncio.Event()
            )  # the new epoch is known, its log not yet started over
            await house.hub.beat()
            client.reading.set()
            await client.gets("reset")
            assert client.seqs() == list(range(1, 11))
            house.truth.held["bounds"].set()
            assert (await first.gets("reset"))["cursor"] == "e2:25"
            assert (await client.gets("reset", 2))["cursor"] == "e2:25"

    in_virtual_time(story())


def test_a_log_that_starts_over_during_the_last_batch_of_a_replay_resets_the_client() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.commit(*["all"] * 30)
            first = await house.arrives("all")
            client = Client().open(house.hub, "all").says("resume", cursor="e1:20")
            client.reading.clear()
            await until(lambda: house.truth.reads == 1)
            house.truth.restore(25)
            await house.hub.beat()
            await first.gets("reset")
            client.reading.set()
            assert (await client.gets("reset"))["cursor"] == "e2:25"
            house.publish("all")
            await client.gets("event", 11)
            assert client.seqs()[-1] == 26

    in_virtual_time(story())


def test_bounds_that_were_read_before_a_restore_are_not_used_after_it() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            house.truth.held["bounds"] = asyncio.Event()
            entries = house.truth.commit(*["all"] * 9)
            house.truth.prune(3)
            house.wire.put(entries[8:])
            await until(lambda: house.truth.reads == 1)
            await asyncio.sleep(0.1)
            house.truth.restore(5)
            await house.hub.beat()
            house.truth.held["bounds"].set()
            await client.gets("head")
            assert [frame["cursor"] for frame in client.frames("reset")] == ["e2:5"]

    in_virtual_time(story())


def test_what_gathered_before_a_reset_is_not_sent_after_it() -> None:
    async def story() -> None:
        async with world(gather=5.0) as house:
            client = await house.arrives("all")
            house.publish("all")
            await client.gets("event")
            house.publish("all", "all")
            await until(lambda: house.hub.stats.events_in == 3)
            house.truth.restore(0)
            await house.hub.beat()
            await client.gets("reset")
            await asyncio.sleep(10)
            assert client.seqs() == [1]

    in_virtual_time(story())


def test_an_entry_that_is_announced_while_its_log_is_being_started_is_not_lost() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.held["bounds"] = asyncio.Event()
            client = Client().open(house.hub, "all").says("resume", cursor=None)
            await asyncio.sleep(0.1)
            house.publish("all")
            await asyncio.sleep(0.1)
            house.truth.held["bounds"].set()
            await client.gets("event")
            assert asyncio.get_running_loop().time() < 1

    in_virtual_time(story())


def test_an_entry_that_is_announced_while_the_bounds_are_asked_is_not_lost() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            house.truth.held["bounds"] = asyncio.Event()
            house.wire.put([Entry(ACCOUNT, 7, ())])  # announced by a feed that is wrong
            await until(lambda: house.truth.reads == 1)
            await asyncio.sleep(0.1)
            house.wire.put([*house.truth.commit("all"), Entry(ACCOUNT, 8, ())])
            await asyncio.sleep(0.1)
            house.truth.held["bounds"].set()
            await client.gets("event")
            assert asyncio.get_running_loop().time() < 1

    in_virtual_time(story())


def test_a_client_that_is_ahead_of_the_feed_is_believed_if_the_log_knows_its_cursor() -> None:
    async def story() -> None:
        async with world() as house:
            other = await house.arrives("all")
            entries = house.truth.commit(*["all"] * 6)  # another process has shown them already
            ahead = await house.arrives("all", cursor="e1:5")
            house.hub.head(ACCOUNT, 0)
            assert (await ahead.gets("head"))["cursor"] == "e1:5"
            house.wire.put(entries)
            await other.gets("event", 6)
            await ahead.gets("event")
            assert ahead.frames("welcome")[0]["resumed"]
            assert ahead.seqs() == [6]

    in_virtual_time(story())


def test_a_client_sees_only_its_topics_and_an_entry_once() -> None:
    async def story() -> None:
        async with world() as house:
            visitor, agent = await house.arrives("visitor:1"), await house.arrives("all", "visitor:1")
            house.publish("all", "visitor:1", "visitor:2")
            both = (
                ("visitor:1", b'{"type":"event","cursor":"e1:4"}'),
                ("all", b'{"type":"secret","cursor":"e1:4"}'),
            )
            house.truth.commit("all")
            house.wire.put([Entry(ACCOUNT, 4, both)])
            await agent.gets("event", 3)
            await visitor.gets("event", 2)
            assert visitor.seqs() == [2, 4]
            assert agent.seqs() == [1, 2, 4]
            assert not visitor.frames("secret")
            assert not agent.frames("secret")

    in_virtual_time(story())


def test_watching_opens_a_topic_and_unwatching_closes_it() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            client.says("watch", conversation_id="c1").says("ping")
            await client.gets("pong")
            house.publish("c1")
            await client.gets("event")
            client.says("unwatch", conversation_id="c1").says("ping")
            await client.gets("pong", 2)
            house.publish("c1", "all")
            await client.gets("event", 2)
            assert client.seqs() == [1, 3]

    in_virtual_time(story())


def test_ephemeral_frames_reach_who_is_live_and_typing_reaches_the_listener() -> None:
    async def story() -> None:
        async with world() as house:
            client, other = await house.arrives("all"), await house.arrives("team")
            house.hub.publish_ephemeral(ACCOUNT, "all", b'{"type":"typing"}')
            house.hub.publish_ephemeral("nobody's", "all", b'{"type":"typing"}')
            await client.gets("typing")
            client.says("typing", conversation_id="c1", on=True)
            await until(lambda: house.wishes.typed == [("c1", True)])
            assert not other.frames("typing")

    in_virtual_time(story())


def test_ephemeral_frames_are_dropped_for_who_is_behind() -> None:
    async def story() -> None:
        async with world(max_queue_bytes=1600) as house:
            client = await house.arrives("all")
            client.reading.clear()
            for _ in range(10):
                house.hub.publish_ephemeral(ACCOUNT, "all", b'{"type":"typing","who":"somebody"}')
                await asyncio.sleep(0.01)
            client.reading.set()
            assert house.hub.stats.dropped_ephemeral == 6
            await client.gets("typing", 4)

    in_virtual_time(story())


def test_a_thousand_sockets_share_the_bytes_of_a_burst() -> None:
    async def story() -> None:
        async with world(heartbeat=3600.0) as house:
            clients = [await house.arrives("all", f"user:{n}") for n in range(1000)]
            house.publish(*["all"] * 1000)
            await until(lambda: all(b"e1:1000" in client.received[-1] for client in clients), "the burst")
            assert clients[0].seqs() == list(range(1, 1001))
            for client in clients:
                assert len(client.received) == len(clients[0].received)
                assert all(a is b for a, b in zip(client.received[1:], clients[0].received[1:], strict=True))
            assert len(clients[0].received) <= 3  # the welcome and at most two arrays

    in_virtual_time(story())


def test_a_burst_in_pieces_gathers_while_an_earlier_flush_is_being_written() -> None:
    class Costly(Client):
        async def send(self, data: bytes) -> None:
            spend(0.001)
            await super().send(data)

    async def story() -> None:
        async with world() as house:
            clients = [Costly().open(house.hub, "all").says("resume", cursor=None) for _ in range(10)]
            await until(lambda: all(client.frames("welcome") for client in clients))
            for _ in range(200):
                house.publish("all")
            await until(lambda: all(len(client.seqs()) == 200 for client in clients))
            assert all(len(client.received) <= 4 for client in clients)

    in_virtual_time(story())


def test_sockets_with_a_write_in_flight_share_what_gathered_meanwhile() -> None:
    async def story() -> None:
        async with world() as house:
            clients = [await house.arrives("all") for _ in range(50)]
            for client in clients:
                client.reading.clear()
            for _ in range(20):
                house.publish("all")
                await asyncio.sleep(0.01)
            for client in clients:
                client.reading.set()
            await until(lambda: all(len(client.seqs()) == 20 for client in clients))
            assert [len(json.loads(data)) for data in clients[0].received] == [1, 1, 19]
            assert len({id(client.received[-1]) for client in clients}) == 1

    in_virtual_time(story())


def test_the_first_event_after_a_pause_leaves_at_once_and_the_next_ones_gather() -> None:
    async def story() -> None:
        async with world(gather=5.0) as house:
            client = await house.arrives("all")
            began = asyncio.get_running_loop().time()
            house.publish("all")
            await client.gets("event")
            assert asyncio.get_running_loop().time() - began < 0.01
            house.publish("all")
            await asyncio.sleep(1)
            house.publish("all")
            await client.gets("event", 3)
            assert [len(json.loads(data)) for data in client.received] == [1, 1, 2]

    in_virtual_time(story())


def test_a_slow_consumer_is_closed_with_its_code_resumes_and_nobody_else_waits() -> None:
    async def story() -> None:
        async with world(max_queue_bytes=2000, heartbeat=3600.0) as house:
            slow, quick = await house.arrives("all"), await house.arrives("all")
            slow.reading.clear()
            for n in range(100):
                house.publish("all")
                await quick.gets("event", n + 1)
            assert asyncio.get_running_loop().time() < 1
            await slow.ended()
            assert slow.closed == (protocol.SLOW_CONSUMER, "slow_consumer")
            assert house.hub.stats.dropped_slow == 1
            again = await house.arrives("all", cursor="e1:0")
            await again.gets("event", 100)
            assert again.seqs() == quick.seqs() == list(range(1, 101))

    in_virtual_time(story())


def test_a_slow_consumer_that_reads_again_hears_why_it_was_closed() -> None:
    async def story() -> None:
        async with world(max_queue_bytes=200) as house:
            client = await house.arrives("all")
            client.reading.clear()
            for _ in range(10):
                house.publish("all")
                await asyncio.sleep(0.01)
            client.reading.set()
            await client.ended()
            bye = client.frames("bye")[0]
            assert bye["reason"] == "slow_consumer"
            assert 1000 <= bye["retry_after_ms"] <= 5000

    in_virtual_time(story())


def test_a_socket_that_takes_nothing_is_closed_even_if_little_waits_for_it() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            client.reading.clear()
            house.publish("all")
            while client.closed is None:
                client.says("ping")
                await asyncio.sleep(5)
            assert client.closed[0] == protocol.SLOW_CONSUMER

    in_virtual_time(story())


def test_a_client_that_is_never_heard_of_is_closed_after_two_and_a_half_heartbeats() -> None:
    async def story() -> None:
        async with world() as house:
            silent, talking = await house.arrives("all"), await house.arrives("all")
            while silent.closed is None:
                talking.says("ping")
                await asyncio.sleep(1)
            assert silent.closed == (protocol.WENT_SILENT, "went_silent")
            assert 37.5 <= asyncio.get_running_loop().time() <= 43
            assert talking.closed is None

    in_virtual_time(story())


def test_a_client_that_does_not_resume_is_closed_after_ten_seconds() -> None:
    async def story() -> None:
        async with world() as house:
            client = Client().open(house.hub, "all").says("ping")
            await client.ended()
            assert client.closed == (protocol.WENT_SILENT, "no_resume")
            assert 10 <= asyncio.get_running_loop().time() < 11

    in_virtual_time(story())


@pytest.mark.parametrize(
    "raw", ["hello", b"\xff", '{"type":"dance"}', " " * 5000, '{"type":"resume","cursor":null}']
)
def test_a_bad_frame_closes_with_its_code(raw: bytes | str) -> None:
    async def story() -> None:
        async with world() as house:
            client = (await house.arrives("all")).sends(raw)
            await client.ended()
            assert client.closed is not None
            assert client.closed[0] == protocol.BAD_FRAME
            assert client.frames("bye")[0]["retry_after_ms"] is None

    in_virtual_time(story())


def test_too_many_frames_close_with_their_code() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            for _ in range(60):
                client.says("ping")
            await client.ended()
            assert client.closed == (protocol.TOO_MANY_FRAMES, "too_many_frames")

    in_virtual_time(story())


def test_revoking_closes_who_matches_and_nothing_that_waits_is_sent() -> None:
    async def story() -> None:
        async with world() as house:
            eve, bob = await house.arrives("all", user="eve"), await house.arrives("all", user="bob")
            eve.reading.clear()
            house.publish("all")
            await bob.gets("event")
            house.publish("all")
            await bob.gets("event", 2)
            assert house.hub.revoke(lambda connection: connection.user == "eve") == 1
            eve.reading.set()
            await eve.ended()
            house.publish("all")
            await bob.gets("event", 3)
            assert eve.closed == (protocol.FORBIDDEN, "forbidden")
            assert eve.seqs() == []
            assert eve.frames("bye") == [{"type": "bye", "reason": "forbidden", "retry_after_ms": None}]

    in_virtual_time(story())


def test_draining_says_when_to_come_back_and_ends_even_with_a_stuck_client() -> None:
    async def story() -> None:
        async with world() as house:
            clients = [await house.arrives("all") for _ in range(20)]
            clients[0].reading.clear()
            house.publish("all")
            began = asyncio.get_running_loop().time()
            await house.hub.drain(spread=4)
            assert asyncio.get_running_loop().time() - began <= 2
            assert {client.closed for client in clients} == {(protocol.RESTART, "restart")}
            delays = [client.frames("bye")[0]["retry_after_ms"] for client in clients[1:]]
            assert all(0 <= delay <= 4000 for delay in delays)
            assert len(set(delays)) > 5
            late = Client().open(house.hub, "all")
            await late.ended()
            assert late.closed == (protocol.RESTART, "restart")
            assert house.hub.stats.open == 0

    in_virtual_time(story())


def test_a_log_that_cannot_be_read_sends_a_new_client_away_for_a_moment() -> None:
    async def story() -> None:
        async with world() as house:
            house.truth.failures = 1
            client = Client().open(house.hub, "all").says("resume", cursor=None)
            await client.ended()
            assert client.closed == (protocol.TRY_AGAIN_LATER, "unavailable")
            assert client.frames("bye")[0]["retry_after_ms"] >= 1000
            await house.arrives("all")

    in_virtual_time(story())


def test_a_client_that_leaves_ends_its_run_and_its_log_is_no_longer_followed() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            await client.leaves()
            reads = house.truth.reads
            house.publish("all")
            house.truth.commit("all")
            house.publish("all")
            await asyncio.sleep(60)
            assert client.closed is None
            assert house.truth.reads == reads
            assert house.hub.stats.events_in == 0
            assert house.hub.stats.logs == 0

    in_virtual_time(story())


def test_a_socket_that_breaks_while_it_is_written_to_ends_its_run() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            client.closed = (1006, "the cable was pulled")
            house.publish("all")
            await client.ended()
            assert house.hub.stats.open == 0

    in_virtual_time(story())


def test_a_failing_listener_closes_its_connection_and_is_heard() -> None:
    async def story() -> None:
        async with world() as house:
            client = (await house.arrives("all")).says("watch", conversation_id="broken")
            with pytest.raises(LookupError):
                await client.ended()
            assert client.closed == (protocol.INTERNAL_ERROR, "error")
            assert house.hub.stats.open == 0

    in_virtual_time(story())


def test_a_run_that_is_cancelled_closes_its_socket() -> None:
    async def story() -> None:
        async with world() as house:
            client = await house.arrives("all")
            assert client.task is not None
            client.task.cancel()
            await asyncio.wait({client.task})
            assert client.task.cancelled()
            assert client.closed == (protocol.RESTART, "restart")
            assert house.hub.stats.open == 0

    in_virtual_time(story())
