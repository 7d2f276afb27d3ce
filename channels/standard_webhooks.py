"""Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): sign what we send, check what we get.

Written here rather than called from the `standardwebhooks` package because that decodes the body as
UTF-8 before it compares, reads its own clock, and raises other errors on malformed headers; a test
holds this file and the package to the same signatures.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

TOLERANCE = 300  # seconds that a timestamp may differ from now, either way
_PREFIX = "whsec_"
_MOST_SIGNATURES = 20  # during a rotation there are two


class BadWebhook(Exception):
    """Not signed with this secret, or too old or too new."""


def new_secret() -> str:
    """A secret of 32 random bytes, as the specification writes it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(secret: str, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt. `webhook_id` stays the same over retries; `at` does not.

    Raises ValueError when `secret` is no base64 with or without whsec_.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + _signature(_key(secret), webhook_id, timestamp, body),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The webhook-id, once one of the listed v1 signatures is right. Raises BadWebhook otherwise.

    Signatures of other versions are skipped; comparison takes constant time. Header names are lower case.
    """
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not webhook_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadWebhook("missing or malformed header")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE:
        raise BadWebhook("timestamp outside of five minutes")
    try:
        expected = _signature(_key(secret), webhook_id, timestamp, body).encode()
    except ValueError:
        raise BadWebhook("no usable secret") from None
    listed = headers.get("webhook-signature", "").split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]
    for entry in listed:
        version, _, signature = entry.partition(",")
        given = signature.encode("utf-8", "surrogateescape")
        if version == "v1" and hmac.compare_digest(given, expected):
            return webhook_id
    raise BadWebhook("no signature matches")


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not a Standard Webhooks secret") from error
    if not key:
        raise ValueError("an empty Standard Webhooks secret")
    return key


def _signature(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{webhook_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
