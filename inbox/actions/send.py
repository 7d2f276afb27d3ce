"""Send: hand a queued message to its provider, and record what became of it.

Three steps, each its own short transaction, so that no database connection waits for a provider:
claim (queued -> sending, with a lease and a token), call, settle. Whoever lost the lease meanwhile cannot
settle. An answer that never came is `unknown`, shown as such and never sent twice by itself.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from channels.base import (
    Adapter,
    ChannelConfig,
    Http,
    MediaKind,
    Moved,
    OutboundPart,
    OutcomeUnknown,
    Permanent,
    Retryable,
    SendError,
)
from channels.richtext import Mark, RichText
from inbox import events, telemetry
from inbox.actions import inbound
from inbox.adapters import Adapters
from inbox.blobs import Blobs
from inbox.crypto import Signer
from inbox.db import RETRY_ERRORS
from inbox.errors import ConfigurationError
from inbox.failpoints import failpoint
from inbox.outbox import Store, Work
from inbox.records import attachments, channels, conversations, deliveries, effects, messages
from inbox.records.channels import Channel
from inbox.records.deliveries import Claimed

log = structlog.get_logger()

_BACKOFF_BASE, _BACKOFF_CAP = 2.0, 300.0


def backoff(attempt: int, chance: float) -> float:
    """Seconds to wait after the n-th failed attempt: full jitter, never less than one second."""
    return 1.0 + chance * min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0 ** min(attempt - 1, 20))


class Outgoing(Struct, frozen=True):
    """channels.base.OutboundFile over the blob store."""

    kind: MediaKind
    name: str
    content_type: str
    size: int
    duration: int | None
    url: str | None
    blobs: Blobs
    key: str

    def read(self) -> AsyncIterator[bytes]:
        return self.blobs.read(self.key)


class Sender(Struct, frozen=True):
    """What sending needs from the roof."""

    store: Store
    adapters: Adapters
    http: Http
    blobs: Blobs
    links: Signer
    origin: str
    deadline: timedelta
    lease: int  # seconds; longer than any one call to a provider may take


class _Errand(Struct, frozen=True):
    claimed: Claimed
    channel: Channel
    adapter: Adapter
    config: ChannelConfig
    parts: tuple[OutboundPart, ...]
    attempt_id: UUID


async def send_next(sender: Sender, account_id: UUID, conversation_id: UUID) -> bool:
    """Send the conversation's oldest unsent message, if it is due; False when there is nothing to do."""
    errand = await _claim(sender, account_id, conversation_id)
    if errand is None:
        return False
    failpoint("out.leased")
    attempt_id = errand.attempt_id
    for number in range(errand.claimed.parts_done, len(errand.parts)):
        last = number == len(errand.parts) - 1
        failpoint("out.before_call")
        try:
            sent = await errand.adapter.send(errand.parts[number], errand.config, sender.http)
        except SendError as error:
            await _failed(sender, account_id, errand, attempt_id, error)
            return True
        failpoint("out.after_call")
        telemetry.sends.labels(errand.channel.kind, "sent").inc()
        next_attempt = await _keep(
            partial(
                _taken,
                sender,
                account_id,
                errand,
                number,
                sent.external_ids,
                sent.status,
                attempt_id,
                last=last,
            )
        )
        if next_attempt is None:
            return True
        attempt_id = next_attempt
    return True


async def _claim(sender: Sender, account_id: UUID, conversation_id: UUID) -> _Errand | None:
    async with sender.store.write(account_id) as work:
        if await conversations.lock_unscoped(work, conversation_id) is None:
            return None
        claimed = await deliveries.claim_next(work, conversation_id, sender.lease)
        if claimed is None:
            return None
        channel = await channels.get(work, claimed.channel_id)
        assert channel is not None
        if not channel.enabled:
            await _settle(
                work, channel, claimed, "failed", "channel_disabled", "This channel is switched off."
            )
            return None
        try:
            adapter, config = sender.adapters.of(channel)
        except (ConfigurationError, KeyError) as error:
            await _settle(work, channel, claimed, "failed", "channel_unusable", str(error))
            return None
        parts = tuple(
            adapter.split(
                _text(claimed), await _files(sender, work, claimed), claimed.address, str(claimed.id),
                claimed.reply_to_external,
            )
        )  # fmt: skip
        attempt_id = await deliveries.start_attempt(work, claimed.id, claimed.attempts, claimed.parts_done)
        return _Errand(claimed, channel, adapter, config, parts, attempt_id)


def _text(claimed: Claimed) -> RichText:
    content = msgspec.convert(claimed.content, messages.Content)
    return RichText(
        claimed.body,
        tuple(msgspec.convert(msgspec.to_builtins(mark), Mark) for mark in content.marks),
    )


async def _files(sender: Sender, work: Work, claimed: Claimed) -> list[Outgoing]:
    files = []
    for attachment in await attachments.of_message(work, claimed.id):
        assert attachment.blob_key is not None
        assert attachment.size is not None
        token = sender.links.sign(f"{work.account_id}/{attachment.id}", seconds=7 * 24 * 3600)
        files.append(
            Outgoing(
                attachment.kind, attachment.name, attachment.content_type, attachment.size, attachment.duration,
                f"{sender.origin}/files/{token}", sender.blobs, attachment.blob_key,
            )
        )  # fmt: skip
    return files


async def _keep(write: Callable[[], Awaitable[UUID | None]]) -> UUID | None:
    """Write down what the provider took: a fact by now, so a lost race for a lock is run again."""
    for _ in range(5):
        try:
            return await write()
        except RETRY_ERRORS as error:
            log.warning("send.contended", error=type(error).__name__)
    return await write()


async def _taken(
    sender: Sender, account_id: UUID, errand: _Errand, number: int, external_ids: tuple[str, ...], status: str,
    attempt_id: UUID, *, last: bool,
) -> UUID | None:  # fmt: skip
    """The provider took a part. The id of the next part's attempt, or None when there is none."""
    claimed = errand.claimed
    async with sender.store.write(account_id) as work:
        await conversations.lock_unscoped(work, claimed.conversation_id)
        await deliveries.add_part(work, claimed, number, external_ids)
        await deliveries.finish_attempt(work, attempt_id, "sent")
        following = None
        if last:
            # Also for a worker that lost its claim: that the provider took it is a fact, whoever says so.
            if await deliveries.settle(work, claimed, "sent") or await messages.advance(
                work, claimed.id, "sent", None, None
            ):
                await _announce(work, claimed, events.MessageSent)
            if status in ("delivered", "read") and await messages.advance(
                work, claimed.id, status, None, None
            ):
                kind = events.MessageDelivered if status == "delivered" else events.MessageRead
                await _announce(work, claimed, kind)
        elif await deliveries.extend(work, claimed, sender.lease):
            following = await deliveries.start_attempt(work, claimed.id, claimed.attempts, number + 1)
        for waiting in await effects.take(work, errand.channel.id, list(external_ids)):
            effect = msgspec.convert(waiting, inbound.Effect)
            await inbound.apply_effect(work, errand.channel.id, effect, may_wait=False)
        # The channel's row comes after the effects' locks, here as in receive: no circle of waiting.
        await channels.note_outbound(work, errand.channel.id, None)
        failpoint("out.before_commit")
    failpoint("out.after_commit")
    return following


async def _announce(work: Work, claimed: Claimed, kind: type[events.MessageEvent]) -> None:
    await conversations.touch(work, claimed.conversation_id)
    event = kind(
        await conversations.view_unscoped(work, claimed.conversation_id),
        await messages.view_unscoped(work, claimed.id),
    )
    work.record(event, claimed.conversation_id)  # type: ignore[arg-type]  # a member of the union


async def _settle(
    work: Work, channel: Channel, claimed: Claimed, state: str, code: str, words: str,
    next_attempt_at: datetime | None = None,
) -> None:  # fmt: skip
    if await deliveries.settle(work, claimed, state, code=code, words=words, next_attempt_at=next_attempt_at):
        kind = events.MessageDelayed if state == "queued" else events.MessageFailed
        await _announce(work, claimed, kind)
        await channels.note_outbound(work, channel.id, f"{code}: {words}"[:300])


async def _failed(
    sender: Sender, account_id: UUID, errand: _Errand, attempt_id: UUID, error: SendError
) -> None:
    outcome = (
        "retryable" if isinstance(error, Retryable | Moved)
        else "unknown" if isinstance(error, OutcomeUnknown) else "permanent"
    )  # fmt: skip
    telemetry.sends.labels(errand.channel.kind, outcome).inc()
    claimed, channel = errand.claimed, errand.channel
    async with sender.store.write(account_id) as work:
        await conversations.lock_unscoped(work, claimed.conversation_id)
        await deliveries.finish_attempt(work, attempt_id, outcome, error.code, error.words)
        match error:
            case Moved():
                await conversations.move_address(
                    work, channel.id, claimed.address, error.new_address,
                    f"{channel.id}/{claimed.address}", f"{channel.id}/{error.new_address}",
                )  # fmt: skip
                await _settle(work, channel, claimed, "queued", error.code, error.words, datetime.now(UTC))
            case Retryable():
                await _again(sender, work, channel, claimed, error)
            case OutcomeUnknown():
                await _settle(work, channel, claimed, "unknown", error.code, error.words)
            case Permanent() | SendError():
                await _settle(work, channel, claimed, "failed", error.code, error.words)


async def _again(sender: Sender, work: Work, channel: Channel, claimed: Claimed, error: Retryable) -> None:
    """Queue it again with back-off, unless the deadline has passed."""
    seconds = error.retry_after
    if seconds is None:
        # Jitter spreads the retries of many messages; it needs no secrecy.
        seconds = backoff(claimed.attempts, random.random())  # noqa: S311
    now = datetime.now(UTC)
    at = now + timedelta(seconds=min(max(seconds, 0.5), 3600))
    if at > claimed.created_at + sender.deadline:
        await _settle(work, channel, claimed, "failed", error.code, error.words)
        return
    if error.whole_channel:
        await channels.change(work, channel.id, {"paused_until": at})
    await _settle(work, channel, claimed, "queued", error.code, error.words, at)
    key = str(claimed.conversation_id)
    await work.job("send.again", key, {"conversation_id": key}, at)


async def settle_abandoned(sender: Sender, account_id: UUID, message_id: UUID) -> bool:
    """A worker stopped while sending this message. Send it again where a repeat is harmless; otherwise
    nobody can tell whether the provider took it, and that is what people are shown."""
    async with sender.store.write(account_id) as work:
        claimed = await deliveries.lock_abandoned(work, message_id)
        if claimed is None:
            return False
        channel = await channels.get(work, claimed.channel_id)
        assert channel is not None
        await deliveries.abandon_attempts(work, message_id)
        if sender.adapters.kind(channel.kind).capabilities.safe_to_repeat:
            return await deliveries.settle(work, claimed, "queued", next_attempt_at=datetime.now(UTC))
        words = "We stopped while sending and cannot tell whether it arrived."
        await _settle(work, channel, claimed, "unknown", "interrupted", words)
        return True
