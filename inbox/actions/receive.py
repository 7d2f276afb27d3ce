"""Receive: one raw event becomes messages, in one transaction.

The raw event's row is held from the first statement, so an event is processed once however many workers
are told of it. All elements of a batch are applied together; when one of them cannot be, each is tried by
itself and what fails becomes a dead letter, so that it never takes the rest of its batch with it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import structlog

from channels.base import InboundEvent, Unreadable
from inbox import events, telemetry
from inbox.actions import inbound
from inbox.db import CONNECTION_ERRORS, RETRY_ERRORS
from inbox.errors import ProblemError
from inbox.failpoints import failpoint
from inbox.outbox import Store, Work
from inbox.records import channels, intake, letters, raw_events
from inbox.records.channels import Channel

log = structlog.get_logger()

Parse = Callable[[Channel, bytes, datetime], Sequence[InboundEvent]]
Outcome = Literal["processed", "duplicate", "dead", "skipped"]

_TRANSIENT = (*CONNECTION_ERRORS, *RETRY_ERRORS)


class _Rejected(Exception):
    """An element could not be applied together with the others."""


async def receive(store: Store, account_id: UUID, raw_id: UUID, parse: Parse) -> Outcome:
    """Process an accepted event; "skipped" when it was processed before.

    Raises what the database raises when it is away; then nothing has changed.
    """
    try:
        return await _receive(store, account_id, raw_id, parse, one_by_one=False)
    except _Rejected:
        return await _receive(store, account_id, raw_id, parse, one_by_one=True)


async def _receive(
    store: Store, account_id: UUID, raw_id: UUID, parse: Parse, *, one_by_one: bool
) -> Outcome:
    async with store.write(account_id) as work:
        raw = await intake.hold(work, raw_id)
        if raw is None or raw.state != "pending":
            return "skipped"
        if raw.channel is None:
            await _bury(
                work, raw, None, "unknown channel", "The channel was deleted before this was processed."
            )
            return "dead"
        channel = Channel(**raw.channel)
        across = bool(raw.account_settings.get("continue_across_channels", True))
        elements = parse(channel, raw.body, raw.received_at)
        changed, failed = 0, ""
        for element in elements:
            if isinstance(element, Unreadable):
                failed = failed or element.reason
                await _bury(work, raw, channel, element.reason, element.detail)
            elif one_by_one:
                applied, problem = await _apply_alone(work, channel, element, raw.received_at, across)
                changed += applied
                if problem:
                    failed = failed or problem[0]
                    await _bury(work, raw, channel, *problem)
            else:
                changed += await _apply(work, channel, element, raw.received_at, across)
        failpoint("ev.inserted")
        if raw.has_letters and not failed:
            await letters.close_of(work, raw_id)
        if not raw.channel_noted:
            await channels.note_inbound(work, channel.id)
        outcome: Outcome = "dead" if failed else "processed" if changed or not elements else "duplicate"
        await raw_events.settle(work, raw_id, outcome, failed or None)
        failpoint("ev.before_commit")
    failpoint("ev.after_commit")
    telemetry.intake.labels(outcome).inc()
    return outcome


async def _apply(
    work: Work, channel: Channel, element: InboundEvent, received_at: datetime, across: bool
) -> bool:
    try:
        return await inbound.apply(work, channel, element, received_at, across_channels=across)
    except _TRANSIENT:
        raise
    except (asyncpg.PostgresError, inbound.DuplicateError, ProblemError, ValueError, TypeError) as error:
        raise _Rejected from error


async def _apply_alone(
    work: Work, channel: Channel, element: InboundEvent, received_at: datetime, across: bool
) -> tuple[bool, tuple[str, str] | None]:
    """Apply an element under a savepoint: whether it changed anything, and the reason and detail when it
    could not be applied."""
    mark = work.mark()
    try:
        async with work.savepoint():
            return await inbound.apply(work, channel, element, received_at, across_channels=across), None
    except _TRANSIENT:
        raise
    except inbound.DuplicateError:
        work.forget(mark)
        return False, None
    except (asyncpg.PostgresError, ProblemError, ValueError, TypeError) as error:
        work.forget(mark)
        log.warning("intake.rejected", channel=str(channel.id), error=type(error).__name__)
        return False, ("could not be stored", f"{type(error).__name__}: {error}")


async def _bury(work: Work, raw: intake.Held, channel: Channel | None, reason: str, detail: str) -> None:
    letter_id = await letters.write(
        work, "intake", reason, detail, raw_event_id=raw.id, channel_id=channel.id if channel else None
    )
    telemetry.dead_letters.labels("intake").inc()
    open_letters = await letters.open_count(work)
    work.record(events.IntakeFailed(letter_id, channel.id if channel else None, reason, open_letters))
    if channel is None:
        await raw_events.settle(work, raw.id, "dead", reason)


async def give_up(store: Store, account_id: UUID, raw_id: UUID, reason: str) -> None:
    """Five workers failed on it: keep it as a dead letter and go on."""
    async with store.write(account_id) as work:
        raw = await intake.hold(work, raw_id)
        if raw is None or raw.state != "pending":
            return
        channel = Channel(**raw.channel) if raw.channel is not None else None
        await _bury(work, raw, channel, "processing failed", reason)
        await raw_events.settle(work, raw_id, "dead", "processing failed")
