"""Every channel kind and its adapter, written out by hand."""

import secrets
from collections.abc import Sequence

from channels.base import Adapter, Setting
from channels.bot import BotAdapter
from channels.standard_webhooks import new_secret
from channels.telegram.adapter import TelegramAdapter
from channels.webchat import WebchatAdapter

_ADAPTERS: dict[str, Adapter] = {
    "webchat": WebchatAdapter(),
    "telegram": TelegramAdapter(),
    "bot": BotAdapter(),
}


def adapter(kind: str) -> Adapter:
    """The adapter of a channel kind. Raises KeyError for a kind that does not exist."""
    return _ADAPTERS[kind]


def all_adapters() -> Sequence[Adapter]:
    """Every adapter, in the order in which set-up offers them."""
    return tuple(_ADAPTERS.values())


def generate(setting: Setting) -> str:
    """A fresh value for a `generated` setting: 32 random bytes in the form that its channel needs."""
    return new_secret() if setting.format == "whsec" else secrets.token_urlsafe(32)
