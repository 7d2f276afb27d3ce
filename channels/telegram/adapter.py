"""The Telegram adapter: verify, parse, split, send, fetch and connect."""

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

from channels.base import (
    BadSignature,
    Capabilities,
    ChannelConfig,
    Download,
    FetchError,
    HookRequest,
    Http,
    HttpError,
    InboundEvent,
    OutboundFile,
    OutboundPart,
    Probe,
    Retryable,
    SendError,
    Sent,
    Setting,
)
from channels.lenient import integer, string
from channels.richtext import RichText
from channels.telegram.api import DEFAULT_URL, blot, call, method_url
from channels.telegram.sending import CAPTION_LIMIT, TEXT_LIMIT, UPLOAD_LIMIT, send_part, split_message
from channels.telegram.updates import read_updates

# Listed because reactions are not delivered by default, and setWebhook keeps an older list otherwise.
ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
)
MAX_CONNECTIONS = 40


class TelegramAdapter:
    """Telegram bots. Messages are "sent" at best: bots learn neither delivery nor reading."""

    kind = "telegram"
    title = "Telegram"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        caption_limit=CAPTION_LIMIT,
        file_limit=UPLOAD_LIMIT,
        marks=frozenset({"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "quote", "link"}),
        media=frozenset({"image", "video", "audio", "voice", "document"}),
        reports_delivered=False,
        reports_read=False,
        can_reply_to=True,
    )
    settings: Sequence[Setting] = (
        Setting(
            "bot_token",
            "Bot token",
            "Write to @BotFather in Telegram, send /newbot, and paste the token that it answers with.",
            secret=True,
        ),
        Setting(
            "webhook_secret",
            "Webhook secret",
            "Proves that a webhook comes from Telegram. Made for you and set at Telegram when you connect.",
            secret=True,
            generated=True,
        ),
        Setting(
            "api_url",
            "Bot API address",
            "Change it only if you run your own Bot API server.",
            required=False,
            default=DEFAULT_URL,
        ),
    )

    def verify(self, request: HookRequest, config: ChannelConfig, now: datetime) -> None:
        """The secret given to setWebhook comes back in a header; Telegram signs nothing else."""
        expected = config.secrets.get("webhook_secret", "").encode("utf-8", "surrogateescape")
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "surrogateescape")
        if not expected or not hmac.compare_digest(given, expected):
            raise BadSignature

    def handshake(self, request: HookRequest, config: ChannelConfig) -> bytes | None:
        return None

    def parse(self, body: bytes, config: ChannelConfig, received_at: datetime) -> Sequence[InboundEvent]:
        """Total. Text is as written, except that U+0000 and lone surrogates become U+FFFD, because
        PostgreSQL can store neither."""
        return read_updates(body, received_at)

    def split(
        self, text: RichText, files: Sequence[OutboundFile], address: str, key: str, reply_to: str | None
    ) -> Sequence[OutboundPart]:
        return split_message(text, files, address, key, reply_to)

    async def send(self, part: OutboundPart, config: ChannelConfig, http: Http) -> Sent:
        return await send_part(part, config, http)

    def fetch(
        self, ref: Mapping[str, str], config: ChannelConfig, http: Http
    ) -> AbstractAsyncContextManager[Download]:
        """Ask getFile for the path, then stream it. Bots may fetch up to 20 MB; a larger file stays at
        Telegram, and the FetchError says so."""
        return _fetch(ref, config, http)

    async def connect(self, hook_url: str, config: ChannelConfig, http: Http) -> Probe:
        """getMe, setWebhook, getWebhookInfo."""
        try:
            bot = await call("getMe", {}, config, http)
            await call("setWebhook", _webhook(hook_url, config), config, http)
            info = await call("getWebhookInfo", {}, config, http)
        except SendError as error:
            return Probe(False, error.words, {"code": error.code})
        return _probe(bot, info)


def _webhook(hook_url: str, config: ChannelConfig) -> dict[str, Any]:
    return {
        "url": hook_url,
        "secret_token": config.secrets.get("webhook_secret", ""),
        "max_connections": MAX_CONNECTIONS,
        "allowed_updates": list(ALLOWED_UPDATES),
    }


def _probe(bot: Any, info: Any) -> Probe:
    user, hook = (value if isinstance(value, dict) else {} for value in (bot, info))
    name = string(user, "username") or string(user, "first_name") or "the bot"
    details = {"bot": name, "waiting": str(integer(hook, "pending_update_count") or 0)}
    if problem := string(hook, "last_error_message"):
        details["last_error"] = problem[:200]
    return Probe(True, f"Connected as @{name}.", details)


@asynccontextmanager
async def _fetch(ref: Mapping[str, str], config: ChannelConfig, http: Http) -> AsyncIterator[Download]:
    try:
        path = await _file_path(ref, config, http)
        url = method_url(config, "file/bot{token}/") + quote(path)
        async with http.download(url) as download:
            if download.status != 200:
                gone = 400 <= download.status < 500 and download.status != 429
                raise FetchError(f"Telegram answered {download.status} for the file.", retryable=not gone)
            yield download
    except HttpError as error:
        raise FetchError(blot(str(error), config), retryable=True) from None


async def _file_path(ref: Mapping[str, str], config: ChannelConfig, http: Http) -> str:
    try:
        file = await call("getFile", {"file_id": ref.get("file_id", "")}, config, http)
    except Retryable as error:
        raise FetchError(error.words, retryable=True) from None
    except SendError as error:
        if "too big" in error.words:
            words = "The file is larger than the 20 MB that Telegram lets bots fetch. Open it in Telegram."
            raise FetchError(words, retryable=False) from None
        # An unanswered getFile changed nothing at Telegram, so asking again is safe.
        raise FetchError(error.words, retryable=error.code == "no_answer") from None
    path = string(file, "file_path") if isinstance(file, dict) else None
    if path is None:
        raise FetchError("Telegram gave no path for the file.", retryable=True)
    return path
