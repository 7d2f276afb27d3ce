"""One rig for the fault tests of a session; each test gets it whole, with an account of its own."""

from collections.abc import AsyncIterator

import pytest
from installation import until
from rig import Rig, rigged
from world import World

from inbox.crypto import Passwords
from inbox.streams import intake_stream, work_stream

# Work under way of an account ($1), by kind.
BUSY = """
    select (select count(*) from raw_events where account_id = $1 and state = 'pending') as arrivals,
           (select count(*) from messages where account_id = $1 and kind = 'outbound'
             and state in ('queued', 'sending')) as sends,
           (select count(*) from jobs where account_id = $1 and state = 'waiting'
             and due_at <= now() + interval '1 s') as jobs,
           (select count(*) from conversations where account_id = $1 and assignee_id is null
             and status in ('open', 'pending') and routed_version is null) as unrouted,
           (select abs(a.seq - c.seq) from accounts a join relay_cursors c using (account_id)
             where a.account_id = $1) as unpublished
"""
HEALED = 45.0  # seconds within which everything must have been made up for, on a busy machine


class ShakenWorld(World):
    """A world in which processes die. What a dead one had taken stays pending for its successors to find
    done, so it is quiet when nothing is left to be done and nothing to be read."""

    async def quiet(self) -> None:
        await until(self._calm, HEALED, "quiet")

    async def _calm(self) -> bool:
        for _ in range(2):  # what was read last may have made new work since the first look
            (busy,) = await self.rows(BUSY)
            if any(busy.values()) or not await self._all_read():
                return False
        return True

    async def _all_read(self) -> bool:
        for stream in (intake_stream(0), work_stream(0)):
            newest = await self.installation.redis.xrevrange(stream, count=1)
            for group in await self.installation.redis.xinfo_groups(stream) if newest else ():
                if group["last-delivered-id"] != newest[0][0]:
                    return False
        return True


@pytest.fixture(scope="session")
async def standing_rig() -> AsyncIterator[Rig]:
    async with rigged() as rig:
        yield rig


@pytest.fixture
async def rig(standing_rig: Rig) -> Rig:
    await standing_rig.whole()
    return standing_rig


@pytest.fixture
async def world(rig: Rig, passwords: Passwords) -> AsyncIterator[World]:
    """A fresh account. When the story is over, everything runs again and the oracles are asked."""
    found = ShakenWorld(rig)  # type: ignore[arg-type]
    try:
        await found.found(passwords)
        await found.connect()
        yield found
        await rig.whole()
        await found.quiet()
        assert not (broken := await found.broken()), "\n".join(broken)
    finally:
        await rig.whole()
        await rig.control("DELETE", "/weather")
        await found.close()
