"""`steward schema`: the JSON Schema of the files people write, for editors and for checks without Steward."""

from __future__ import annotations

import click

from config.schema import SCHEMAS, schema_text


@click.command("schema")
@click.argument("name", type=click.Choice(SCHEMAS))
def schema(name: str) -> None:
    """Print the JSON Schema of policy.yaml, roster.yaml or scenario files."""
    click.echo(schema_text(name), nl=False)
