"""The decisions that need nothing but their arguments."""

import ipaddress
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Chat
from inbox import settings as settings_module
from inbox import threads
from inbox.actions.change import Change, plan
from inbox.actions.media import clean_name, kind_of, shown_in_place, sniff
from inbox.actions.people import check_password
from inbox.actions.send import backoff
from inbox.crypto import Passwords, Seals, Signer
from inbox.errors import BadInput, ConfigurationError
from inbox.http import is_public
from inbox.records.conversations import Locked
from inbox.records.messages import sort_key
from inbox.settings import Settings, as_environment, from_environment, with_secret_key

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SETTINGS = Settings(secret_key="k" * 40)

# ---------------------------------------------------------------- threads


def test_a_room_is_a_thread_of_its_own_and_a_person_has_one_per_channel_or_one_in_all() -> None:
    channel = uuid4()
    assert threads.lane(Chat("1"), channel, across_channels=True) == ""
    assert threads.lane(Chat("1"), channel, across_channels=False) == str(channel)
    room = threads.lane(Chat("1", "room"), channel, across_channels=True)
    assert room == threads.lane(Chat("9", "room"), channel, across_channels=False)
    assert room not in ("", str(channel))


@given(st.floats(6e8, 3.8e9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_a_providers_time_stays_within_what_is_believable(provider_at: datetime) -> None:
    for at in (threads.clamp(provider_at, NOW), threads.place(provider_at, NOW)):
        assert NOW - timedelta(days=30) <= at <= NOW + timedelta(minutes=2, seconds=1)
    if NOW - timedelta(days=30) < provider_at < NOW:
        assert abs(threads.place(provider_at, NOW) - provider_at) < timedelta(seconds=1)


@given(st.lists(st.tuples(st.integers(0, 2**41), st.integers(0, 2**40)), min_size=2, max_size=8))
def test_the_key_of_a_place_sorts_like_the_place(places: list[tuple[int, int]]) -> None:
    same = UUID(int=1)
    at = [(datetime.fromtimestamp(ms / 1000, UTC), order) for ms, order in places]
    keys = [sort_key(moment, order, same) for moment, order in at]
    assert sorted(keys) == [sort_key(moment, order, same) for moment, order in sorted(at)]


# ---------------------------------------------------------------- change


def conversation(**values: object) -> Locked:
    given: dict[str, object] = {
        "id": uuid4(), "contact_id": uuid4(), "channel_id": uuid4(), "address": "1", "lane": "", "status": "open",
        "assignee_id": None, "snoozed_until": None, "label_ids": [], "priority": "none", "version": 1,
    }  # fmt: skip
    return Locked(**{**given, **values})  # type: ignore[arg-type]


def test_a_change_to_what_is_already_so_is_no_step() -> None:
    agent = uuid4()
    current = conversation(assignee_id=agent, priority="high", label_ids=[agent])
    wanted = Change(status="open", assignee_id=agent, priority="high", label_ids=(agent,))
    assert plan(current, wanted, NOW, {agent: "Olga"}) == []


def test_resolving_answers_what_waited() -> None:
    (step,) = plan(conversation(), Change(status="resolved"), NOW, {})
    assert step.values == {
        "status": "resolved",
        "snoozed_until": None,
        "waiting_since": None,
        "unanswered": 0,
    }
    assert step.event.__struct_config__.tag == "conversation.resolved"


@pytest.mark.parametrize("status", ["resolved", "snoozed"])
def test_opening_again_is_said_so(status: str) -> None:
    (step,) = plan(conversation(status=status, snoozed_until=NOW), Change(status="open"), NOW, {})
    assert (step.event.__struct_config__.tag, step.line) == ("conversation.reopened", {"what": "reopened"})


@pytest.mark.parametrize(
    "wanted",
    [
        Change(status="snoozed"),
        Change(snoozed_until=NOW),
        Change(snoozed_until=NOW - timedelta(days=1)),
        Change(snoozed_until=NOW + timedelta(days=400)),
        Change(snoozed_until=NOW.replace(tzinfo=None)),
    ],
)
def test_a_snooze_needs_a_time_within_the_next_year(wanted: Change) -> None:
    with pytest.raises(BadInput):
        plan(conversation(), wanted, NOW, {})


def test_each_kind_of_change_is_one_step_with_one_event() -> None:
    agent = uuid4()
    wanted = Change(status="pending", assignee_id=agent, priority="urgent", label_ids=(agent, agent))
    steps = plan(conversation(), wanted, NOW, {agent: "Olga"})
    assert [step.event.__struct_config__.tag for step in steps] == [
        "conversation.updated", "conversation.assigned", "conversation.updated", "conversation.updated",
    ]  # fmt: skip
    assert steps[1].line == {"what": "assigned", "agent": "Olga"}
    assert steps[3].values == {"label_ids": [agent]}


# ---------------------------------------------------------------- sending


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_pause_grows_and_is_bounded(attempt: int, chance: float) -> None:
    assert 1.0 <= backoff(attempt, chance) <= 301.0
    assert backoff(attempt, 1.0) <= backoff(attempt + 1, 1.0)


# ---------------------------------------------------------------- crypto


def test_what_is_sealed_opens_at_its_own_place_only() -> None:
    seals = Seals(SETTINGS)
    sealed = seals.close({"token": "secret"}, "channel 1")
    assert b"secret" not in sealed
    assert seals.open(sealed, "channel 1") == {"token": "secret"}
    assert seals.close({"token": "secret"}, "channel 1") != sealed
    broken = bytearray(sealed)
    broken[-1] ^= 1
    for wrong, place in ((sealed, "channel 2"), (bytes(broken), "channel 1")):
        with pytest.raises(ConfigurationError):
            seals.open(wrong, place)
    with pytest.raises(ConfigurationError):
        Seals(Settings(secret_key="x" * 40)).open(sealed, "channel 1")


def test_a_signed_value_is_one_purposes_and_ends() -> None:
    signer = Signer(SETTINGS, "visitors")
    token = signer.sign("a.b/c", seconds=60)
    assert signer.verify(token) == "a.b/c"
    assert Signer(SETTINGS, "file links").verify(token) is None
    assert signer.verify(signer.sign("x", seconds=-1)) is None


@given(st.text(max_size=80))
def test_nothing_but_our_own_token_verifies(token: str) -> None:
    assert Signer(SETTINGS, "visitors").verify(token) is None


def test_every_bit_of_a_token_counts() -> None:
    signer = Signer(SETTINGS, "visitors")
    token = signer.sign("value", seconds=60)
    for n in range(len(token) - 1):
        changed = token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :]
        assert signer.verify(changed) is None, n


async def test_a_password_matches_itself_and_an_unknown_person_matches_nothing() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("correct horse")
    assert await passwords.matches(hashed, "correct horse")
    assert not await passwords.matches(hashed, "correct horsE")
    assert not await passwords.matches(None, "correct horse")
    assert not await passwords.matches("not a hash", "correct horse")
    assert not await passwords.matches(hashed, "x" * 2000)


@pytest.mark.parametrize("password", ["", "1234567", "aaaaaaaaa", "Olga Petrova", "x" * 2000])
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        check_password(password, "olga petrova")


# ---------------------------------------------------------------- the way out

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.0.192", "198.18.0.1", "::1", "::", "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "2001:db8::1",
    "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public_whatever_its_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "172.32.0.1"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


def test_the_operator_may_allow_a_network_and_no_more() -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16")]
    assert is_public("10.1.2.3", allowed)
    assert not is_public("10.2.2.3", allowed)
    assert not is_public("::ffff:10.1.2.3", allowed)


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(str(address))


# ---------------------------------------------------------------- files

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 30
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 30
OGG = b"OggS\x00\x02" + b"\x00" * 22 + b"\x01\x13OpusHead" + b"\x00" * 20


@pytest.mark.parametrize(
    ("head", "claimed", "found"),
    [
        (PNG, "image/png", "image/png"),
        (PNG, "text/plain", "image/png"),
        (JPEG, "image/jpeg", "image/jpeg"),
        (OGG, "audio/ogg", "audio/ogg"),
        (OGG, "audio/ogg; codecs=opus", "audio/ogg"),
        (b"<!doctype html><script>", "image/png", "application/octet-stream"),
        (b"<!doctype html><script>", "text/html", "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml", "application/octet-stream"),
        (b"hello", "", "application/octet-stream"),
        (b"hello", "text/plain\r\nx: y", "application/octet-stream"),
        (b"", "image/png", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, claimed: str, found: str) -> None:
    assert sniff(head, claimed) == found


@given(
    st.binary(max_size=300),
    st.sampled_from(["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"]),
)
def test_nothing_is_ever_shown_as_a_page(head: bytes, claimed: str) -> None:
    found = sniff(head, claimed)
    assert not any(word in found for word in ("html", "svg"))
    assert not shown_in_place("text/html")
    assert not shown_in_place("image/svg+xml")


def test_a_voice_note_is_one_only_while_it_is_sound() -> None:
    assert kind_of("audio/ogg", "voice") == "voice"
    assert kind_of("audio/ogg", "document") == "audio"
    assert kind_of("application/octet-stream", "voice") == "document"
    assert kind_of("video/webm", "sticker") == "sticker"


@given(st.text(max_size=400))
def test_a_name_of_a_file_is_short_and_leads_nowhere(name: str) -> None:
    found = clean_name(name)
    assert 1 <= len(found) <= 200
    assert "/" not in found
    assert "\\" not in found
    assert "\x00" not in found
    assert found not in (".", "..")


# ---------------------------------------------------------------- settings


def test_settings_come_from_the_environment_by_their_names() -> None:
    found = from_environment(
        {"PORT": "9001", "DATA_DIR": "/srv/inbox", "HTTP_TIMEOUT": "1.5", "UNRELATED": "x", "HOST": ""}
    )
    assert (found.port, found.data_dir, found.http_timeout, found.host) == (
        9001,
        Path("/srv/inbox"),
        1.5,
        "127.0.0.1",
    )


def test_a_value_of_the_wrong_kind_names_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="PORT"):
        from_environment({"PORT": "eight thousand"})


def test_a_child_process_gets_the_same_settings() -> None:
    odd = Settings(port=9, public_url="https://inbox.example", secret_key="s" * 40, data_dir=Path("/srv/a b"))
    assert from_environment(as_environment(odd)) == odd


def test_a_short_key_is_refused_and_a_missing_one_is_made_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        with_secret_key(Settings(secret_key="short"))
    made = with_secret_key(Settings(data_dir=tmp_path / "d"))
    assert len(made.secret_key) >= 32
    assert (tmp_path / "d" / "secret_key").stat().st_mode & 0o077 == 0
    assert with_secret_key(Settings(data_dir=tmp_path / "d")).secret_key == made.secret_key


def test_keys_of_different_purposes_differ() -> None:
    assert len({SETTINGS.key(purpose) for purpose in ("csrf", "visitors", "file links", "first run")}) == 4


def test_every_setting_is_described() -> None:
    for field in msgspec.structs.fields(Settings):
        info = msgspec.inspect.type_info(field.type)
        assert isinstance(info, msgspec.inspect.Metadata), field.name
        assert (info.extra_json_schema or {}).get("description"), field.name
    assert "| `PORT` |" in settings_module.markdown_table()


def test_jitter_spreads_what_failed_together() -> None:
    spread = {round(backoff(4, random.Random(n).random()), 1) for n in range(50)}
    assert len(spread) > 20
