"""Telegram: the Bot API (https://core.telegram.org/bots/api) over webhooks."""
