"""Reply: an agent's answer or private note becomes a message, and its event, in one transaction."""

from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from channels.markdown import from_markdown
from inbox import events
from inbox.access import Scope
from inbox.errors import BadInput, NotFound
from inbox.outbox import Store, Work, new_id
from inbox.records import attachments, conversations, messages
from inbox.views import MarkView, MessageView

BODY_LIMIT = 50_000  # characters; adapters split what their provider takes in pieces


class Reply(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client posts. `body` is a subset of Markdown; `client_key` makes a repeat harmless."""

    body: str = ""
    private: bool = False
    attachment_ids: tuple[UUID, ...] = ()
    reply_to: UUID | None = None
    client_key: str


def check(reply: Reply) -> None:
    """Everything that can be said about a reply without looking anything up. Raises BadInput."""
    if not reply.body.strip() and not reply.attachment_ids:
        raise BadInput("Write something or attach a file.", field="body")
    if len(reply.body) > BODY_LIMIT:
        raise BadInput(f"A message may have at most {BODY_LIMIT} characters.", field="body")
    if "\x00" in reply.body:
        raise BadInput("The text holds a NUL character, which cannot be stored.", field="body")
    if len(reply.attachment_ids) > 10 or len(set(reply.attachment_ids)) != len(reply.attachment_ids):
        raise BadInput("Attach at most ten files, each once.", field="attachment_ids")
    if not 8 <= len(reply.client_key) <= 100:
        raise BadInput("client_key must have 8 to 100 characters.", field="client_key")


async def reply(store: Store, scope: Scope, conversation_id: UUID, given: Reply) -> tuple[MessageView, bool]:
    """Queue an answer, or add a note; (message, True), or (the same message, False) on a repeat.

    Raises NotFound, BadInput.
    """
    check(given)
    async with store.write(scope.account_id) as work:
        conversation = await conversations.lock(scope, work, conversation_id)
        if conversation is None:
            raise NotFound("This conversation does not exist, or you may not see it.")
        if earlier := await messages.by_client_key(work, scope.user_id, given.client_key):
            return await messages.view_unscoped(work, earlier[1]), False
        message_id = new_id()
        text = from_markdown(given.body)
        answered_external = None
        if given.reply_to is not None:
            answered_external = await _answered(work, conversation, given.reply_to)
        draft = messages.Draft(
            id=message_id,
            conversation_id=conversation_id,
            channel_id=conversation.channel_id,
            kind="note" if given.private else "outbound",
            state="noted" if given.private else "queued",
            author_kind="agent",
            author_id=scope.user_id,
            author_name=scope.name,
            body=text.text,
            content=messages.Content(
                marks=tuple(MarkView(m.kind, m.offset, m.length, m.href, m.language) for m in text.marks)
            ),
            reply_to_id=given.reply_to,
            reply_to_external=answered_external,
            client_key=given.client_key,
            sort_at=datetime.now(UTC),
        )
        await messages.insert(work, draft)
        ids = list(given.attachment_ids)
        if ids and await attachments.adopt(work, message_id, ids, f"user:{scope.user_id}") != len(ids):
            raise BadInput("An attached file was not found. Attach it again.", field="attachment_ids")
        await conversations.note_outbound(work, conversation_id, message_id, answered=not given.private)
        view = await messages.view_unscoped(work, message_id)
        kind = events.NoteAdded if given.private else events.MessageQueued
        work.record(kind(await conversations.view_unscoped(work, conversation_id), view), conversation_id)
        return view, True


async def _answered(work: Work, conversation: conversations.Locked, message_id: UUID) -> str | None:
    """The channel's id of the message that is answered, when it is one of this channel."""
    found = await messages.external_of(work, conversation.id, message_id)
    if found is None:
        raise BadInput("The message that you answer is not in this conversation.", field="reply_to")
    channel_id, external_id = found
    return external_id if channel_id == conversation.channel_id else None
