"""The chat widget on a web page.

There is no provider: the widget talks to this installation, which authenticates the visitor and hands
each frame to `parse` as it came. Frames, JSON:

{"type": "message", "client_message_id", "text", "visitor": {"id", "name"?, "email"?, "locale"?,
 "time_zone"?}, "page"?: address or {"url", "title"?}, "reply_to"?,
 "attachments"?: [{"upload_id", "name", "content_type", "size"}]}
{"type": "received" or "seen", "message_id", "visitor"?: {"id"}}   everything up to it was delivered or read
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

from channels.base import (
    BadSignature,
    Capabilities,
    ChannelConfig,
    Chat,
    Download,
    FetchError,
    HookRequest,
    Http,
    InboundEvent,
    InboundMessage,
    Media,
    OutboundFile,
    OutboundPart,
    Person,
    Probe,
    Receipt,
    ReceiptStatus,
    Sent,
    Setting,
    Unreadable,
)
from channels.lenient import clean, count, decode, identifier, items, label, mapping, string
from channels.media import media_kind
from channels.richtext import RichText
from channels.splitting import split_with_files

TEXT_LIMIT = 10_000
FILE_LIMIT = 25_000_000
_RECEIPTS: dict[str, ReceiptStatus] = {"received": "delivered", "seen": "read"}
_PAGE_LIMIT = 2048


class WebchatAdapter:
    """The widget. What was stored is in the visitor's mailbox, so sending is never a call."""

    kind = "webchat"
    title = "Web chat"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        caption_limit=TEXT_LIMIT,
        file_limit=FILE_LIMIT,
        marks=frozenset({"bold", "italic", "strike", "code", "pre", "quote", "link"}),
        media=frozenset({"image", "video", "audio", "voice", "document"}),
        reports_delivered=True,
        reports_read=True,
        can_reply_to=True,
        safe_to_repeat=True,
    )
    settings: Sequence[Setting] = (
        Setting(
            "greeting",
            "Greeting",
            "What visitors read before they write. Empty: our own words.",
            required=False,
        ),
        Setting("color", "Color", "Of the button and the header, such as #7a12d4.", required=False),
    )

    def verify(self, request: HookRequest, config: ChannelConfig, now: datetime) -> None:
        """Always refuses: the widget has its own authenticated door and no public webhook."""
        raise BadSignature

    def handshake(self, request: HookRequest, config: ChannelConfig) -> bytes | None:
        return None

    def parse(self, body: bytes, config: ChannelConfig, received_at: datetime) -> Sequence[InboundEvent]:
        """Total. A visitor's text is plain text, as written (see `channels.lenient`)."""
        frame = decode(body)
        if isinstance(frame, Unreadable):
            return (frame,)
        if not isinstance(frame, dict):
            return (Unreadable("not a frame", "the body is not a JSON object"),)
        name = frame.get("type")
        if name == "message":
            return (_message(frame, received_at),)
        if isinstance(name, str) and name in _RECEIPTS:
            return (_receipt(frame, _RECEIPTS[name], received_at),)
        return (Unreadable("unknown type of frame", clean(str(name))[:100]),)

    def split(
        self, text: RichText, files: Sequence[OutboundFile], address: str, key: str, reply_to: str | None
    ) -> Sequence[OutboundPart]:
        return split_with_files(text, files, TEXT_LIMIT, address, key, reply_to)

    async def send(self, part: OutboundPart, config: ChannelConfig, http: Http) -> Sent:
        """Nothing to call: the widget reads the stored message. Its receipts tell the rest."""
        return Sent((part.key,))

    def fetch(
        self, ref: Mapping[str, str], config: ChannelConfig, http: Http
    ) -> AbstractAsyncContextManager[Download]:
        """Always raises FetchError: a visitor's files are uploaded here before the message comes."""
        return _nothing_to_fetch()

    async def connect(self, hook_url: str, config: ChannelConfig, http: Http) -> Probe:
        return Probe(True, "Ready. Put the snippet on your page.")


@asynccontextmanager
async def _nothing_to_fetch() -> AsyncIterator[Download]:
    raise FetchError("Files of the web chat are uploaded here, not fetched.", retryable=False)
    yield  # makes this a generator, as the context manager needs


def _message(frame: dict[str, Any], received_at: datetime) -> InboundEvent:
    external = identifier(frame, "client_message_id")
    visitor = _visitor(mapping(frame, "visitor"))
    if external is None or visitor is None:
        return Unreadable("a message without client_message_id or visitor.id")
    text = string(frame, "text") or ""
    media = tuple(
        attachment
        for item in items(frame, "attachments")
        if isinstance(item, dict) and (attachment := _attachment(item))
    )
    if not text and not media:
        return Unreadable("a message without text or attachments")
    return InboundMessage(
        external,
        visitor,
        Chat(visitor.id),
        received_at,
        text=RichText(text),
        media=media,
        reply_to=identifier(frame, "reply_to"),
        context={"client_message_id": external} | _page(frame),
    )


def _visitor(visitor: dict[str, Any]) -> Person | None:
    visitor_id = identifier(visitor, "id")
    if visitor_id is None:
        return None
    return Person(
        "visitor",
        visitor_id,
        per_channel=True,
        name=label(visitor, "name"),
        language=label(visitor, "locale"),
        time_zone=label(visitor, "time_zone"),
        email=label(visitor, "email"),
    )


def _attachment(item: dict[str, Any]) -> Media | None:
    upload = identifier(item, "upload_id")
    if upload is None:
        return None
    content_type = label(item, "content_type")
    return Media(
        media_kind(content_type),
        upload=upload,
        name=label(item, "name"),
        content_type=content_type,
        size=count(item, "size"),
    )


def _page(frame: dict[str, Any]) -> dict[str, str]:
    page = frame.get("page")
    source = page if isinstance(page, dict) else {"url": page}
    context = {}
    if url := string(source, "url"):
        context["page"] = url[:_PAGE_LIMIT]
    if title := label(source, "title"):
        context["page_title"] = title
    return context


def _receipt(frame: dict[str, Any], status: ReceiptStatus, received_at: datetime) -> InboundEvent:
    external = identifier(frame, "message_id")
    if external is None:
        return Unreadable("a receipt without message_id")
    address = identifier(mapping(frame, "visitor"), "id")
    return Receipt(external, status, received_at, up_to=True, address=address)
