"""What a client sees of the records: the shapes in API answers, events and outgoing webhooks.

Ids are UUIDs, written as strings; times are RFC 3339 in UTC; text offsets are UTF-16 code units.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

ConversationStatus = Literal["open", "pending", "snoozed", "resolved"]
Priority = Literal["none", "low", "medium", "high", "urgent"]
MessageKind = Literal["inbound", "outbound", "note", "activity"]
MessageState = Literal[
    "received", "queued", "sending", "sent", "delivered", "read", "failed", "unknown", "noted"
]
AttachmentState = Literal["pending", "ready", "failed"]
AttachmentKind = Literal["image", "video", "audio", "voice", "document", "sticker"]
AuthorKind = Literal["contact", "agent", "bot", "system"]
Availability = Literal["available", "away", "offline"]
Role = Literal["owner", "admin", "agent"]


class MarkView(Struct, frozen=True, omit_defaults=True):
    kind: str
    offset: int
    length: int
    href: str | None = None
    language: str | None = None


class AttachmentView(Struct, frozen=True, omit_defaults=True):
    """A file of a message. Fetch it from /api/v1/attachments/{id} once its state is ready."""

    id: UUID
    kind: AttachmentKind
    state: AttachmentState
    name: str
    content_type: str
    size: int | None = None
    width: int | None = None
    height: int | None = None
    duration: int | None = None
    error: str | None = None


class LocationView(Struct, frozen=True, omit_defaults=True):
    latitude: float
    longitude: float
    title: str | None = None
    address: str | None = None
    live: bool = False


class CardView(Struct, frozen=True, omit_defaults=True):
    name: str
    phones: tuple[str, ...] = ()


class AuthorView(Struct, frozen=True, omit_defaults=True):
    kind: AuthorKind
    id: UUID | None = None
    name: str = ""


class ReactionView(Struct, frozen=True):
    emoji: str
    by: str  # name of the person


class ReplyView(Struct, frozen=True, omit_defaults=True):
    """The message that is answered: its id when we have it, and a line of its text."""

    id: UUID | None = None
    preview: str = ""


class DeliveryError(Struct, frozen=True):
    """Why it was not sent: the provider's own code and words."""

    code: str
    words: str


class MessageView(Struct, frozen=True, omit_defaults=True):
    """One message. `sort` orders a thread (string comparison); `version` grows with every change."""

    id: UUID
    conversation_id: UUID
    channel_id: UUID | None
    kind: MessageKind
    author: AuthorView
    text: str
    state: MessageState
    at: datetime
    sort: str
    version: int
    marks: tuple[MarkView, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    location: LocationView | None = None
    card: CardView | None = None
    reply_to: ReplyView | None = None
    reactions: tuple[ReactionView, ...] = ()
    error: DeliveryError | None = None
    next_attempt_at: datetime | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    client_key: str | None = None
    unsupported: str | None = None
    forwarded_from: str | None = None
    activity: dict[str, str] | None = None  # {"what": "assigned", "agent": "…"} for activity lines
    context: dict[str, str] | None = None


class PreviewView(Struct, frozen=True, omit_defaults=True):
    """The newest message of a conversation, as the list shows it."""

    kind: MessageKind
    text: str
    author: AuthorView
    state: MessageState
    attachment: AttachmentKind | None = None
    shows: Literal["location", "card", "unsupported"] | None = None  # what there is instead of text


class ContactBrief(Struct, frozen=True, omit_defaults=True):
    id: UUID
    name: str
    time_zone: str | None = None
    language: str | None = None


class ConversationView(Struct, frozen=True, omit_defaults=True):
    """A thread. `version` grows with every change and goes into If-Match."""

    id: UUID
    contact: ContactBrief
    channel_id: UUID
    channel_kind: str
    status: ConversationStatus
    priority: Priority
    last_activity_at: datetime
    created_at: datetime
    version: int
    title: str | None = None  # of a group
    assignee_id: UUID | None = None
    label_ids: tuple[UUID, ...] = ()
    snoozed_until: datetime | None = None
    waiting_since: datetime | None = None  # oldest customer message that nobody answered
    unanswered: int = 0  # customer messages since our last answer
    preview: PreviewView | None = None


class IdentityView(Struct, frozen=True, omit_defaults=True):
    kind: str
    id: str
    name: str | None = None
    reachable: bool = True


class ContactView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    name: str
    created_at: datetime
    version: int
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    time_zone: str | None = None
    identities: tuple[IdentityView, ...] = ()


class AgentView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    name: str
    email: str
    role: Role
    availability: Availability
    time_zone: str
    active: bool = True
    on_shift: bool = True
    open_conversations: int = 0
    schedule: tuple[tuple[int, int, int], ...] = ()  # (weekday 0 = Monday, from, to) minutes, own zone


class ChannelView(Struct, frozen=True, omit_defaults=True):
    id: UUID
    kind: str
    name: str
    enabled: bool
    settings: dict[str, str]
    hook_url: str
    text_limit: int
    file_limit: int
    media: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    reports_delivered: bool = False
    reports_read: bool = False
    can_reply_to: bool = False
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    last_error: str | None = None
    snippet: str | None = None  # web chat: what goes into the customer's page


class LabelView(Struct, frozen=True):
    id: UUID
    name: str
    color: str
