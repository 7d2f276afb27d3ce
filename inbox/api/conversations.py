"""Conversations and their messages."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, patch, post
from litestar.params import Parameter
from msgspec import Struct

from inbox.access import Scope
from inbox.actions import change as change_action
from inbox.actions import reply as reply_action
from inbox.actions import resend
from inbox.actions.change import Change
from inbox.actions.reply import Reply
from inbox.api.services import Services
from inbox.errors import BadInput, NotFound
from inbox.records import conversations, decisions, messages
from inbox.records.conversations import Sort, View
from inbox.records.messages import Position
from inbox.views import ConversationView, MessageView

Limit = Annotated[int, Parameter(ge=1, le=100)]


class ConversationPage(Struct, frozen=True):
    items: list[ConversationView]
    next_cursor: str | None
    counts: dict[str, int]


class MessagePage(Struct, frozen=True):
    """Oldest first. `has_more` in the direction that was asked for."""

    items: list[MessageView]
    has_more: bool


class Decisions(Struct, frozen=True):
    items: list[dict[str, Any]]


def position(sort: str) -> Position:
    """The place in a thread that a MessageView.sort names. Raises BadInput."""
    try:
        micros, order, message_id = sort.split(".")
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(micros))
        return Position(at, int(order), UUID(message_id))
    except (ValueError, OverflowError):
        raise BadInput("This is not a place in a thread.", field="before") from None


@get("/api/v1/conversations", operation_id="ListConversations")
async def list_conversations(
    services: Services, who: Scope, view: View = "all", sort: Sort = "newest", label: UUID | None = None,
    channel: UUID | None = None, cursor: str | None = None, limit: Limit = 25,
) -> ConversationPage:  # fmt: skip
    """One page of a view."""
    async with services.store.read(who.account_id) as tx:
        page = await conversations.page(
            who, tx, view, sort=sort, label=label, channel=channel, cursor=cursor, limit=limit
        )
        return ConversationPage(page.items, page.next_cursor, await conversations.counts(who, tx))


@get("/api/v1/counts", operation_id="GetCounts")
async def get_counts(services: Services, who: Scope) -> dict[str, int]:
    """How many conversations each view holds."""
    async with services.store.read(who.account_id) as tx:
        return await conversations.counts(who, tx)


@get("/api/v1/conversations/{conversation_id:uuid}", operation_id="GetConversation")
async def get_conversation(services: Services, who: Scope, conversation_id: UUID) -> ConversationView:
    """One conversation."""
    async with services.store.read(who.account_id) as tx:
        found = await conversations.view(who, tx, conversation_id)
    if found is None:
        raise NotFound("This conversation does not exist, or you may not see it.")
    return found


@patch("/api/v1/conversations/{conversation_id:uuid}", operation_id="ChangeConversation")
async def change_conversation(
    data: Change, request: Request[Any, Any, Any], services: Services, who: Scope, conversation_id: UUID
) -> ConversationView:
    """Change status, owner, priority, labels or snooze. If-Match holds the version that was seen."""
    version = None
    if (match := request.headers.get("if-match")) is not None:
        digits = match.strip().strip('"')
        if not digits.isdecimal():
            raise BadInput("If-Match must hold the version of the conversation.")
        version = int(digits)
    return await change_action.change(services.store, who, conversation_id, data, if_version=version)


@get("/api/v1/conversations/{conversation_id:uuid}/messages", operation_id="ListMessages")
async def list_messages(
    services: Services, who: Scope, conversation_id: UUID, before: str | None = None,
    after: str | None = None, limit: Limit = 50,
) -> MessagePage:  # fmt: skip
    """The newest messages, or those before or after a place (`sort` of a message)."""
    async with services.store.read(who.account_id) as tx:
        if await conversations.view(who, tx, conversation_id) is None:
            raise NotFound("This conversation does not exist, or you may not see it.")
        items, more = await messages.thread(
            who, tx, conversation_id, before=position(before) if before else None,
            after=position(after) if after else None, limit=limit,
        )  # fmt: skip
    return MessagePage(items, more)


@post("/api/v1/conversations/{conversation_id:uuid}/messages", operation_id="WriteMessage", status_code=201)
async def write_message(
    data: Reply, services: Services, who: Scope, conversation_id: UUID
) -> Response[MessageView]:
    """Answer the customer, or add a private note. The same client_key twice is one message: 201, then 200."""
    message, made = await reply_action.reply(services.store, who, conversation_id, data)
    return Response(message, status_code=201 if made else 200)


@post(
    "/api/v1/conversations/{conversation_id:uuid}/messages/{message_id:uuid}/retry",
    operation_id="RetryMessage", status_code=200,
)  # fmt: skip
async def retry_message(
    services: Services, who: Scope, conversation_id: UUID, message_id: UUID
) -> MessageView:
    """Send a failed message again, or one of which nobody knows whether it arrived."""
    return await resend.resend(services.store, who, conversation_id, message_id)


@post(
    "/api/v1/conversations/{conversation_id:uuid}/messages/{message_id:uuid}/cancel",
    operation_id="CancelMessage", status_code=200,
)  # fmt: skip
async def cancel_message(
    services: Services, who: Scope, conversation_id: UUID, message_id: UUID
) -> MessageView:
    """Take back a message that still waits to be sent."""
    return await resend.cancel(services.store, who, conversation_id, message_id)


@get("/api/v1/conversations/{conversation_id:uuid}/decisions", operation_id="ListDecisions")
async def list_decisions(services: Services, who: Scope, conversation_id: UUID) -> Decisions:
    """Why it went to whom: every candidate, what removed them, the scores."""
    async with services.store.read(who.account_id) as tx:
        if await conversations.view(who, tx, conversation_id) is None:
            raise NotFound("This conversation does not exist, or you may not see it.")
        return Decisions(await decisions.of_conversation(who, tx, conversation_id))
