"""Which thread a message belongs to, and where in it. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from channels.base import Chat

_PAST, _FUTURE = timedelta(days=30), timedelta(minutes=2)

# A resolved thread is taken up again for so long; after that a customer's message opens a new one.
REOPEN_WITHIN = timedelta(days=14)


def lane(chat: Chat, channel_id: UUID, *, across_channels: bool) -> str:
    """What keeps threads of one contact apart.

    Rooms (and topics in them) are threads of their own. Otherwise a person has one thread, on whichever
    channel they write, or one per channel where the account does not want that.
    """
    if chat.group is not None:
        return f"{channel_id}/{chat.group}"
    return "" if across_channels else str(channel_id)


def place(provider_at: datetime, received_at: datetime) -> datetime:
    """Where in its thread a message stands.

    Many providers count whole seconds. A message of such a second may be younger than an answer of ours
    that fell into the same one, so it stands where it arrived, but never outside its second; the
    provider's own order decides between messages of one second (records.messages.insert).
    """
    at = clamp(provider_at, received_at)
    if at.microsecond:
        return at
    return max(at, min(received_at, at + timedelta(microseconds=999_999)))


def clamp(provider_at: datetime, received_at: datetime) -> datetime:
    """A provider's time that cannot pin a message to the top or bury it (reliability, section 2.1)."""
    return min(max(provider_at, received_at - _PAST), received_at + _FUTURE)
