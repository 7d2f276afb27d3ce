"""The ledger: what arrived, what could not be processed, and every attempt to send."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import get, post
from litestar.params import Parameter, QueryParameter
from msgspec import Struct

from inbox.access import Scope
from inbox.actions import letters as letter_actions
from inbox.api.services import Services
from inbox.errors import NotFound
from inbox.records import deliveries, letters, raw_events
from inbox.records.deliveries import AttemptView
from inbox.records.letters import LetterView
from inbox.records.raw_events import Arrival, RawView

Limit = Annotated[int, Parameter(ge=1, le=100)]
# `state` is a word of the framework; on the wire it keeps its name.
RawState = Literal["pending", "processed", "duplicate", "dead"]
Outcome = Literal["started", "sent", "retryable", "permanent", "unknown"]


class LetterPage(Struct, frozen=True):
    items: list[LetterView]
    next_cursor: UUID | None
    open: int


class RawPage(Struct, frozen=True):
    items: list[RawView]
    next_cursor: UUID | None


class AttemptPage(Struct, frozen=True):
    items: list[AttemptView]
    next_cursor: UUID | None


class RawText(Struct, frozen=True):
    """A raw event. Bytes that are not UTF-8 are shown as replacement characters; the bytes are kept."""

    headers: dict[str, str]
    body_text: str
    size: int


@get("/api/v1/letters", operation_id="ListLetters")
async def list_letters(
    services: Services, who: Scope, cursor: UUID | None = None, limit: Limit = 50
) -> LetterPage:
    """What could not be processed, newest first."""
    async with services.store.read(who.account_id) as tx:
        items = await letters.page(tx, cursor, limit)
        return LetterPage(items, items[-1].id if len(items) == limit else None, await letters.open_count(tx))


@post("/api/v1/letters/{letter_id:uuid}/replay", operation_id="ReplayLetter", status_code=200)
async def replay_letter(services: Services, who: Scope, letter_id: UUID) -> LetterView:
    """Try it once more."""
    raw_id = await letter_actions.replay(services.store, who, letter_id)
    async with services.store.read(who.account_id) as tx:
        found = await letters.view(tx, letter_id)
        raw = await raw_events.hold(tx, raw_id) if raw_id else None
    if raw is not None:
        await services.acceptor.announce([Arrival(raw.account_id, raw.id, raw.channel_id, "{}", b"")])
    assert found is not None
    return found


@post("/api/v1/letters/{letter_id:uuid}/discard", operation_id="DiscardLetter", status_code=200)
async def discard_letter(services: Services, who: Scope, letter_id: UUID) -> LetterView:
    """Put it aside."""
    await letter_actions.discard(services.store, who, letter_id)
    async with services.store.read(who.account_id) as tx:
        found = await letters.view(tx, letter_id)
    assert found is not None
    return found


@get("/api/v1/raw-events", operation_id="ListRawEvents")
async def list_raw_events(
    services: Services, who: Scope, channel: UUID | None = None,
    status: Annotated[RawState | None, QueryParameter(name="state")] = None, cursor: UUID | None = None,
    limit: Limit = 50,
) -> RawPage:  # fmt: skip
    """Everything that arrived, newest first."""
    who.require_admin()
    async with services.store.read(who.account_id) as tx:
        items = await raw_events.page(tx, channel_id=channel, state=status, before=cursor, limit=limit)
    return RawPage(items, items[-1].id if len(items) == limit else None)


@get("/api/v1/raw-events/{raw_id:uuid}", operation_id="GetRawEvent")
async def get_raw_event(services: Services, who: Scope, raw_id: UUID) -> RawText:
    """One arrival as it came, the first 64 KB of it."""
    who.require_admin()
    async with services.store.read(who.account_id) as tx:
        found = await raw_events.detail(tx, raw_id)
    if found is None:
        raise NotFound("This event is older than its retention and was deleted.")
    return RawText(found.headers, found.body[:65536].decode("utf-8", "replace"), len(found.body))


@get("/api/v1/deliveries", operation_id="ListDeliveries")
async def list_deliveries(
    services: Services, who: Scope,
    outcome: Annotated[Outcome | None, QueryParameter(name="state")] = None,
    cursor: UUID | None = None, limit: Limit = 50,
) -> AttemptPage:  # fmt: skip
    """Every attempt to hand a message to a provider, newest first."""
    who.require_admin()
    async with services.store.read(who.account_id) as tx:
        items = await deliveries.attempts(tx, outcome, cursor, limit)
    return AttemptPage(items, items[-1].id if len(items) == limit else None)
