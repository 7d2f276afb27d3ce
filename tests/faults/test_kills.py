"""Processes die in the worst places: nothing acknowledged is lost, nothing happens twice."""

import asyncio
import json
import random
import signal
import time

import httpx
import pytest
from installation import until
from rig import LONG, SEND_LEASE, Provider, Rig
from world import World

SEED = random.Random(time.time_ns()).randrange(10_000)

INTAKE = ["ev.inserted", "ev.before_commit", "ev.after_commit"]
RELAY = ["relay.selected", "relay.after_xadd", "relay.cursor"]
ACCEPT = ["in.recv", "in.before_commit", "in.after_commit"]
SENDING = ["out.leased", "out.before_call", "out.after_call", "out.before_commit", "out.after_commit"]


def some(points: list[str], *short: str) -> list[str]:
    return points if LONG else list(short)


@pytest.mark.parametrize("point", some(INTAKE, "ev.before_commit"))
async def test_a_worker_killed_at_intake_leaves_its_message_to_the_next(
    rig: Rig, world: World, point: str
) -> None:
    await rig.stop("worker")
    provider = Provider(world, SEED)
    await rig.start("worker", f"{point}=kill@2")
    await provider.sends(5)
    await rig.dies("worker")
    await rig.start("worker")
    await world.quiet()
    await provider.all_arrived()
    await world.olga.sees(provider.sent[-1])


async def test_a_message_accepted_while_no_worker_lives_waits_for_one(rig: Rig, world: World) -> None:
    await rig.kill("worker")
    provider = Provider(world, SEED)
    await provider.sends(5)
    await rig.start("worker")
    for text in provider.sent:
        await world.olga.sees(text, seconds=20)


@pytest.mark.parametrize("point", some(RELAY, "relay.after_xadd"))
async def test_a_relay_killed_around_publishing_repeats_and_skips_nothing(
    rig: Rig, world: World, point: str
) -> None:
    await rig.stop("worker")
    await rig.start("worker", f"{point}=kill@2")
    provider = Provider(world, SEED)
    await provider.sends(8)
    await rig.dies("worker")
    await rig.start("worker")
    for text in provider.sent:
        await world.olga.sees(text, seconds=20)
    await world.quiet()
    await provider.all_arrived()


@pytest.mark.parametrize("point", some(ACCEPT, "in.after_commit"))
async def test_a_provider_that_got_no_answer_sends_again_and_is_shown_once(
    rig: Rig, world: World, point: str
) -> None:
    await rig.stop("web")
    await rig.start("web", f"{point}=kill@1")
    body = json.dumps(world.bot.event("once", "once-1")).encode()
    with pytest.raises(httpx.HTTPError):
        await world.bot.post(body, world.bot.proof(body))
    await rig.dies("web")
    await rig.start("web")
    await world.bot.says(body)
    await world.olga.look_at_the_inbox()
    await world.quiet()
    shown = await world.rows("select id from messages where account_id = $1 and body = 'once'")
    assert len(shown) == 1


@pytest.mark.parametrize("point", some(SENDING, "out.after_call"))
@pytest.mark.parametrize("via", ["bot", "telegram"] if LONG else ["telegram"])
async def test_a_worker_killed_while_sending_never_sends_twice(
    rig: Rig, world: World, point: str, via: str
) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via=via)
    await world.olga.sees("hi")
    await world.quiet()
    await rig.stop("worker")
    await rig.start("worker", f"{point}=kill@1")
    await world.olga.answers("hello")
    await rig.dies("worker")
    await rig.start("worker")

    async def settled() -> bool:
        rows = await world.rows("select state from messages where account_id = $1 and kind = 'outbound'")
        return all(row["state"] not in ("queued", "sending") for row in rows)

    await until(settled, SEND_LEASE + 20, "the reply's end")
    await world.quiet()
    taken = [text for text in await ines.received(via) if text == "hello"]
    (row,) = await world.rows("select state from messages where account_id = $1 and kind = 'outbound'")
    assert len(taken) <= 1
    if row["state"] in ("sent", "delivered", "read"):
        assert taken == ["hello"]
    else:
        assert row["state"] == "unknown"
        assert via == "telegram"  # a bot drops repeats, so it is simply sent again


async def test_a_worker_stopped_longer_than_its_lease_cannot_speak_for_the_message_any_more(
    rig: Rig, world: World
) -> None:
    ines = world.customer("Inés")
    await ines.writes("hi", via="telegram")
    await world.olga.sees("hi")
    await world.quiet()
    await rig.stop("worker")
    await rig.start("worker", "out.after_call=stop@1")
    await world.olga.answers("hello")
    await ines.reads("hello", seconds=20)  # the call has been made, its answer not been written down
    await rig.start("worker-2")
    message = await world.olga.screen.message("hello", state="unknown", seconds=SEND_LEASE + 20)
    rig.signal("worker", signal.SIGCONT)
    # What the first worker knows is a fact, and replaces ignorance; it sends nothing.
    await world.olga.screen.state(message["id"], "sent", seconds=20)
    await rig.stop("worker-2")
    assert (await ines.received()).count("hello") == 1


async def test_postgres_killed_under_load_costs_refusals_and_no_message(rig: Rig, world: World) -> None:
    provider = Provider(world, SEED)
    load = asyncio.create_task(provider.sends(300 if LONG else 80, at_once=8, pace=0.01))
    await until(lambda: len(provider.acked) > 15, 20, "some load")
    rig.signal("postgres", signal.SIGKILL)
    await until(lambda: provider.refusals or provider.unanswered, 20, "a refusal")
    await rig.kill("postgres")
    await rig.start_postgres()
    await load
    assert provider.refusals
    await world.olga.look_at_the_inbox()
    await world.diego.look_at_the_inbox()
    await world.quiet()
    await provider.all_arrived()
