"""Media: bring a provider's file into the blob store, and keep what people upload."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import puremagic

from channels.base import FetchError, Http, HttpError
from inbox import events
from inbox.adapters import Adapters
from inbox.blobs import Blobs, Stored
from inbox.errors import ConfigurationError, TooLarge
from inbox.outbox import Store, Work, new_id
from inbox.records import attachments, channels, conversations, messages
from inbox.views import AttachmentKind, AttachmentView

# What a browser may show in place. Everything else is a download, whatever the sender calls it.
_SHOWN = re.compile(r"^(image/(png|jpeg|gif|webp|avif)|video/(mp4|webm|quicktime)|audio/[a-z0-9.+-]+)$")
_FROM_MAGIC = {"audio/x-wav": "audio/wav", "application/ogg": "audio/ogg", "audio/x-m4a": "audio/mp4"}


def sniff(head: bytes, claimed: str) -> str:
    """The content type that the bytes themselves speak for.

    What claims to be shown in place must prove it; nothing is believed to be HTML, SVG or a script.
    """
    claimed = claimed.partition(";")[0].strip().lower()
    try:
        found: list[str] = [str(match.mime_type) for match in puremagic.magic_string(head) if match.mime_type]
    except (puremagic.PureError, ValueError):
        found = []
    found = [_FROM_MAGIC.get(mime, mime) for mime in found]
    if claimed in found and "html" not in claimed and "svg" not in claimed:
        return claimed
    for mime in found:
        if _SHOWN.match(mime):
            # Containers (mp4, ogg, webm) hold sound or pictures; the claim may say which.
            family = mime.partition("/")[2]
            if claimed.partition("/")[2] == family and _SHOWN.match(claimed):
                return claimed
            return mime
    if _SHOWN.match(claimed) or "html" in claimed or "svg" in claimed or "xml" in claimed or not claimed:
        return "application/octet-stream"
    return claimed if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", claimed) else "application/octet-stream"


def kind_of(content_type: str, claimed: AttachmentKind | None = None) -> AttachmentKind:
    """How to show a file. A voice note or sticker stays one only if it really is sound or a picture."""
    family = content_type.partition("/")[0] if _SHOWN.match(content_type) else ""
    if family == "audio":
        return "voice" if claimed == "voice" else "audio"
    if family == "image":
        return "sticker" if claimed == "sticker" else "image"
    if family == "video":
        return "sticker" if claimed == "sticker" else "video"
    return "document"


def shown_in_place(content_type: str) -> bool:
    return bool(_SHOWN.match(content_type))


def clean_name(name: str) -> str:
    """A file name without a path or control characters, at most 200 characters long."""
    name = re.sub(
        r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", name.replace("\\", "/").rpartition("/")[2]
    )
    return name.strip(". ")[:200] or "file"


async def upload(
    store: Store, blobs: Blobs, account_id: UUID, owner: str, name: str, content_type: str,
    chunks: AsyncIterator[bytes], limit: int,
) -> AttachmentView:  # fmt: skip
    """Keep a file that somebody uploads, until they attach it to a message. Raises TooLarge."""
    attachment_id = new_id()
    stored = await blobs.put(account_id, attachment_id, chunks, limit)
    actual = sniff(stored.head, content_type)
    async with store.write(account_id) as work:
        return await attachments.add_upload(
            work, attachment_id, owner, kind=kind_of(actual), name=clean_name(name), content_type=actual,
            size=stored.size, sha256=stored.sha256, blob_key=stored.key,
        )  # fmt: skip


async def fetch(
    store: Store,
    adapters: Adapters,
    http: Http,
    blobs: Blobs,
    account_id: UUID,
    attachment_id: UUID,
    limit: int,
) -> None:
    """Fetch a file from its provider. What cannot be had is marked so, with the reason in words.

    Raises FetchError when trying again may help.
    """
    async with store.read(account_id) as tx:
        attachment = await attachments.get_unscoped(tx, attachment_id)
        if attachment is None or attachment.state != "pending" or attachment.ref is None:
            return
        channel = await channels.of_message(tx, attachment.message_id)
    assert channel is not None
    try:
        adapter, config = adapters.of(channel)
        async with adapter.fetch(attachment.ref, config, http) as download:
            stored = await blobs.put(account_id, attachment_id, download.chunks(), limit)
    except FetchError as error:
        if error.retryable:
            raise
        await fail(store, account_id, attachment_id, str(error))
        return
    except (TooLarge, ConfigurationError) as error:
        await fail(store, account_id, attachment_id, str(error))
        return
    except HttpError as error:
        raise FetchError(f"The file could not be loaded: {error}", retryable=True) from error
    await _keep(store, account_id, attachment, stored)


async def _keep(store: Store, account_id: UUID, attachment: attachments.Attachment, stored: Stored) -> None:
    content_type = sniff(stored.head, attachment.content_type)
    async with store.write(account_id) as work:
        assert attachment.message_id is not None
        await _lock(work, attachment.message_id)
        if await attachments.store(
            work, attachment.id, blob_key=stored.key, size=stored.size, sha256=stored.sha256,
            content_type=content_type, kind=kind_of(content_type, attachment.kind),
        ):  # fmt: skip
            await _announce(work, attachment.message_id, events.AttachmentStored)


async def fail(store: Store, account_id: UUID, attachment_id: UUID, words: str) -> None:
    """The file will not come; say why."""
    async with store.write(account_id) as work:
        attachment = await attachments.get_unscoped(work, attachment_id)
        if attachment is None or attachment.message_id is None:
            return
        await _lock(work, attachment.message_id)
        if await attachments.fail(work, attachment_id, words):
            await _announce(work, attachment.message_id, events.AttachmentFailed)


async def _lock(work: Work, message_id: UUID) -> None:
    conversation_id = await messages.conversation_of(work, message_id)
    assert conversation_id is not None
    await conversations.lock_unscoped(work, conversation_id)


async def _announce(work: Work, message_id: UUID, kind: type[events.MessageEvent]) -> None:
    await messages.touch(work, message_id)
    message = await messages.view_unscoped(work, message_id)
    await conversations.touch(work, message.conversation_id)
    event = kind(await conversations.view_unscoped(work, message.conversation_id), message)
    work.record(event, message.conversation_id)  # type: ignore[arg-type]  # a member of the union
