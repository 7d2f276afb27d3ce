"""inbox openapi"""

import click
import msgspec

from inbox.app import build_api


@click.command()
def command() -> None:
    """Print the OpenAPI document of this version."""
    schema = build_api(None, None).openapi_schema.to_schema()
    click.echo(msgspec.json.format(msgspec.json.encode(schema), indent=2).decode())
