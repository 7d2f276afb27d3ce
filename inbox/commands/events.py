"""inbox events"""

import click
import msgspec

from inbox.events import Event


@click.command()
def command() -> None:
    """Print the JSON Schema of every event, as `{"type", …}` unions."""
    kinds = Event.__args__
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    by_type = {kind.__struct_config__.tag: schema for kind, schema in zip(kinds, schemas, strict=True)}
    document = {"events": by_type, "$defs": components}
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
