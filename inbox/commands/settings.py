"""inbox settings"""

import click

from inbox.settings import markdown_table


@click.command()
def command() -> None:
    """Print the table of settings, as in docs/operations.md."""
    click.echo(markdown_table(), nl=False)
