"""What one element of a raw event does to the records, inside the transaction of `receive`.

Nothing here opens a transaction. Lock order: conversation, then contact, then (by the outbox) account.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from channels.base import (
    ChatMoved,
    Deletion,
    Edit,
    InboundEvent,
    InboundMessage,
    Location,
    Media,
    Person,
    Reachability,
    Reaction,
    Receipt,
)
from channels.richtext import RichText
from inbox import events, threads
from inbox.errors import BadInput
from inbox.outbox import Work, new_id
from inbox.records import attachments, contacts, conversations, effects, intake, messages
from inbox.records.channels import Channel
from inbox.views import CardView, LocationView, MarkView

Effect = Edit | Reaction | Deletion | Receipt
_effect = msgspec.json.Decoder(Effect)

_STATE = {"sent": "sent", "delivered": "delivered", "read": "read", "failed": "failed"}
_RECEIPT_EVENT = {
    "sent": events.MessageSent,
    "delivered": events.MessageDelivered,
    "read": events.MessageRead,
    "failed": events.MessageFailed,
}


class DuplicateError(Exception):
    """The message was inserted by another transaction; this one must undo what it did on the way."""


async def apply(
    work: Work, channel: Channel, element: InboundEvent, received_at: datetime, *, across_channels: bool
) -> bool:
    """Apply one element; False when it was applied before or changes nothing."""
    match element:
        case InboundMessage():
            return await _message(work, channel, element, received_at, across_channels)
        case Edit() | Reaction() | Deletion() | Receipt():
            return await apply_effect(work, channel.id, element, may_wait=True)
        case ChatMoved():
            return await _chat_moved(work, channel, element)
        case Reachability():
            return await _reachability(work, channel, element)
        case _:
            raise BadInput(f"{element.reason}: {element.detail}")


def _identity(channel: Channel, person: Person) -> contacts.Identity:
    name = person.name or person.username or person.email or person.phone or "Visitor"
    return contacts.Identity(
        person.kind,
        str(channel.id) if person.per_channel else "",
        person.id,
        name,
        username=person.username,
        language=person.language,
        time_zone=person.time_zone,
        email=person.email,
        phone=person.phone,
    )


def _location(location: Location | None) -> LocationView | None:
    if location is None:
        return None
    return LocationView(
        location.latitude, location.longitude, location.title, location.address, live=location.live
    )


def _marks(text: RichText) -> tuple[MarkView, ...]:
    return tuple(
        MarkView(mark.kind, mark.offset, mark.length, mark.href, mark.language) for mark in text.marks
    )


def _content(message: InboundMessage) -> messages.Content:
    card = message.card
    return messages.Content(
        marks=_marks(message.text),
        location=_location(message.location),
        card=CardView(card.name, card.phones) if card else None,
        quote=message.quote,
        unsupported=message.unsupported,
        forwarded_from=message.forwarded_from,
        album=message.album,
        context=message.context or None,
    )


async def _message(
    work: Work, channel: Channel, message: InboundMessage, received_at: datetime, across_channels: bool
) -> bool:
    identity = _identity(channel, message.contact or message.sender)
    lane = threads.lane(message.chat, channel.id, across_channels=across_channels)
    key = (identity.kind, identity.scope, identity.external_id)
    met = await intake.meet(work, channel.id, message.external_id, key, lane)
    if met.seen:
        return False
    contact_id, contact_name = met.contact_id, met.contact_name
    if contact_id is None:
        known = await contacts.resolve(work, identity)
        contact_id, contact_name = known.contact_id, known.name
    opened = await _thread(work, met, contact_id, channel, message, lane, received_at)
    conversation_id, message_id = opened.id, new_id()
    sort_at = threads.place(message.at, received_at)
    replied = await messages.find_external(work, channel.id, message.reply_to) if message.reply_to else None
    draft = messages.Draft(
        id=message_id,
        conversation_id=conversation_id,
        channel_id=channel.id,
        kind="inbound",
        state="received",
        author_kind="contact",
        author_id=None if message.contact else contact_id,
        author_name=message.sender.name or message.sender.username or contact_name or "",
        external_id=message.external_id,
        body=message.text.text,
        content=_content(message),
        reply_to_id=replied.id if replied else None,
        reply_to_external=message.reply_to,
        provider_at=message.at,
        sort_at=sort_at,
        sort_order=message.order,
    )
    stored = await messages.insert_received(work, draft)
    if stored is None:
        # A copy of this message was committed since the look above; it brought its own thread.
        raise DuplicateError
    shown, awaited = stored
    if message.media:
        await _media(work, message_id, message)
        shown = await messages.view_unscoped(work, message_id)
    view = await conversations.note_inbound(
        work, conversation_id, message_id, channel.id, message.chat.address, sort_at
    )
    if opened.created:
        work.record(events.ConversationCreated(view), conversation_id)
    elif opened.status in ("resolved", "snoozed"):
        work.record(events.ConversationReopened(view), conversation_id)
    work.record(events.MessageReceived(view, shown), conversation_id)
    for waiting in await effects.take(work, channel.id, [message.external_id]) if awaited else ():
        await apply_effect(work, channel.id, _effect.decode(msgspec.json.encode(waiting)), may_wait=False)
    return True


class _Thread(Struct, frozen=True):
    """The thread that a message goes into, its row held, as it was before."""

    id: UUID
    status: str
    created: bool


async def _thread(
    work: Work, met: intake.Met, contact_id: UUID, channel: Channel, message: InboundMessage, lane: str,
    received_at: datetime,
) -> _Thread:  # fmt: skip
    reopen_after = received_at - threads.REOPEN_WITHIN
    if met.thread_id is not None:
        assert met.thread_status is not None
        assert met.thread_active_at is not None
        if met.thread_status != "resolved" or met.thread_active_at >= reopen_after:
            return _Thread(met.thread_id, met.thread_status, created=False)
    opened = await conversations.open_for(
        work, contact_id, channel.id, message.chat.address, lane, message.chat.title, reopen_after
    )
    return _Thread(opened.conversation.id, opened.conversation.status, opened.created)


async def _media(work: Work, message_id: UUID, message: InboundMessage) -> None:
    uploads: list[UUID] = []
    for position, media in enumerate(message.media):
        if media.upload is not None:
            uploads.append(UUID(media.upload))
            continue
        attachment_id = new_id()
        await attachments.expect(
            work, attachment_id, message_id, position,
            kind=media.kind, name=media.name or _file_name(media), size=media.size, ref=media.ref,
            content_type=media.content_type or "application/octet-stream",
            width=media.width, height=media.height, duration=media.duration,
        )  # fmt: skip
        await work.job("media.fetch", str(attachment_id), {"attachment_id": str(attachment_id)})
    if uploads:
        owner = f"visitor:{message.sender.id}"
        if await attachments.adopt(work, message_id, uploads, owner) != len(uploads):
            raise BadInput("An attached upload does not exist or is somebody else's.")


def _file_name(media: Media) -> str:
    return {"image": "photo", "voice": "voice note"}.get(media.kind, media.kind)


async def apply_effect(work: Work, channel_id: UUID, effect: Effect, *, may_wait: bool) -> bool:
    """Change a message that exists, or let the effect wait for it."""
    found = await messages.find_external(work, channel_id, effect.external_id)
    if found is None and may_wait:
        await effects.meet(work, channel_id, [effect.external_id])
        found = await messages.find_external(work, channel_id, effect.external_id)
    if found is None:
        if may_wait:
            await effects.keep(work, channel_id, effect.external_id, msgspec.to_builtins(effect))
        return may_wait
    if await conversations.lock_unscoped(work, found.conversation_id) is None:
        return False
    match effect:
        case Edit():
            return await _edit(work, found, effect)
        case Reaction():
            return await _react(work, channel_id, found, effect)
        case Deletion():
            changed = await messages.delete(work, found.id, effect.at)
            return await _announce(work, found, events.MessageDeleted, changed)
        case Receipt():
            return await _receipt(work, found, effect)


async def _announce(
    work: Work, found: messages.Known, kind: type[events.MessageEvent], changed: bool
) -> bool:
    if changed:
        await conversations.touch(work, found.conversation_id)
        view = await conversations.view_unscoped(work, found.conversation_id)
        event = kind(view, await messages.view_unscoped(work, found.id))
        work.record(event, found.conversation_id)  # type: ignore[arg-type]  # a member of the union
    return changed


async def _edit(work: Work, found: messages.Known, effect: Edit) -> bool:
    if effect.location is not None and effect.location.live:
        pin = _location(effect.location)
        assert pin is not None
        return await _announce(
            work, found, events.MessageEdited, await messages.move_pin(work, found.id, pin)
        )
    content = messages.Content(marks=_marks(effect.text), location=_location(effect.location))
    changed = await messages.edit(work, found.id, effect.text.text, content, effect.at)
    return await _announce(work, found, events.MessageEdited, changed)


async def _react(work: Work, channel_id: UUID, found: messages.Known, effect: Reaction) -> bool:
    # Locked by the conversation: read again what two reactions at once might have changed.
    fresh = await messages.find_external(work, channel_id, effect.external_id)
    assert fresh is not None
    who = effect.sender.name or effect.sender.username or effect.sender.id
    kept = [item for item in fresh.reactions if item["by"] != who]
    wanted = kept + [{"emoji": emoji, "by": who} for emoji in effect.emojis]
    return await _announce(work, found, events.MessageReacted, await messages.react(work, found.id, wanted))


async def _receipt(work: Work, found: messages.Known, effect: Receipt) -> bool:
    earlier = []
    if effect.up_to and effect.status in ("delivered", "read"):
        earlier = await messages.sent_before(work, found.conversation_id, found.sort_at)
    changed = False
    for message_id in [*(item for item in earlier if item != found.id), found.id]:
        if await messages.advance(work, message_id, _STATE[effect.status], effect.code, effect.words):
            target = msgspec.structs.replace(found, id=message_id)
            changed |= await _announce(work, target, _RECEIPT_EVENT[effect.status], True)
    return changed


async def _chat_moved(work: Work, channel: Channel, moved: ChatMoved) -> bool:
    await contacts.move_identity(work, f"{channel.kind}_chat", moved.old_address, moved.new_address)
    await conversations.move_address(
        work, channel.id, moved.old_address, moved.new_address,
        f"{channel.id}/{moved.old_address}", f"{channel.id}/{moved.new_address}",
    )  # fmt: skip
    return True


async def _reachability(work: Work, channel: Channel, element: Reachability) -> bool:
    person = element.person
    scope = str(channel.id) if person.per_channel else ""
    contact_id = await contacts.set_reachable(work, person.kind, scope, person.id, element.reachable)
    if contact_id is None:
        return False
    view = await contacts.view(work, contact_id)
    assert view is not None
    work.record(events.ContactUpdated(view))
    return True
