"""I8: whatever happens between them, a client's events are contiguous, or it was told to start over."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from realtime_world import Client, Truth, World, in_virtual_time, until, world

from realtime.hub import Hub
from realtime.protocol import Cursor

TOPICS = ("all", "team")
SEES = (("all", "team"), ("all",), ("team",))


class Agent(Client):
    """Believes nothing: checks every frame against the history that the log really had."""

    def __init__(self, truth: Truth, topics: tuple[str, ...], cursor: str | None) -> None:
        super().__init__()
        self.truth = truth
        self.topics = topics
        self.resumed_with = cursor
        self.at: Cursor | None = None

    def on_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "bye":
            return
        cursor = Cursor.decode(frame["cursor"])
        assert cursor is not None
        if frame["type"] == "welcome":
            assert not frame["resumed"] or frame["cursor"] == self.resumed_with
            self.at = cursor
        elif frame["type"] == "reset":
            self.at = cursor
        else:
            self._advance(frame, cursor)

    def _advance(self, frame: dict[str, Any], cursor: Cursor) -> None:
        assert self.at is not None, f"{frame} before a greeting"
        assert cursor.epoch == self.at.epoch, f"{frame} after {self.at}, without a reset"
        history = self.truth.histories[cursor.epoch]
        skipped_until = cursor.seq
        if frame["type"] == "event":
            assert cursor.seq > self.at.seq, f"{frame} again, or late, after {self.at}"
            assert frame["body"] == history[cursor.seq - 1].body
            skipped_until -= 1
        assert cursor.seq >= self.at.seq, f"{frame} after {self.at}"
        missed = [e for e in history[self.at.seq : skipped_until] if e.topic in self.topics]
        assert not missed, f"{frame} after {self.at} skips {missed}"
        self.at = cursor


class Scenario:
    """Three agents and the weather."""

    def __init__(self, house: World) -> None:
        self.house = house
        self.agents: list[Agent | None] = [None, None, None]
        self.cursors: list[str | None] = [None, None, None]
        self.held: list[Any] = []

    async def step(self, name: str, number: int, choice: int) -> None:
        await getattr(self, name)(number, choice)

    async def publish(self, number: int, choice: int) -> None:
        self.house.publish(*[TOPICS[(choice + i) % 2] for i in range(number)])

    async def publish_and_lose(self, number: int, choice: int) -> None:
        self.house.truth.commit(*[TOPICS[(choice + i) % 2] for i in range(number)])

    async def publish_late(self, number: int, choice: int) -> None:
        self.held.append(self.house.truth.commit(*[TOPICS[choice % 2]] * number))

    async def deliver_late(self, number: int, choice: int) -> None:
        """Held back entries arrive in any order, some of them twice."""
        if self.held:
            entries = self.held[choice % len(self.held)]
            self.house.wire.put(entries[::-1] if number % 2 else entries)
            if number % 3:
                self.held.remove(entries)

    async def source_fails(self, number: int, choice: int) -> None:
        self.house.wire.put(ConnectionError("the source is away"))

    async def log_fails(self, number: int, choice: int) -> None:
        self.house.truth.failures = number

    async def prune(self, number: int, choice: int) -> None:
        self.house.truth.prune(len(self.house.truth.events) - number)

    async def restore(self, number: int, choice: int) -> None:
        self.house.truth.restore(max(0, len(self.house.truth.events) - number))

    async def arrive(self, number: int, choice: int) -> None:
        await self.leave(number, choice)
        self._open(choice % 3, self.cursors[choice % 3])

    async def arrive_with_a_lie(self, number: int, choice: int) -> None:
        await self.leave(number, choice)
        truth = self.house.truth
        lies = ("", "e1:-1", "e9:1", Cursor(truth.epoch, len(truth.events) + number).encode())
        self._open(choice % 3, lies[number % 4])

    async def leave(self, number: int, choice: int) -> None:
        agent = self.agents[choice % 3]
        if agent is not None:
            agent.reading.set()
            await agent.leaves()
            self._remember(choice % 3)

    async def stop_reading(self, number: int, choice: int) -> None:
        if (agent := self.agents[choice % 3]) is not None:
            agent.reading.clear()

    async def read_again(self, number: int, choice: int) -> None:
        if (agent := self.agents[choice % 3]) is not None:
            agent.reading.set()

    async def pass_turns(self, number: int, choice: int) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    async def pass_time(self, number: int, choice: int) -> None:
        await asyncio.sleep(number)

    def _open(self, who: int, cursor: str | None) -> None:
        agent = Agent(self.house.truth, SEES[who], cursor)
        agent.open(self.house.hub, *SEES[who]).says("resume", cursor=cursor)
        self.agents[who] = agent

    def _remember(self, who: int) -> None:
        agent, self.agents[who] = self.agents[who], None
        if agent is not None and agent.at is not None:
            self.cursors[who] = agent.at.encode()

    async def settle(self) -> None:
        """The weather clears: in the end everybody is where the log is."""
        self.house.truth.failures = 0
        for who in range(3):
            agent = self.agents[who]
            if agent is not None:
                agent.reading.set()
            if agent is None or agent.closed or agent.task is None or agent.task.done():
                await self.leave(1, who)
                self._open(who, self.cursors[who])
        await until(self._everybody_is_at_the_head, f"{[a and a.at for a in self.agents]} at the head")

    def _everybody_is_at_the_head(self) -> bool:
        for who, agent in enumerate(self.agents):
            assert agent is not None
            if agent.task is not None and agent.task.done():  # a close that was decided before it cleared
                agent.task.result()
                self._remember(who)
                self._open(who, self.cursors[who])
        head = Cursor(self.house.truth.stored_epoch, len(self.house.truth.events))
        return all(agent is not None and agent.at == head for agent in self.agents)


OFTEN = ("publish", "publish", "publish_and_lose", "arrive", "arrive", "pass_turns", "stop_reading")
SOMETIMES = ("publish_late", "deliver_late", "leave", "read_again", "pass_time", "source_fails", "log_fails")
SELDOM = ("prune", "restore", "arrive_with_a_lie")
steps_of_a_story = st.lists(
    st.tuples(st.sampled_from(OFTEN + SOMETIMES + SELDOM), st.integers(1, 9), st.integers(0, 5)),
    min_size=10,
    max_size=50,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=steps_of_a_story,
    pauses=st.lists(st.integers(0, 4), min_size=1, max_size=7),
)
def test_every_client_sees_a_contiguous_log_or_is_told_to_start_over(
    steps: list[tuple[str, int, int]], pauses: list[int]
) -> None:
    async def story() -> Hub:
        async with world(Truth(pauses), replay_batch=3, resume_limit=20, max_queue_bytes=500) as house:
            scenario = Scenario(house)
            for who in range(3):
                scenario._open(who, None)
            for step in steps:
                await scenario.step(*step)
            await scenario.settle()
            for who in range(3):
                await scenario.leave(1, who)
            return house.hub

    stats = in_virtual_time(story()).stats
    assert stats.open == 0
    for name in ("resumed", "reset", "dropped_slow", "gaps_healed", "duplicates", "log_failures"):
        if getattr(stats, name):
            event(name)
