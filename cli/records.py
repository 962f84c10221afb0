"""`steward owner` and `lineage`: what the ledger knows of an account, and what lies behind a CRM's value."""

from __future__ import annotations

from datetime import UTC, datetime, time

import click

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@click.command("owner")
@click.argument("account")
@click.option("--on", type=click.DateTime(DAYS), help="The day, or the instant in UTC; a day alone is its end.")
@click.option("--known-on", type=click.DateTime(DAYS), help="As it was known then; written like --on.")
def owner(account: str, on: datetime | None, known_on: datetime | None) -> None:
    """Say who owned ACCOUNT (a name, web domain, or outside id), and every change of owner."""
    from tasks.context import open_context
    from tasks.history import owner_lines

    for line in owner_lines(open_context(), account, _instant(on), _instant(known_on)):
        click.echo(line)


@click.command("lineage")
@click.argument("record")
@click.option("--live", is_flag=True, help="Ask the system what it shows now, instead of what was read last.")
def lineage(record: str, live: bool) -> None:
    """Trace the owner that RECORD shows back to the push, ledger row, decision, policy and run behind it.

    RECORD is salesforce/001… or hubspot/123, or an account, whose records are then all traced.
    """
    from tasks.context import open_context
    from tasks.lineage import lineage_lines

    try:
        for line in lineage_lines(open_context(), record, live):
            click.echo(line)
    except LookupError as problem:
        raise click.UsageError(str(problem.args[0])) from None


def _instant(said: datetime | None) -> datetime | None:
    if said is None:
        return None
    whole_day = (said.hour, said.minute, said.second) == (0, 0, 0)
    return (datetime.combine(said.date(), time.max) if whole_day else said).replace(tzinfo=UTC)
