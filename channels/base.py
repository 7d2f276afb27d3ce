"""The values every channel is translated into, and what an adapter must be able to do.

Nothing here knows a database or an account. Parsing and verifying are pure; sending and fetching do
I/O only through the `Http` that is handed in.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from channels.richtext import RichText

MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker"]
ReceiptStatus = Literal["sent", "delivered", "read", "failed"]


# ---------------------------------------------------------------- what comes in


class Person(Struct, frozen=True, omit_defaults=True):
    """How a channel knows somebody.

    `kind` names the space in which `id` is unique ("telegram", "visitor", "external", "telegram_chat").
    A space that belongs to one channel only sets `per_channel`.
    """

    kind: str
    id: str
    per_channel: bool = False
    name: str | None = None
    username: str | None = None
    language: str | None = None
    time_zone: str | None = None
    email: str | None = None
    phone: str | None = None


class Chat(Struct, frozen=True, omit_defaults=True):
    """Where the message stands and where an answer must go.

    `address` is what `send` needs to answer here, as this channel writes it. `group` is None for a
    private chat, otherwise the key that separates this room (and topic) from other threads.
    """

    address: str
    group: str | None = None
    title: str | None = None


class Media(Struct, frozen=True, omit_defaults=True):
    """A file that the provider keeps for us. `ref` is the adapter's own, handed back to `fetch`.

    `upload` instead of a ref names a file that was uploaded to us beforehand (chat widget).
    """

    kind: MediaKind
    ref: dict[str, str] = {}
    upload: str | None = None
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    duration: int | None = None  # seconds


class Location(Struct, frozen=True, omit_defaults=True):
    latitude: float
    longitude: float
    title: str | None = None
    address: str | None = None
    live: bool = False


class ContactCard(Struct, frozen=True, omit_defaults=True):
    name: str
    phones: tuple[str, ...] = ()
    vcard: str | None = None


class InboundMessage(Struct, frozen=True, omit_defaults=True, tag="message"):
    """One message of a customer.

    `external_id` is unique within the channel (dedupe key). `at` is the provider's time; `order`
    breaks ties inside one chat (0 when the provider gives none). `unsupported` is a short English
    label ("poll") for content we cannot show; the message is kept and shown all the same.
    """

    external_id: str
    sender: Person
    chat: Chat
    at: datetime
    order: int = 0
    contact: Person | None = None  # who the thread is with, when that is not the sender (groups)
    text: RichText = RichText()
    media: tuple[Media, ...] = ()
    location: Location | None = None
    card: ContactCard | None = None
    reply_to: str | None = None  # external id
    quote: str | None = None
    album: str | None = None
    forwarded_from: str | None = None
    unsupported: str | None = None
    context: dict[str, str] = {}  # page address, deep-link payload, button data …


class Edit(Struct, frozen=True, omit_defaults=True, tag="edit"):
    """The message `external_id` now reads so. An Edit older than the one already applied is ignored."""

    external_id: str
    at: datetime
    text: RichText
    location: Location | None = None


class Reaction(Struct, frozen=True, omit_defaults=True, tag="reaction"):
    """All reactions that `sender` now has on the message; an empty tuple takes them away."""

    external_id: str
    sender: Person
    at: datetime
    emojis: tuple[str, ...] = ()


class Deletion(Struct, frozen=True, tag="deletion"):
    external_id: str
    at: datetime


class Receipt(Struct, frozen=True, omit_defaults=True, tag="receipt"):
    """What became of a message that we sent. `up_to` also covers every earlier one in `address`."""

    external_id: str
    status: ReceiptStatus
    at: datetime
    code: str | None = None
    words: str | None = None
    up_to: bool = False
    address: str | None = None


class ChatMoved(Struct, frozen=True, tag="chat_moved"):
    """The chat at `old_address` continues at `new_address` (Telegram: group became supergroup)."""

    old_address: str
    new_address: str
    at: datetime


class Reachability(Struct, frozen=True, tag="reachability"):
    """The person blocked us or let us write again."""

    person: Person
    reachable: bool
    at: datetime


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """A part of a batch that could not be understood. Becomes a dead letter, never an exception."""

    reason: str
    detail: str = ""


InboundEvent = InboundMessage | Edit | Reaction | Deletion | Receipt | ChatMoved | Reachability | Unreadable


class HookRequest(Struct, frozen=True):
    """A webhook as it arrived. Header names are lower case."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class ChannelConfig(Struct, frozen=True):
    """A configured connection as an adapter sees it. `secrets` are plain text here, and only here."""

    id: str
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}


class BadSignature(Exception):
    """The request does not prove that it comes from the provider. Answered with 401, nothing kept."""


# ---------------------------------------------------------------- what goes out


class OutboundFile(Protocol):
    """A file to send. `url` is a signed, expiring public address, for channels that take links."""

    @property
    def kind(self) -> MediaKind: ...
    @property
    def name(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def duration(self) -> int | None: ...
    @property
    def url(self) -> str | None: ...

    def read(self) -> AsyncIterator[bytes]:
        """The bytes, in chunks. May be called once per attempt."""
        ...


class OutboundPart(Struct, frozen=True):
    """What one call to the provider sends. `key` is the same in every attempt at this part."""

    key: str
    address: str
    text: RichText = RichText()
    files: tuple[OutboundFile, ...] = ()
    reply_to: str | None = None  # external id


class Sent(Struct, frozen=True, omit_defaults=True):
    """The provider took it and calls it `external_ids` (several for an album)."""

    external_ids: tuple[str, ...]
    status: ReceiptStatus = "sent"


class SendError(Exception):
    """Base of the only exceptions that `send` may raise. `code` and `words` are the provider's own."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class Retryable(SendError):
    """Certainly not taken; trying again may help. `retry_after` in seconds when the provider says so;
    `whole_channel` when the wait concerns every message of the channel."""

    def __init__(
        self, code: str, words: str, retry_after: float | None = None, *, whole_channel: bool = False
    ) -> None:
        super().__init__(code, words)
        self.retry_after = retry_after
        self.whole_channel = whole_channel


class Permanent(SendError):
    """Certainly not taken, and never will be as it stands."""


class OutcomeUnknown(SendError):
    """The request was written, the answer never came: it may or may not have been taken."""


class Moved(SendError):
    """Not taken: the chat lives at `new_address` now."""

    def __init__(self, code: str, words: str, new_address: str) -> None:
        super().__init__(code, words)
        self.new_address = new_address


class Capabilities(Struct, frozen=True):
    """What the composer may offer on this channel. Lengths in UTF-16 units, sizes in bytes."""

    text_limit: int
    caption_limit: int
    file_limit: int
    marks: frozenset[str]
    media: frozenset[str]
    reports_delivered: bool
    reports_read: bool
    can_reply_to: bool
    safe_to_repeat: bool = False  # the receiver drops a repeat with the same part key


class Setting(Struct, frozen=True, omit_defaults=True):
    """A field of the channel's set-up form."""

    name: str
    label: str
    help: str
    secret: bool = False
    required: bool = True
    generated: bool = False  # made by us at creation, shown once
    default: str = ""
    format: Literal["token", "whsec"] = "token"  # of a generated value: see registry.generate


# ---------------------------------------------------------------- what an adapter is given


class HttpAnswer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]  # lower case names
    body: bytes


class HttpError(Exception):
    """The call failed below HTTP. `written` tells whether the request may have reached the other side."""

    def __init__(self, words: str, *, written: bool) -> None:
        super().__init__(words)
        self.written = written


class Download(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]: ...


class Http(Protocol):
    """The one guarded way out: time-outs, size limits, no private addresses unless allowed."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        timeout: float = 20.0,
        user_supplied: bool = False,
    ) -> HttpAnswer:
        """`user_supplied` urls may only lead to public addresses. Raises HttpError."""
        ...

    def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, user_supplied: bool = False
    ) -> AbstractAsyncContextManager[Download]:
        """Stream a body. The caller counts bytes against its own limit. Raises HttpError."""
        ...


class FetchError(Exception):
    """A file could not be fetched. `retryable` decides whether the job comes back."""

    def __init__(self, words: str, *, retryable: bool) -> None:
        super().__init__(words)
        self.retryable = retryable


class Probe(Struct, frozen=True, omit_defaults=True):
    """What a live check of a channel found: `ok`, and in words what to do when not."""

    ok: bool
    words: str
    details: dict[str, str] = {}


class Adapter(Protocol):
    """One channel kind. Instances hold no state: everything about a connection is in `config`."""

    kind: str
    title: str
    capabilities: Capabilities
    settings: Sequence[Setting]

    def verify(self, request: HookRequest, config: ChannelConfig, now: datetime) -> None:
        """Raise BadSignature unless the request is the provider's. Raw bytes, constant time."""
        ...

    def handshake(self, request: HookRequest, config: ChannelConfig) -> bytes | None:
        """Answer to the provider's GET check, or None when this channel has none."""
        ...

    def parse(self, body: bytes, config: ChannelConfig, received_at: datetime) -> Sequence[InboundEvent]:
        """Everything the body says, in its order. Total: never raises; what it cannot read is
        Unreadable, what it does not know is an InboundMessage with `unsupported`, and what needs no
        row (a service notice) is simply absent."""
        ...

    def split(
        self,
        text: RichText,
        files: Sequence[OutboundFile],
        address: str,
        key: str,
        reply_to: str | None,
    ) -> Sequence[OutboundPart]:
        """The calls that this message takes, in order. Pure and stable: the same message always
        splits into the same parts, so that a retry goes on where the last attempt stopped."""
        ...

    async def send(self, part: OutboundPart, config: ChannelConfig, http: Http) -> Sent:
        """Hand one part to the provider. Raises only SendError."""
        ...

    def fetch(
        self, ref: Mapping[str, str], config: ChannelConfig, http: Http
    ) -> AbstractAsyncContextManager[Download]:
        """Open the file behind a Media.ref. Raises FetchError."""
        ...

    async def connect(self, hook_url: str, config: ChannelConfig, http: Http) -> Probe:
        """Check the credentials live and register the webhook where the provider has a call for it."""
        ...
