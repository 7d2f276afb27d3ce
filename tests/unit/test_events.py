"""The catalogue of events: named alike, complete, the same after a journey as JSON; and what customers see of it."""

import re
from datetime import UTC, datetime
from types import UnionType
from typing import Any, get_args
from uuid import UUID, uuid4

import msgspec
import pytest

from inbox import events
from inbox.views import (
    AgentView,
    AttachmentView,
    AuthorView,
    ChannelView,
    ContactBrief,
    ContactView,
    ConversationView,
    IdentityView,
    LabelView,
    MessageView,
    PreviewView,
    ReactionView,
)
from inbox.visitors import event_for_visitor, message_for_visitor

EVENTS: tuple[type[msgspec.Struct], ...] = get_args(events.Event)
AT = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
ONE = UUID(int=1)


def message(**values: Any) -> MessageView:
    given: dict[str, Any] = {
        "id": ONE, "conversation_id": ONE, "channel_id": ONE, "kind": "inbound",
        "author": AuthorView("contact", ONE, "Inés Calderón"), "text": "¿Abren? 🌊", "state": "received", "at": AT,
        "sort": "1", "version": 1,
    }  # fmt: skip
    return MessageView(**{**given, **values})


def conversation(kind: str = "webchat") -> ConversationView:
    preview = PreviewView("inbound", "hi", AuthorView("contact"), "received")
    return ConversationView(
        ONE,
        ContactBrief(ONE, "Inés"),
        ONE,
        kind,
        "open",
        "none",
        AT,
        AT,
        7,
        label_ids=(ONE,),
        preview=preview,
    )


SAMPLES: dict[str, Any] = {
    "conversation": conversation(),
    "message": message(
        reactions=(ReactionView("❤", "Inés"),), attachments=(AttachmentView(ONE, "image", "ready", "a", "b"),)
    ),
    "activity": message(kind="activity", state="noted", activity={"what": "resolved"}),
    "contact": ContactView(ONE, "Inés", AT, 1, identities=(IdentityView("telegram", "1"),)),
    "agent": AgentView(ONE, "Olga", "olga@example.com", "owner", "available", "UTC", schedule=((0, 0, 60),)),
    "channel": ChannelView(ONE, "bot", "Bot", True, {}, "https://x", 1, 1),
    "label": LabelView(ONE, "VIP", "#7a12d4"),
    "letter_id": ONE,
    "channel_id": ONE,
    "reason": "not JSON",
    "open_letters": 1,
    "outcome": "discarded",
}


def sample(kind: type[msgspec.Struct]) -> Any:
    return kind(**{name: SAMPLES[name] for name in kind.__struct_fields__})


def test_every_event_is_named_noun_dot_past_participle() -> None:
    names = [str(kind.__struct_config__.tag) for kind in EVENTS]
    assert len(set(names)) == len(names)
    irregular = {"sent", "read"}
    for name in names:
        noun, _, verb = name.partition(".")
        assert re.fullmatch(r"[a-z]+", noun), name
        assert verb.endswith("ed") or verb in irregular, name


def test_the_union_holds_every_event_of_the_file() -> None:
    declared = {
        value for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__struct_config__.tag
        and value.__module__ == events.__name__
    }  # fmt: skip
    assert declared == set(EVENTS)
    assert isinstance(events.Event, UnionType)
    assert set(events.MESSAGE_EVENTS) == {kind for kind in EVENTS if issubclass(kind, events.MessageEvent)}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__struct_config__.tag)
def test_an_event_is_the_same_after_a_journey_as_json(kind: type[msgspec.Struct]) -> None:
    event = sample(kind)
    frame = events.frame(events.type_name(event), "abc:12", ONE, AT, events.encode(event))
    whole = msgspec.json.decode(frame)
    assert (whole["type"], whole["cursor"], whole["id"]) == (kind.__struct_config__.tag, "abc:12", str(ONE))
    assert msgspec.convert({"type": whole["type"], **whole["data"]}, kind) == event
    assert msgspec.json.decode(msgspec.json.encode(whole["data"])) == whole["data"]


# ---------------------------------------------------------------- the customer's side


@pytest.mark.parametrize("state", ["queued", "sending", "failed", "unknown"])
def test_a_customer_does_not_see_what_was_not_sent(state: str) -> None:
    assert message_for_visitor(message(kind="outbound", state=state)) is None


@pytest.mark.parametrize("kind", ["note", "activity"])
def test_a_customer_sees_neither_notes_nor_activity(kind: str) -> None:
    assert message_for_visitor(message(kind=kind, state="noted")) is None
    event = events.NoteAdded(conversation(), message(kind=kind, state="noted"))
    assert event_for_visitor("note.added", events.encode(event)) is None


def test_a_customer_sees_an_agents_first_name_and_nothing_else_of_them() -> None:
    author = AuthorView("agent", uuid4(), "Olga Petrova")
    shown = message_for_visitor(
        message(kind="outbound", state="sent", author=author, client_key="key", context={"a": "b"})
    )
    assert shown is not None
    text = msgspec.json.encode(shown).decode()
    assert (shown.name, shown.from_) == ("Olga", "agent")
    for hidden in ("Petrova", str(author.id), "key", "context"):
        assert hidden not in text


def test_events_of_other_channels_are_none_of_the_widgets_business() -> None:
    event = events.MessageReceived(conversation("telegram"), message())
    assert event_for_visitor("message.received", events.encode(event)) is None


def test_text_that_looks_like_a_channel_does_not_make_an_event_the_widgets() -> None:
    trick = message(text='"channel_kind":"webchat"')
    event = events.MessageReceived(conversation("telegram"), trick)
    assert event_for_visitor("message.received", events.encode(event)) is None


def test_a_deleted_message_is_told_without_its_text() -> None:
    event = events.MessageDeleted(conversation(), message(text="", deleted_at=AT))
    found = event_for_visitor("message.deleted", events.encode(event))
    assert found is not None
    contact_id, name, data = found
    assert (contact_id, name) == (ONE, "message.updated")
    assert msgspec.json.decode(data)["message"]["deleted"] is True
