"""`steward accept`, `decline` and `take`: what a rep says to an offer, or their manager for them."""

from __future__ import annotations

import click

ACCOUNT = click.argument("account")
AS = click.option("--as", "rep_id", required=True, help="Id of the rep who answers, as on the roster.")


@click.command("accept")
@ACCOUNT
@AS
def accept(account: str, rep_id: str) -> None:
    """Accept ACCOUNT for the rep it is offered to. The rep's manager may answer for them."""
    from tasks.acceptance import accept_account
    from tasks.context import recorded_run

    with recorded_run("accept-offer", trigger="command", actor=rep_id) as context:
        click.echo(accept_account(context, account, rep_id))


@click.command("decline")
@ACCOUNT
@AS
@click.option("--reason", default="", help="Why; the next to be asked will read it.")
def decline(account: str, rep_id: str, reason: str) -> None:
    """Decline ACCOUNT for the rep it is offered to. It goes to the next of the policy's chain at once."""
    from tasks.acceptance import decline_account
    from tasks.context import recorded_run

    with recorded_run("decline-offer", trigger="command", actor=rep_id) as context:
        click.echo(decline_account(context, account, rep_id, reason))


@click.command("take")
@ACCOUNT
@AS
@click.option("--for", "whom", help="Id of the rep who is to have it, where a manager says so for them.")
def take(account: str, rep_id: str, whom: str | None) -> None:
    """Take ACCOUNT, which nobody accepted, for a rep who was asked. The rep's manager may do so for them."""
    from tasks.context import recorded_run
    from tasks.unaccepted import take_account

    with recorded_run("take-offer", trigger="command", actor=rep_id) as context:
        click.echo(take_account(context, account, rep_id, whom))
