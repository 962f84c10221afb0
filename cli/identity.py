"""`steward same`, `split`, `match-lead`, `parent`, `matches`, `unmatched`: which records are one company, which of no
account, and under which other a company is."""

from __future__ import annotations

from getpass import getuser
from typing import Any

import click

BY = click.option("--by", default="", help="Who says it; you by default.")
BECAUSE = click.option("--because", default="", help="Why; it is shown wherever this matters.")
WITHDRAW = click.option("--withdraw", is_flag=True, help="Take back what was said of these; evidence decides again.")
RECORDS = click.argument("records", nargs=-1, required=True, metavar="RECORD RECORD...")


@click.command("same")
@RECORDS
@BY
@BECAUSE
@WITHDRAW
def same(records: tuple[str, ...], by: str, because: str, withdraw: bool) -> None:
    """Say that RECORDs (system/id, or an account's id) are one company. The first one named is kept.

    No evidence undoes it: only a later word on the same records does.
    """
    from tasks.identity_words import say_same
    from tasks.identity_words import withdraw as take_back

    click.echo((take_back if withdraw else say_same)(_open(), records, word(by, because)))


@click.command("split")
@RECORDS
@BY
@BECAUSE
@WITHDRAW
def split(records: tuple[str, ...], by: str, because: str, withdraw: bool) -> None:
    """Say that no two of these RECORDs (system/id, or an account's id) are one company."""
    from tasks.identity_words import say_split
    from tasks.identity_words import withdraw as take_back

    click.echo((take_back if withdraw else say_split)(_open(), records, word(by, because)))


@click.command("match-lead")
@click.argument("lead")
@click.argument("account")
@click.option("--not", "is_not", is_flag=True, help="The lead does not belong to that account.")
@BY
@BECAUSE
def match_lead(lead: str, account: str, is_not: bool, by: str, because: str) -> None:
    """Say that LEAD (system/id) belongs to ACCOUNT (system/id of a record, or its id)."""
    from tasks.identity_words import say_lead

    click.echo(say_lead(_open(), lead, account, word(by, because), not is_not))


@click.command("parent")
@click.argument("child")
@click.argument("parent")
@click.option("--withdraw", is_flag=True, help="Take that word back; the systems say again.")
@BY
@BECAUSE
def parent(child: str, parent: str, withdraw: bool, by: str, because: str) -> None:
    """Say that PARENT is the company above CHILD (system/id, or an account's id), whatever a CRM says."""
    from tasks.identity_words import say_parent

    click.echo(say_parent(_open(), child, parent, word(by, because), not withdraw))


@click.command("matches")
@click.argument("account")
def matches(account: str) -> None:
    """List the records of ACCOUNT (a name, web domain, or outside id): why each is linked, and what is in review."""
    from tasks.identity_lines import match_lines

    for line in match_lines(_open(), account):
        click.echo(line)


@click.command("unmatched")
@click.argument("system", required=False)
def unmatched(system: str | None) -> None:
    """List what only engagement tools know (all of them, or SYSTEM): records that are of no account.

    `steward same RECORD RECORD` says whose one is, where the evidence does not.
    """
    from tasks.identity_lines import unmatched_lines

    try:
        for line in unmatched_lines(_open(), system):
            click.echo(line)
    except LookupError as problem:
        raise click.UsageError(str(problem.args[0])) from None


def word(by: str, because: str) -> Any:
    from tasks.identity_words import Word

    return Word(by or getuser(), because)


def _open() -> Any:
    from tasks.context import open_context

    return open_context()
