"""Signed webhooks of a bot channel, ready to be written to a socket."""

import uuid
from datetime import UTC, datetime

import msgspec

from channels.standard_webhooks import signed_headers
from inbox.bench.place import Channel

_FILLER = "The order left the harbour on Tuesday and has not been seen since. " * 8


def message(channel: Channel, number: int, contact: int, marker: str) -> bytes:
    """One HTTP request with one customer's message of about 900 bytes, valid for five minutes."""
    now = datetime.now(UTC)
    body = msgspec.json.encode(
        {
            "type": "message.created",
            "timestamp": now.isoformat(),
            "data": {
                "external_id": f"{marker}-{number}",
                "contact": {
                    "source_id": f"person-{contact}",
                    "name": f"Ada Sample {contact}",
                    "locale": "en",
                },
                "content": {"type": "text", "text": f"{marker}:{number}: {_FILLER}"},
            },
        }
    )
    headers = signed_headers(channel.secret, f"msg_{uuid.uuid4().hex}", now, body)
    lines = [f"POST /hooks/{channel.id} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json",
             f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
