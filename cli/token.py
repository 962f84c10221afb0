"""`steward token`: tokens with which programs call the API."""

from __future__ import annotations

import getpass
from typing import Any

import click


@click.group("token")
def token() -> None:
    """Tokens of the API: make, list and revoke them."""


@token.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(["rep", "manager", "ops"]), help="What it may do.")
@click.option("--as", "rep_id", help="Id of the rep it acts for, as on the roster; only ops can do without.")
@click.option("--days", default=90, show_default=True, type=int, help="How long it is good for.")
def create(name: str, role: str, rep_id: str | None, days: int) -> None:
    """Make a token called NAME, after what it is for, and print it: this once, it is not kept."""
    from tasks.tokens import make_token

    click.echo(make_token(_open(), name, role, rep_id, days, getpass.getuser()))
    click.echo("This is the only time it is shown. Send it as: Authorization: Bearer <token>", err=True)


@token.command("list")
def list_tokens() -> None:
    """List every token: id, name, role, whom it acts for, whether it is in force, and when it was last used."""
    from tasks.tokens import token_lines

    for line in token_lines(_open()):
        click.echo(line)


@token.command("revoke")
@click.argument("token_id")
def revoke(token_id: str) -> None:
    """End the token with this id, as `steward token list` shows it, for good."""
    from tasks.tokens import revoke_token

    click.echo(revoke_token(_open(), token_id, getpass.getuser()))


def _open() -> Any:
    from tasks.context import open_context

    return open_context()
