"""inbox sandbox"""

from urllib.parse import urlsplit

import click
import uvicorn

from channels.sandbox.app import create_app
from inbox.settings import from_environment


@click.command()
def command() -> None:
    """Run the provider sandbox by itself, at SANDBOX_URL on this machine."""
    settings = from_environment()
    port = urlsplit(settings.sandbox_url).port or settings.port + 1
    directory = settings.data_dir / "sandbox"
    directory.mkdir(parents=True, exist_ok=True)
    application = create_app(directory, shop=f"{settings.origin}/demo/shop")
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=2)
