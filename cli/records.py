"""`steward owner`, `lineage`, `verify` and `erase`: what is kept of accounts and people, and that it holds."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import click

from cli.decide import INSTANT


@click.command("owner")
@click.argument("account")
@click.option("--on", type=INSTANT, help="The day, or the instant in UTC; a day alone is its end.")
@click.option("--known-on", type=INSTANT, help="As it was known then; written like --on.")
def owner(account: str, on: datetime | None, known_on: datetime | None) -> None:
    """Say who owned ACCOUNT (a name, web domain, or outside id), and every change of owner."""
    from tasks.context import open_context
    from tasks.history import owner_lines

    for line in owner_lines(open_context(), account, _instant(on), _instant(known_on)):
        click.echo(line)


@click.command("lineage")
@click.argument("record")
@click.option("--live", is_flag=True, help="Ask the system what it shows now, instead of what was read last.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it as one HTML page to this file.")
def lineage(record: str, live: bool, page: Path | None) -> None:
    """Trace the owner that RECORD shows back to the push, ledger row, decision, policy and run behind it.

    RECORD is salesforce/001… or hubspot/123, or an account, whose records are then all traced.
    """
    from cli.lineage_page import lineage_page
    from tasks.context import open_context
    from tasks.lineage import lineage_lines

    try:
        if page:
            page.write_text(lineage_page(open_context(), record, live), encoding="utf-8")
            click.echo(f"written to {page}")
            return
        for line in lineage_lines(open_context(), record, live):
            click.echo(line)
    except LookupError as problem:
        raise click.UsageError(str(problem.args[0])) from None


@click.command("verify")
@click.option("--root", "roots", multiple=True, metavar="NO=ROOT", help="A seal's root that was kept elsewhere.")
def verify(roots: tuple[str, ...]) -> None:
    """Check the ledger's chain, the texts behind it, and its seals; names the first that is not as it was written."""
    from tasks.audit import audit_ledger
    from tasks.context import open_context

    context = open_context()
    broken_at = audit_ledger(context, [_kept_root(each) for each in roots])
    if broken_at:
        click.secho(f"the ledger was altered at {broken_at}", fg="red", err=True)
        sys.exit(1)
    with context.store.transaction(readonly=True) as uow:
        seals = uow.seals.all()
    click.echo("ledger ok")
    for seal in seals[-1:]:
        click.echo(f"sealed up to {seal.until:%Y-%m-%d %H:%M} UTC; keep elsewhere: {seal.seal_no}={seal.root}")


@click.command("erase")
@click.argument("email")
@click.option("--by", required=True, help="Who does it.")
@click.option("--because", required=True, help="Why, for the record: a ticket, without the person's name.")
@click.confirmation_option(prompt="What is erased cannot be brought back. Go on?")
def erase(email: str, by: str, because: str) -> None:
    """Erase the person with this e-mail address from everything here but the ledger, which holds opaque ids only."""
    from tasks.context import open_context
    from tasks.erasure import NotAnAddress, erasure_lines

    try:
        for line in erasure_lines(open_context(), email, by, because):
            click.echo(line)
    except NotAnAddress as problem:
        raise click.BadParameter(str(problem), param_hint="EMAIL") from None


def _kept_root(said: str) -> tuple[int, str]:
    found = re.fullmatch(r"(\d+)=([0-9a-f]{64})", said)
    if not found:
        raise click.BadParameter(f"'{said}' is not NO=ROOT, with a root of 64 hex digits", param_hint="--root")
    return int(found[1]), found[2]


def _instant(said: datetime | None) -> datetime | None:
    if said is None:
        return None
    whole_day = (said.hour, said.minute, said.second) == (0, 0, 0)
    return (datetime.combine(said.date(), time.max) if whole_day else said).replace(tzinfo=UTC)
