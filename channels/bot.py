"""The bot and API channel: your own program talks to the inbox by signed webhooks, both ways.

The bodies are described in docs/channels/bot.md. A request may carry one event or an array of them;
one that cannot be read does not hold up the others.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from channels.base import (
    BadSignature,
    Capabilities,
    ChannelConfig,
    Download,
    FetchError,
    HookRequest,
    Http,
    HttpAnswer,
    HttpError,
    InboundEvent,
    OutboundFile,
    OutboundPart,
    Permanent,
    Probe,
    Retryable,
    Sent,
    Setting,
)
from channels.bot_events import read_events
from channels.markdown_writer import to_markdown
from channels.richtext import RichText
from channels.splitting import split_with_files
from channels.standard_webhooks import BadWebhook, signed_headers, verify

TEXT_LIMIT = 10_000
FILE_LIMIT = 25_000_000
_TIMEOUT = 20.0
_LONGEST_WAIT = 86_400.0
_WORDS_LIMIT = 300


def _now() -> datetime:
    return datetime.now(UTC)


class BotAdapter:
    """Signed webhooks in, signed webhooks out (Standard Webhooks)."""

    kind = "bot"
    title = "Bot or API"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        caption_limit=TEXT_LIMIT,
        file_limit=FILE_LIMIT,
        marks=frozenset({"bold", "italic", "strike", "code", "pre", "quote", "link"}),
        media=frozenset({"image", "video", "audio", "voice", "document"}),
        reports_delivered=True,
        reports_read=True,
        can_reply_to=True,
        safe_to_repeat=True,
    )
    settings: Sequence[Setting] = (
        Setting(
            "callback_url",
            "Callback address",
            "Where answers go: the https address of your program that takes our signed webhooks.",
        ),
        Setting(
            "inbound_secret",
            "Secret for messages to us",
            "Sign what you send us with it (Standard Webhooks). Made for you; shown once.",
            secret=True,
            generated=True,
            format="whsec",
        ),
        Setting(
            "outbound_secret",
            "Secret for messages to you",
            "Check with it that an answer comes from us. Made for you; shown once.",
            secret=True,
            generated=True,
            format="whsec",
        ),
    )

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock

    def verify(self, request: HookRequest, config: ChannelConfig, now: datetime) -> None:
        """Standard Webhooks over the raw bytes, at most five minutes old."""
        try:
            verify(config.secrets.get("inbound_secret", ""), request.headers, request.body, now)
        except BadWebhook as error:
            raise BadSignature from error

    def handshake(self, request: HookRequest, config: ChannelConfig) -> bytes | None:
        return None

    def parse(self, body: bytes, config: ChannelConfig, received_at: datetime) -> Sequence[InboundEvent]:
        """Total. Text is as written (see `channels.lenient`)."""
        return read_events(body, received_at)

    def split(
        self, text: RichText, files: Sequence[OutboundFile], address: str, key: str, reply_to: str | None
    ) -> Sequence[OutboundPart]:
        return split_with_files(text, files, TEXT_LIMIT, address, key, reply_to)

    async def send(self, part: OutboundPart, config: ChannelConfig, http: Http) -> Sent:
        """POST message.created to the callback address. Raises only SendError.

        Never OutcomeUnknown: the receiver drops what comes twice with one webhook-id, and the part's key
        is that id in every attempt. So sending again after a time-out is safe, and better than asking.
        """
        now = self._clock()
        body = msgspec.json.encode(_callback(part, now))
        try:
            headers = signed_headers(config.secrets.get("outbound_secret", ""), part.key, now, body)
        except ValueError:
            raise Permanent(
                "bad_secret", "The channel's secret for answers is not usable. Make a new one."
            ) from None
        try:
            answer = await http.request(
                "POST",
                config.settings.get("callback_url", ""),
                headers=headers | {"content-type": "application/json"},
                content=body,
                timeout=_TIMEOUT,
                user_supplied=True,
            )
        except HttpError as error:
            raise Retryable("no_answer", str(error)[:_WORDS_LIMIT]) from error
        _check(answer, now)
        return Sent((part.key,))

    def fetch(
        self, ref: Mapping[str, str], config: ChannelConfig, http: Http
    ) -> AbstractAsyncContextManager[Download]:
        """Stream the address that the bot gave. Only public http and https addresses; raises FetchError."""
        return _fetch(ref.get("url", ""), http)

    async def connect(self, hook_url: str, config: ChannelConfig, http: Http) -> Probe:
        """Nothing is called: a callback address need not answer to anything but signed messages."""
        url = config.settings.get("callback_url", "")
        if not url.startswith(("https://", "http://")):
            return Probe(False, "The callback address must begin with https://.")
        return Probe(
            True, "Ready. Send signed webhooks to the address of this channel.", {"hook_url": hook_url}
        )


def _callback(part: OutboundPart, now: datetime) -> dict[str, Any]:
    data: dict[str, Any] = {
        "message_id": part.key,
        "conversation": {"id": part.address},
        "text": part.text.text,
        "markdown": to_markdown(part.text),
        "attachments": [_attachment(file) for file in part.files],
    }
    if part.reply_to:
        data["reply_to"] = part.reply_to
    return {"type": "message.created", "timestamp": now, "data": data}


def _attachment(file: OutboundFile) -> dict[str, Any]:
    if file.url is None:
        words = "The file has no public address that the bot could fetch. Set PUBLIC_URL, then retry."
        raise Permanent("no_public_address", words)
    return {
        "url": file.url,
        "kind": file.kind,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
    }


def _check(answer: HttpAnswer, now: datetime) -> None:
    """Standard Webhooks: 2xx is success, 410 is the end, 429 and 5xx ask for patience."""
    status = answer.status
    if 200 <= status < 300:
        return
    words = answer.body[:_WORDS_LIMIT].decode("utf-8", "replace").strip() or f"HTTP {status}"
    if status in (408, 425, 429) or status >= 500:
        wait = _retry_after(answer.headers.get("retry-after", ""), now)
        raise Retryable(str(status), words, wait, whole_channel=status == 429)
    if 300 <= status < 400:
        words = "The callback address redirects elsewhere. Enter the final address in the settings."
    if status == 410:
        words = "The callback address says that it is gone for good. Enter a new one in the settings."
    raise Permanent(str(status), words)


def _retry_after(header: str, now: datetime) -> float | None:
    """Seconds from a Retry-After of either form (RFC 9110, 10.2.3), at most a day."""
    if header.isascii() and header.isdigit():
        return min(float(header[:9]), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_WAIT)


@asynccontextmanager
async def _fetch(url: str, http: Http) -> AsyncIterator[Download]:
    if not url.startswith(("https://", "http://")):
        raise FetchError("The address of the file is not an http or https address.", retryable=False)
    try:
        async with http.download(url, user_supplied=True) as download:
            if download.status != 200:
                again = download.status >= 500 or download.status in (408, 425, 429)
                raise FetchError(f"The file's server answered {download.status}.", retryable=again)
            yield download
    except HttpError as error:
        raise FetchError(str(error)[:_WORDS_LIMIT], retryable=True) from error
