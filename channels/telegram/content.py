"""What one Telegram message holds: text, files, place, card, or a label for what we cannot show.

Shapes: Bot API, "Message". Everything is read leniently; a field of a wrong type counts as absent.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from channels.base import ContactCard, Location, Media, MediaKind
from channels.lenient import clean, count, integer, items, label, mapping, number, string
from channels.richtext import RichText
from channels.telegram.entities import from_entities

# Notices about the chat itself: they say nothing that an agent could answer.
_SERVICE_FIELDS = """new_chat_members new_chat_participant new_chat_member left_chat_member left_chat_participant
    new_chat_title new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created
    channel_chat_created message_auto_delete_timer_changed pinned_message write_access_allowed
    proximity_alert_triggered boost_added chat_background_set forum_topic_created forum_topic_edited
    forum_topic_closed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden
    giveaway_created giveaway_completed video_chat_scheduled video_chat_started video_chat_ended
    video_chat_participants_invited connected_website direct_message_price_changed
    paid_message_price_changed chat_owner_left chat_owner_changed"""
SERVICE = frozenset(_SERVICE_FIELDS.split())
# Fields that describe a message and are not its content.
_ENVELOPE_FIELDS = """message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count
    sender_business_bot sender_tag date business_connection_id chat forward_origin is_topic_message
    is_automatic_forward reply_to_message external_reply quote reply_to_story reply_to_checklist_task_id
    via_bot edit_date has_protected_content is_from_offline is_paid_post media_group_id author_signature
    paid_star_count entities link_preview_options suggested_post_info effect_id caption caption_entities
    show_caption_above_media has_media_spoiler reply_markup forward_from forward_from_chat
    forward_from_message_id forward_signature forward_sender_name forward_date"""
_ENVELOPE = frozenset(_ENVELOPE_FIELDS.split())
# Content that has no picture of its own here: its label, and which inner field is worth showing as text.
_LABELS = {
    "poll": ("poll", "question"),
    "dice": ("dice", "emoji"),
    "game": ("game", "title"),
    "story": ("story", ""),
    "invoice": ("invoice", "title"),
    "successful_payment": ("payment", ""),
    "refunded_payment": ("refund", ""),
    "paid_media": ("paid media", ""),
    "checklist": ("checklist", "title"),
    "gift": ("gift", ""),
    "unique_gift": ("gift", ""),
    "giveaway": ("giveaway", ""),
    "giveaway_winners": ("giveaway winners", ""),
    "users_shared": ("shared users", ""),
    "chat_shared": ("shared chat", ""),
    "passport_data": ("passport data", ""),
    "web_app_data": ("web app data", "data"),
}
_LABEL_LENGTH = 40


class Content(Struct, frozen=True):
    text: RichText = RichText()
    media: tuple[Media, ...] = ()
    location: Location | None = None
    card: ContactCard | None = None
    unsupported: str | None = None
    context: dict[str, str] = {}


def read_content(message: dict[str, Any]) -> Content | None:
    """The content of `message`; None for a service notice."""
    for name, read in _READERS.items():
        if isinstance(message.get(name), (dict, list, str)) and (content := read(message)) is not None:
            return content
    if SERVICE & message.keys():
        return None
    return _unsupported(message)


def _text(message: dict[str, Any]) -> Content | None:
    text = message.get("text")
    if not isinstance(text, str):
        return None
    return Content(from_entities(clean(text), items(message, "entities")), context=_command(message))


def _command(message: dict[str, Any]) -> dict[str, str]:
    """`/start payload` as command and payload: the payload of a deep link tells where somebody came from."""
    text = string(message, "text") or ""
    first = next((entity for entity in items(message, "entities") if isinstance(entity, dict)), {})
    if not text.startswith("/") or first.get("type") != "bot_command" or first.get("offset") != 0:
        return {}
    name, _, payload = text.partition(" ")
    command = {"command": name[1:].partition("@")[0][:64]}
    return command | {"payload": payload.strip()[:256]} if payload.strip() else command


def _caption(message: dict[str, Any]) -> RichText:
    caption = message.get("caption")
    if not isinstance(caption, str):
        return RichText()
    return from_entities(clean(caption), items(message, "caption_entities"))


def _media(file: dict[str, Any], kind: MediaKind, content_type: str | None, name: str | None) -> Media | None:
    file_id = string(file, "file_id")
    if file_id is None or len(file_id) > 1000:
        return None
    return Media(
        kind,
        {"file_id": file_id},
        name=name,
        content_type=label(file, "mime_type") or content_type,
        size=count(file, "file_size"),
        width=count(file, "width") or count(file, "length"),  # video notes are round: one length
        height=count(file, "height") or count(file, "length"),
        duration=count(file, "duration"),
    )


def _file(
    field: str, kind: MediaKind, content_type: str | None
) -> Callable[[dict[str, Any]], Content | None]:
    def read(message: dict[str, Any]) -> Content | None:
        file = mapping(message, field)
        media = _media(file, kind, content_type, label(file, "file_name") or label(file, "title"))
        return Content(_caption(message), (media,)) if media else None

    return read


def _photo(message: dict[str, Any]) -> Content | None:
    sizes = [size for size in items(message, "photo") if isinstance(size, dict)]
    sizes.sort(key=lambda size: (count(size, "width") or 0) * (count(size, "height") or 0))
    found = [media for size in sizes if (media := _media(size, "image", "image/jpeg", None))]
    return Content(_caption(message), (found[-1],)) if found else None


def _sticker(message: dict[str, Any]) -> Content | None:
    """Animated stickers (gzipped Lottie, WebM) show as their thumbnail and emoji."""
    sticker = mapping(message, "sticker")
    emoji = label(sticker, "emoji") or ""
    if not sticker.get("is_animated") and not sticker.get("is_video"):
        media = _media(sticker, "sticker", "image/webp", None)
        return Content(media=(media,), context={"emoji": emoji} if emoji else {}) if media else None
    thumbnail = _media(mapping(sticker, "thumbnail"), "sticker", None, None)
    if thumbnail is None and not emoji:
        return Content(unsupported="animated sticker")
    return Content(RichText(emoji), (thumbnail,) if thumbnail else ())


def _venue(message: dict[str, Any]) -> Content | None:
    venue = mapping(message, "venue")
    return _placed(mapping(venue, "location"), label(venue, "title"), label(venue, "address"))


def _location(message: dict[str, Any]) -> Content | None:
    return _placed(mapping(message, "location"), None, None)


def _placed(place: dict[str, Any], title: str | None, address: str | None) -> Content | None:
    latitude, longitude = number(place, "latitude", 90), number(place, "longitude", 180)
    if latitude is None or longitude is None:
        return None
    live = integer(place, "live_period") is not None
    return Content(location=Location(latitude, longitude, title, address, live))


def _contact(message: dict[str, Any]) -> Content | None:
    contact = mapping(message, "contact")
    phone = label(contact, "phone_number")
    name = full_name(contact) or phone
    if name is None:
        return None
    return Content(card=ContactCard(name, (phone,) if phone else (), string(contact, "vcard")))


def full_name(person: dict[str, Any]) -> str | None:
    names = (label(person, "first_name"), label(person, "last_name"))
    return " ".join(name for name in names if name) or None


def _unsupported(message: dict[str, Any]) -> Content:
    for name, (words, shown) in _LABELS.items():
        if name in message:
            return Content(_shown(mapping(message, name), shown) or _caption(message), unsupported=words)
    unknown = sorted(name for name in message.keys() - _ENVELOPE if isinstance(message[name], (dict, list)))
    words = clean(unknown[0]).replace("_", " ")[:_LABEL_LENGTH].strip() if unknown else ""
    return Content(_caption(message), unsupported=words or "unknown content")


def _shown(content: dict[str, Any], field: str) -> RichText:
    return RichText(string(content, field) or "")


# In this order: an animation also sets `document`, a venue also sets `location`.
_READERS: dict[str, Callable[[dict[str, Any]], Content | None]] = {
    "text": _text,
    "photo": _photo,
    "animation": _file("animation", "video", "video/mp4"),
    "video": _file("video", "video", "video/mp4"),
    "video_note": _file("video_note", "video", "video/mp4"),
    "voice": _file("voice", "voice", "audio/ogg"),
    "audio": _file("audio", "audio", None),
    "document": _file("document", "document", None),
    "sticker": _sticker,
    "venue": _venue,
    "location": _location,
    "contact": _contact,
}
