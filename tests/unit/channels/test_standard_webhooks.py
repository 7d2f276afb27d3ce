"""Our Standard Webhooks against the specification's library and its vectors."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from channels.standard_webhooks import BadWebhook, new_secret, signed_headers, verify

VECTOR = json.loads((Path(__file__).parents[2] / "fixtures/signatures/standard_webhooks.json").read_bytes())


def test_the_vector_is_accepted_beside_a_signature_of_another_version() -> None:
    at = datetime.fromtimestamp(int(VECTOR["headers"]["webhook-timestamp"]), UTC)
    body = VECTOR["raw_body"].encode()
    assert verify(VECTOR["secret"], VECTOR["headers"], body, at) == VECTOR["headers"]["webhook-id"]
    ours = signed_headers(VECTOR["secret"], VECTOR["headers"]["webhook-id"], at, body)
    assert ours["webhook-signature"] in VECTOR["headers"]["webhook-signature"].split(" ")


@given(st.text(max_size=60), st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_the_library_accepts_what_we_sign_and_we_accept_what_it_signs(text: str, webhook_id: str) -> None:
    secret, now, body = new_secret(), datetime.now(UTC), text.encode("utf-8", "replace")
    library = Webhook(secret)
    library.verify(body, signed_headers(secret, webhook_id, now, body), json_parse=False)
    signature = library.sign(webhook_id, now, body.decode())
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    assert verify(secret, headers, body, now) == webhook_id


def test_both_secrets_of_a_rotation_are_good() -> None:
    old, new, now = new_secret(), new_secret(), datetime.now(UTC)
    headers = signed_headers(old, "m", now, b"x")
    headers["webhook-signature"] += " v2,abc " + signed_headers(new, "m", now, b"x")["webhook-signature"]
    assert verify(old, headers, b"x", now) == verify(new, headers, b"x", now) == "m"


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "１７７０１９９２００", "9" * 400, "1770199200.5"])
def test_a_strange_timestamp_is_refused(timestamp: str) -> None:
    secret, now = new_secret(), datetime.now(UTC)
    with pytest.raises(BadWebhook):
        verify(secret, signed_headers(secret, "m", now, b"") | {"webhook-timestamp": timestamp}, b"", now)


def test_a_secret_that_is_no_base64_cannot_sign() -> None:
    with pytest.raises(ValueError, match="secret"):
        signed_headers("whsec_%%%", "m", datetime.now(UTC), b"")
