"""A Telegram update as the events it stands for.

Shapes: Bot API, "Update". Exactly one field besides `update_id` says what happened. Known kinds that
concern no conversation (inline queries, polls of others, posts of a broadcast channel …) give nothing;
a kind that Telegram invented later is Unreadable, so that it is seen.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from channels.base import (
    Chat,
    ChatMoved,
    Deletion,
    Edit,
    InboundEvent,
    InboundMessage,
    Person,
    Reachability,
    Reaction,
    Unreadable,
)
from channels.lenient import clean, decode, integer, items, label, mapping, string, unix_time
from channels.richtext import RichText
from channels.telegram.address import Address, external_id
from channels.telegram.content import Content, full_name, read_content

_IGNORED_KINDS = """channel_post edited_channel_post business_connection message_reaction_count inline_query
    chosen_inline_result shipping_query pre_checkout_query purchased_paid_media poll poll_answer
    chat_member chat_join_request chat_boost removed_chat_boost managed_bot guest_message"""
_IGNORED = frozenset(_IGNORED_KINDS.split())
_GROUPS = ("group", "supergroup", "channel")
_DETAIL_LIMIT = 200

Update = dict[str, Any]
Events = Sequence[InboundEvent]


def read_updates(body: bytes, received_at: datetime) -> Events:
    """The events of one webhook body. Total: whatever the bytes are, it never raises."""
    update = decode(body)
    if isinstance(update, Unreadable):
        return (update,)
    if not isinstance(update, dict):
        return (Unreadable("not an update", "the body is not a JSON object"),)
    kinds = [kind for kind in update if kind != "update_id"]
    if not kinds:
        return (Unreadable("not an update", "nothing besides update_id"),)
    events: list[InboundEvent] = []
    for kind, read in _KINDS.items():
        if kind in update:
            value = update[kind]
            wrong_type = Unreadable(f"{kind} is not an object")
            events.extend(read(value, received_at) if isinstance(value, dict) else (wrong_type,))
    if unknown := [kind for kind in kinds if kind not in _KINDS and kind not in _IGNORED]:
        events.append(Unreadable("unknown kind of update", clean(", ".join(unknown))[:_DETAIL_LIMIT]))
    return events


def _message(message: Update, received_at: datetime) -> Events:
    chat = mapping(message, "chat")
    chat_id, message_id = integer(chat, "id"), integer(message, "message_id")
    if chat_id is None or message_id is None:
        return (Unreadable("a message without its chat or number"),)
    at = unix_time(message, "date", received_at)
    if moved := _moved(message, chat_id, at):
        return (moved,)
    business = _business(message)
    if business and mapping(message, "sender_business_bot"):
        return ()  # our own answer, echoed from the business account
    content = read_content(message)
    if content is None:
        return ()
    sender = _sender(message, chat)
    return (
        InboundMessage(
            external_id(chat_id, message_id, business),
            sender,
            _chat(chat, chat_id, message),
            at,
            order=message_id,
            contact=_thread_contact(chat, chat_id, sender),
            text=content.text,
            media=content.media,
            location=content.location,
            card=content.card,
            reply_to=_reply_to(message, chat_id),
            quote=string(mapping(message, "quote"), "text"),
            album=label(message, "media_group_id"),
            forwarded_from=_origin(mapping(message, "forward_origin")),
            unsupported=content.unsupported,
            context=_context(message, content),
        ),
    )


def _moved(message: Update, chat_id: int, at: datetime) -> ChatMoved | None:
    """Both halves of a migration say the same: the notice in the old chat and the one in the new."""
    if (target := integer(message, "migrate_to_chat_id")) is not None:
        return ChatMoved(str(chat_id), str(target), at)
    if (source := integer(message, "migrate_from_chat_id")) is not None:
        return ChatMoved(str(source), str(chat_id), at)
    return None


def _business(message: Update) -> str | None:
    return label(message, "business_connection_id")


def _topic(message: Update) -> int | None:
    # Outside forums the field also numbers threads of replies, which are not rooms of their own.
    return integer(message, "message_thread_id") if message.get("is_topic_message") is True else None


def _chat(chat: Update, chat_id: int, message: Update) -> Chat:
    topic = _topic(message)
    group = None
    if chat.get("type") in _GROUPS or topic is not None:
        group = Address(chat_id, topic).encode()
    return Chat(Address(chat_id, topic, _business(message)).encode(), group, label(chat, "title"))


def _room(chat: Update, chat_id: int) -> Person:
    name = label(chat, "title") or full_name(chat)
    return Person("telegram_chat", str(chat_id), name=name, username=label(chat, "username"))


def _user(user: Update) -> Person | None:
    user_id = integer(user, "id")
    if user_id is None:
        return None
    return Person(
        "telegram",
        str(user_id),
        name=full_name(user),
        username=label(user, "username"),
        language=label(user, "language_code"),
    )


def _sender(message: Update, chat: Update) -> Person:
    """Who wrote. For an anonymous admin or a channel `from` is a stand-in; `sender_chat` is the real one."""
    actor = mapping(message, "sender_chat")
    actor_id = integer(actor, "id")
    if actor_id is not None:
        return _room(actor, actor_id)
    return _user(mapping(message, "from")) or _owner(chat)


def _owner(chat: Update) -> Person:
    """The other side of the chat: a person in a private one, the room otherwise."""
    chat_id = integer(chat, "id") or 0
    if chat.get("type") in _GROUPS or chat_id < 0:
        return _room(chat, chat_id)
    return _user(chat) or _room(chat, chat_id)


def _thread_contact(chat: Update, chat_id: int, sender: Person) -> Person | None:
    """Groups: the thread is with the group. Business chats: with the customer, also when the owner writes."""
    contact = _owner(chat)
    return None if (contact.kind, contact.id) == (sender.kind, sender.id) else contact


def _reply_to(message: Update, chat_id: int) -> str | None:
    replied = mapping(message, "reply_to_message")
    number = integer(replied, "message_id")
    # In a topic every message "replies" to the notice that opened the topic.
    if number is None or "forum_topic_created" in replied:
        return None
    return external_id(chat_id, number, _business(message))


def _origin(origin: Update) -> str | None:
    """The name in a MessageOrigin: user, hidden user, chat or channel."""
    return (
        full_name(mapping(origin, "sender_user"))
        or label(origin, "sender_user_name")
        or label(mapping(origin, "sender_chat"), "title")
        or label(mapping(origin, "chat"), "title")
    )


def _context(message: Update, content: Content) -> dict[str, str]:
    context = dict(content.context)
    if external := mapping(message, "external_reply"):
        context["external_reply"] = _origin(mapping(external, "origin")) or "another chat"
    return context


def _edited(message: Update, received_at: datetime) -> Events:
    """Also what a live location sends while it moves: the message changes, no new one appears."""
    chat_id, message_id = integer(mapping(message, "chat"), "id"), integer(message, "message_id")
    if chat_id is None or message_id is None:
        return (Unreadable("an edit without its chat or number"),)
    content = read_content(message)
    if content is None or (content.unsupported and not content.text):
        return ()
    at = unix_time(message, "edit_date", received_at)
    external = external_id(chat_id, message_id, _business(message))
    return (Edit(external, at, content.text, content.location),)


def _deleted(deletion: Update, received_at: datetime) -> Events:
    chat_id = integer(mapping(deletion, "chat"), "id")
    if chat_id is None:
        return (Unreadable("a deletion without its chat"),)
    numbers = [number for number in items(deletion, "message_ids") if type(number) is int]
    business = _business(deletion)
    return [
        Deletion(external_id(chat_id, number, business), received_at)
        for number in numbers
        if abs(number) < 2**63
    ]


def _reaction(reaction: Update, received_at: datetime) -> Events:
    chat = mapping(reaction, "chat")
    chat_id, message_id = integer(chat, "id"), integer(reaction, "message_id")
    actor = mapping(reaction, "actor_chat")
    actor_id = integer(actor, "id")
    sender = _room(actor, actor_id) if actor_id is not None else _user(mapping(reaction, "user"))
    if chat_id is None or message_id is None or sender is None:
        return (Unreadable("a reaction without its message or person"),)
    emojis = [_emoji(item) for item in items(reaction, "new_reaction") if isinstance(item, dict)]
    shown = tuple(dict.fromkeys(emoji for emoji in emojis if emoji))
    at = unix_time(reaction, "date", received_at)
    return (Reaction(external_id(chat_id, message_id), sender, at, shown),)


def _emoji(reaction: Update) -> str | None:
    """A custom emoji is a picture that only Telegram can draw, a paid one a star: both show as a star."""
    emoji = label(reaction, "emoji")
    return emoji or ("⭐" if reaction.get("type") in ("custom_emoji", "paid") else None)


def _pressed(query: Update, received_at: datetime) -> Events:
    """A button under one of our messages: a message that says what was on the button.

    Telegram gives no time for it, and of an old message only chat and number ("inaccessible").
    """
    query_id, sender = label(query, "id"), _user(mapping(query, "from"))
    if query_id is None or sender is None:
        return (Unreadable("a button press without its number or person"),)
    message = mapping(query, "message")
    chat = mapping(message, "chat")
    chat_id, message_id = integer(chat, "id"), integer(message, "message_id")
    data = string(query, "data") or string(query, "game_short_name") or ""
    # Under an inline message there is no chat: answer in private.
    place = Chat(sender.id) if chat_id is None else _chat(chat, chat_id, message)
    replied = chat_id is not None and message_id is not None
    return (
        InboundMessage(
            f"callback:{query_id}",
            sender,
            place,
            received_at,
            contact=_thread_contact(chat, chat_id, sender) if chat_id is not None else None,
            text=RichText(_button_label(message, data) or data),
            reply_to=external_id(chat_id or 0, message_id or 0, _business(message)) if replied else None,
            context={"button": data[:_DETAIL_LIMIT]},
        ),
    )


def _button_label(message: Update, data: str) -> str | None:
    for row in items(mapping(message, "reply_markup"), "inline_keyboard"):
        for button in row if isinstance(row, list) else ():
            if isinstance(button, dict) and button.get("callback_data") == data:
                return label(button, "text")
    return None


def _membership(change: Update, received_at: datetime) -> Events:
    """In a private chat: the person blocked the bot or let it write again. Elsewhere: nothing to do."""
    chat = mapping(change, "chat")
    status = mapping(change, "new_chat_member").get("status")
    person = _user(mapping(change, "from")) or _user(chat)
    if chat.get("type") != "private" or person is None or status not in ("kicked", "member"):
        return ()
    return (Reachability(person, status == "member", unix_time(change, "date", received_at)),)


_KINDS: dict[str, Callable[[Update, datetime], Events]] = {
    "message": _message,
    "business_message": _message,
    "edited_message": _edited,
    "edited_business_message": _edited,
    "deleted_business_messages": _deleted,
    "message_reaction": _reaction,
    "callback_query": _pressed,
    "my_chat_member": _membership,
}
