"""Who gets a conversation, why, and what happens while nobody is there."""

from world import World


async def test_a_new_conversation_goes_to_whoever_has_least_with_reasons(world: World) -> None:
    for name in ("Ada", "Ben"):
        await world.customer(name).writes(f"from {name}")
        seen = await world.olga.sees(f"from {name}")
        await world.quiet()
        await world.olga.changes(seen["conversation_id"], assignee_id=world.olga.id)
    await world.customer("Inés").writes("hi")
    seen = await world.olga.sees("hi")
    await world.olga.screen.until(
        lambda: world.olga.screen.conversations[seen["conversation_id"]].get("assignee_id") == world.diego.id,
        what="diego's name",
    )
    decisions = await world.olga.get(f"/api/v1/conversations/{seen['conversation_id']}/decisions")
    (decision,) = decisions["items"]
    assert (decision["outcome"], decision["agent_id"], decision["applied"]) == (
        "assign",
        world.diego.id,
        True,
    )
    assert {c["name"] for c in decision["candidates"]} == {"Olga Petrova", "Diego Ramos"}
    assert "has 2 of 20" in next(c["detail"] for c in decision["candidates"] if c["name"] == "Olga Petrova")
    assert decision["words"]
    page = await world.olga.get(f"/api/v1/conversations/{seen['conversation_id']}/messages")
    lines = [m["activity"] for m in page["items"] if m["kind"] == "activity"]
    assert lines == [{"what": "routed", "agent": "Diego Ramos", "why": decision["words"]}]


async def test_conversations_that_arrive_together_are_spread(world: World) -> None:
    await world.bot.says([world.bot.event(f"line {n}", f"m{n}", who=f"p{n}") for n in range(6)])
    await world.olga.sees("line 5")
    await world.quiet()
    owners = [c["assignee_id"] for c in await world.olga.conversations()]
    assert sorted(owners.count(agent.id) for agent in (world.olga, world.diego)) == [3, 3]


async def test_with_nobody_there_it_waits_until_somebody_comes(world: World) -> None:
    for agent in (world.olga, world.diego):
        await agent.does("PATCH", "/api/v1/me", {"availability": "offline"})
    await world.customer("Inés").writes("is anybody there?")
    seen = await world.olga.sees("is anybody there?")
    await world.quiet()
    conversation = await world.olga.conversation(seen)
    assert "assignee_id" not in conversation
    decisions = await world.olga.get(f"/api/v1/conversations/{seen['conversation_id']}/decisions")
    assert [d["outcome"] for d in decisions["items"]] == ["queue"]
    assert {c["removed_by"] for c in decisions["items"][0]["candidates"]} == {"availability"}
    await world.diego.does("PATCH", "/api/v1/me", {"availability": "available"})
    told = await world.olga.screen.event("conversation.assigned")
    assert told["conversation"]["assignee_id"] == world.diego.id


async def test_somebody_who_is_not_on_shift_gets_nothing(world: World) -> None:
    never = {"schedule": []}
    await world.olga.does("PATCH", f"/api/v1/agents/{world.diego.id}", never)
    await world.bot.says([world.bot.event(f"line {n}", f"m{n}", who=f"p{n}") for n in range(3)])
    await world.olga.sees("line 2")
    await world.quiet()
    assert {c["assignee_id"] for c in await world.olga.conversations()} == {world.olga.id}


async def test_the_most_urgent_of_those_who_wait_is_taken_first(world: World) -> None:
    for agent in (world.olga, world.diego):
        await agent.does("PATCH", "/api/v1/me", {"availability": "offline"})
    await world.bot.says([world.bot.event(f"line {n}", f"m{n}", who=f"p{n}") for n in range(3)])
    last = await world.olga.sees("line 2")
    await world.quiet()
    await world.olga.changes(last["conversation_id"], priority="urgent")
    await world.quiet()
    seen_so_far = len(world.olga.screen.events)
    await world.diego.does("PATCH", "/api/v1/me", {"availability": "available"})
    await world.quiet()
    taken = [e["data"]["conversation"]["id"] for e in world.olga.screen.events[seen_so_far:]
             if e["type"] == "conversation.assigned"]  # fmt: skip
    assert len(taken) == 3
    assert taken[0] == last["conversation_id"]
