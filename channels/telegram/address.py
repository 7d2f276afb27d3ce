"""How a Telegram chat and a Telegram message are written as our address and external id.

Address: `chat_id`, then `/message_thread_id` in a topic, then `@business_connection_id` when the bot
writes for a business account. External id: `chat_id:message_id`; messages of a business account are
numbered apart from the bot's own, so theirs ends in `@business_connection_id`.
"""

from msgspec import Struct


class Address(Struct, frozen=True):
    """Where `send` goes. Telegram's ids are integers of up to 52 bits."""

    chat_id: int
    topic: int | None = None
    business: str | None = None

    def encode(self) -> str:
        topic = f"/{self.topic}" if self.topic is not None else ""
        business = f"@{self.business}" if self.business else ""
        return f"{self.chat_id}{topic}{business}"


def decode_address(text: str) -> Address | None:
    """The address written by `Address.encode`, or None for anything else."""
    room, _, business = text.partition("@")
    chat, slash, topic = room.partition("/")
    chat_id, thread = _whole(chat), _whole(topic)
    if chat_id is None or (slash and thread is None):
        return None
    return Address(chat_id, thread, business or None)


def external_id(chat_id: int, message_id: int, business: str | None = None) -> str:
    return f"{chat_id}:{message_id}@{business}" if business else f"{chat_id}:{message_id}"


def message_number(external: str, chat_id: int) -> int | None:
    """The message_id inside `external` when that message stands in `chat_id`, otherwise None."""
    room, _, rest = external.partition(":")
    return _whole(rest.partition("@")[0]) if room == str(chat_id) else None


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
