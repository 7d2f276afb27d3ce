"""One call of the Bot API, and what its failures mean.

Answers: {"ok": true, "result": …} or {"ok": false, "error_code", "description", "parameters"?}
(https://core.telegram.org/bots/api#making-requests). The bot token is part of every address, so no
words of an error leave this module before the token is blotted out.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from channels.base import (
    ChannelConfig,
    Http,
    HttpAnswer,
    HttpError,
    Moved,
    OutboundFile,
    OutcomeUnknown,
    Permanent,
    Retryable,
    Unreadable,
)
from channels.lenient import decode, integer, mapping, string

DEFAULT_URL = "https://api.telegram.org"
LONGEST_WAIT = 86_400.0  # seconds; a longer retry_after is a mistake at the other side
_WORDS_LIMIT = 500
_REPAIR = "The bot token is not valid (any more). Copy the current one from @BotFather into the settings."


def method_url(config: ChannelConfig, path: str) -> str:
    base = (config.settings.get("api_url") or DEFAULT_URL).rstrip("/")
    return f"{base}/{path.format(token=config.secrets.get('bot_token', ''))}"


async def call(
    method: str, payload: Mapping[str, Any], config: ChannelConfig, http: Http, timeout: float = 20.0
) -> Any:
    """The `result` of a method called with JSON. Raises only SendError."""
    return await _request(method, "application/json", msgspec.json.encode(payload), config, http, timeout)


async def upload(
    method: str,
    fields: Mapping[str, str],
    files: Sequence[tuple[str, OutboundFile]],
    config: ChannelConfig,
    http: Http,
) -> Any:
    """The `result` of a method called with multipart/form-data; files are streamed, never held whole.

    Raises only SendError. Time-out: 20 s and a second for each 100 kB.
    """
    boundary = secrets.token_hex(16)
    timeout = 20.0 + sum(file.size for _, file in files) / 100_000
    content = _multipart(boundary, fields, files)
    return await _request(method, f"multipart/form-data; boundary={boundary}", content, config, http, timeout)


async def _request(
    method: str,
    content_type: str,
    content: bytes | AsyncIterator[bytes],
    config: ChannelConfig,
    http: Http,
    timeout: float,
) -> Any:
    url = method_url(config, "bot{token}/" + method)
    try:
        answer = await http.request(
            "POST", url, headers={"content-type": content_type}, content=content, timeout=timeout
        )
    except HttpError as error:
        words = blot(str(error), config)
        # Telegram has no idempotency key: what may have arrived must not be sent again unasked.
        failure = OutcomeUnknown if error.written else Retryable
        raise failure("no_answer" if error.written else "not_connected", words) from None
    return _result(answer, config)


def _result(answer: HttpAnswer, config: ChannelConfig) -> Any:
    value = decode(answer.body)
    if isinstance(value, dict) and value.get("ok") is True and 200 <= answer.status < 300:
        return value.get("result")
    reply = value if isinstance(value, dict) and not isinstance(value, Unreadable) else {}
    code = integer(reply, "error_code") or answer.status
    words = blot(string(reply, "description") or f"HTTP {answer.status} without an explanation", config)
    parameters = mapping(reply, "parameters")
    if code == 429:
        raise Retryable("429", words, _wait(parameters, answer), whole_channel=True)
    if code >= 500:
        raise Retryable(str(code), words, _wait(parameters, answer))
    if (target := integer(parameters, "migrate_to_chat_id")) is not None:
        raise Moved(str(code), words, str(target))
    if code in (401, 404):
        raise Permanent(str(code), f"{words}. {_REPAIR}")
    if 200 <= code < 300:
        raise OutcomeUnknown(str(code), "Telegram's answer could not be understood")
    raise Permanent(str(code), words)


def _wait(parameters: Mapping[str, Any], answer: HttpAnswer) -> float | None:
    seconds = integer(parameters, "retry_after")
    header = answer.headers.get("retry-after", "")
    if seconds is None and header.isascii() and header.isdigit() and len(header) < 10:
        seconds = int(header)
    return None if seconds is None or seconds < 0 else min(float(seconds), LONGEST_WAIT)


def blot(words: str, config: ChannelConfig) -> str:
    """`words` without the bot token, at most 500 characters."""
    token = config.secrets.get("bot_token", "")
    return (words.replace(token, "[token]") if token else words)[:_WORDS_LIMIT]


async def _multipart(
    boundary: str, fields: Mapping[str, str], files: Sequence[tuple[str, OutboundFile]]
) -> AsyncIterator[bytes]:
    """RFC 7578, with file names quoted as browsers do (HTML standard, "multipart/form-data encoding")."""
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        yield f"{head}{value}\r\n".encode()
    for name, file in files:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{_quoted(file.name)}"'
        )
        yield f"{head}\r\nContent-Type: {_one_line(file.content_type)}\r\n\r\n".encode("utf-8", "replace")
        async for chunk in _bytes_of(file):
            yield chunk
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


async def _bytes_of(file: OutboundFile) -> AsyncIterator[bytes]:
    try:
        async for chunk in file.read():
            yield chunk
    except Exception as error:
        # The form stays unfinished, so the provider cannot have taken it: safe to try again.
        raise HttpError(f"the file could not be read ({type(error).__name__})", written=False) from error


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _one_line(value: str) -> str:
    return value.replace("\r", "").replace("\n", "") or "application/octet-stream"
