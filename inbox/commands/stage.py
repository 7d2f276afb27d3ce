"""inbox stage"""

import sys

import click
import httpx

from inbox.errors import ConfigurationError
from inbox.settings import from_environment, with_secret_key
from inbox.stage import Stage


def _say(words: str) -> None:
    sys.stderr.write(f"demo     | {words}\n")


@click.command()
def command() -> None:
    """Fill the demo workspace; `inbox demo` runs this once."""
    settings = with_secret_key(from_environment())
    try:
        Stage(f"http://127.0.0.1:{settings.port}", settings.sandbox_url, settings.setup_token, _say).fill()
    except (httpx.HTTPError, TimeoutError) as error:
        words = error.response.text[:300] if isinstance(error, httpx.HTTPStatusError) else ""
        raise ConfigurationError(f"The demo workspace could not be filled: {error} {words}") from error
