"""Resend and cancel: a person decides about a message that has not left."""

from uuid import UUID

from inbox import events
from inbox.access import Scope
from inbox.errors import Conflict, NotFound
from inbox.outbox import Store, Work
from inbox.records import conversations, deliveries, messages
from inbox.views import MessageView


async def resend(store: Store, scope: Scope, conversation_id: UUID, message_id: UUID) -> MessageView:
    """Queue a failed message again, or one whose outcome is unknown. Raises NotFound, Conflict."""
    async with store.write(scope.account_id) as work:
        await _lock(work, scope, conversation_id, message_id)
        if not await deliveries.requeue(work, message_id, ("failed", "unknown")):
            raise Conflict("This message is on its way or was sent already.")
        return await _announce(work, conversation_id, message_id, events.MessageQueued)


async def cancel(store: Store, scope: Scope, conversation_id: UUID, message_id: UUID) -> MessageView:
    """Take back a message that waits to be sent. Raises NotFound, Conflict."""
    async with store.write(scope.account_id) as work:
        await _lock(work, scope, conversation_id, message_id)
        if not await deliveries.cancel(work, message_id):
            raise Conflict("This message is being sent or was sent already.")
        return await _announce(work, conversation_id, message_id, events.MessageFailed)


async def _lock(work: Work, scope: Scope, conversation_id: UUID, message_id: UUID) -> None:
    if (
        await conversations.lock(scope, work, conversation_id) is None
        or await messages.view(scope, work, conversation_id, message_id) is None
    ):
        raise NotFound("This message does not exist, or you may not see it.")


async def _announce(
    work: Work, conversation_id: UUID, message_id: UUID, kind: type[events.MessageEvent]
) -> MessageView:
    await conversations.touch(work, conversation_id)
    message = await messages.view_unscoped(work, message_id)
    event = kind(await conversations.view_unscoped(work, conversation_id), message)
    work.record(event, conversation_id)  # type: ignore[arg-type]  # a member of the union
    return message
