"""`steward overrides`, `override` and `dispute`: who asks for which account, who claims which, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

AS = click.option("--as", "who", required=True, help="Who says it: an id on the roster, or ops:<address>.")
REASON = click.option("--reason", required=True, help="Why; it is kept.")


@click.command("overrides")
def overrides() -> None:
    """List the latest override requests, and the disputes that wait for a ruling."""
    from tasks.asked_and_claimed import override_lines
    from tasks.context import open_context

    for line in override_lines(open_context()):
        click.echo(line)


@click.group("override")
def override() -> None:
    """Ask for an owner against the rules, and answer what others asked."""


@override.command("request")
@click.argument("account")
@click.argument("owner")
@AS
@REASON
@click.option("--from", "since", help="Its first day, as in 2026-12-01; today without it.")
@click.option("--until", help="Its last day, as in 2026-12-31; for good without it.")
@click.option("--then", type=click.Choice(["stay", "return", "rules"]), default="stay", show_default=True)
def request(account: str, owner: str, who: str, reason: str, since: str | None, until: str | None, then: str) -> None:
    """Ask that OWNER own ACCOUNT. Somebody else approves it."""
    from tasks.placed_by_people import request_override

    with _acting(who, "override-request") as (context, person):
        asked = request_override(context, account, person, owner, reason, until, then, since)
        click.echo(f"{asked.override_id} waits for approval.")


@override.command("approve")
@click.argument("id")
@AS
@REASON
def approve(id: str, who: str, reason: str) -> None:
    """Approve the request ID: it holds at once."""
    _answer(id, who, reason, "approved")


@override.command("refuse")
@click.argument("id")
@AS
@REASON
def refuse(id: str, who: str, reason: str) -> None:
    """Refuse the request ID."""
    _answer(id, who, reason, "refused")


@override.command("withdraw")
@click.argument("id")
@AS
@click.option("--reason", default="", help="Why, for whoever reads it later.")
def withdraw(id: str, who: str, reason: str) -> None:
    """Take back the request ID, which nobody has answered."""
    from tasks.taken_back import withdraw_override

    with _acting(who, "override-withdraw") as (context, person):
        click.echo(withdraw_override(context, id, person, reason))


@override.command("end")
@click.argument("id")
@AS
@REASON
def end(id: str, who: str, reason: str) -> None:
    """End the override ID before its last day, by who approved it or ops."""
    from tasks.taken_back import end_override

    with _acting(who, "override-end") as (context, person):
        click.echo(end_override(context, id, person, reason))


@click.group("dispute")
def dispute() -> None:
    """Claim an account of somebody else, and rule on such claims."""


@dispute.command("open")
@click.argument("account")
@AS
@REASON
@click.option("--evidence", default="", help="What shows it: a link, or a sentence.")
def open_(account: str, who: str, reason: str, evidence: str) -> None:
    """Claim ACCOUNT: nothing moves it until the ruling."""
    from tasks.placed_by_people import open_dispute

    with _acting(who, "dispute-open") as (context, person):
        opened = open_dispute(context, account, person, reason, evidence)
        click.echo(f"{opened.dispute_id} needs a ruling by {opened.rule_by:%Y-%m-%d %H:%M} UTC.")


@dispute.command("rule")
@click.argument("id")
@click.argument("owner")
@AS
@REASON
def rule(id: str, owner: str, who: str, reason: str) -> None:
    """Rule on the dispute ID: the account is OWNER's, who has it already or gets it at once."""
    from tasks.placed_by_people import rule_on_dispute

    with _acting(who, "dispute-rule") as (context, person):
        click.echo(rule_on_dispute(context, id, person, owner, reason))


@dispute.command("approve")
@click.argument("id")
@AS
@REASON
def approve_claim(id: str, who: str, reason: str) -> None:
    """Rule on the dispute ID for who claims the account: they get it at once."""
    _rule(id, who, reason, "approved")


@dispute.command("refuse")
@click.argument("id")
@AS
@REASON
def refuse_claim(id: str, who: str, reason: str) -> None:
    """Rule on the dispute ID for who has the account: it stays theirs."""
    _rule(id, who, reason, "refused")


@dispute.command("add")
@click.argument("id")
@click.argument("evidence")
@AS
def add(id: str, evidence: str, who: str) -> None:
    """Add EVIDENCE, a link or a sentence, to the dispute ID while it is open."""
    from tasks.taken_back import add_evidence

    with _acting(who, "dispute-add") as (context, person):
        click.echo(add_evidence(context, id, person, evidence))


@dispute.command("withdraw")
@click.argument("id")
@AS
@click.option("--reason", default="", help="Why, for whoever reads it later.")
def withdraw_claim(id: str, who: str, reason: str) -> None:
    """Take back the claim of the dispute ID."""
    from tasks.taken_back import withdraw_dispute

    with _acting(who, "dispute-withdraw") as (context, person):
        click.echo(withdraw_dispute(context, id, person, reason))


def _rule(id_: str, who: str, reason: str, state: str) -> None:
    from tasks.placed_by_people import answer_dispute

    with _acting(who, "dispute-rule") as (context, person):
        click.echo(answer_dispute(context, id_, person, state, reason))


def _answer(id_: str, who: str, reason: str, state: str) -> None:
    from tasks.placed_by_people import answer_override

    with _acting(who, f"override-{state}") as (context, person):
        click.echo(answer_override(context, id_, person, state, reason))


@contextmanager
def _acting(who: str, what: str) -> Iterator[tuple[Any, Any]]:
    from tasks.context import recorded_run
    from tasks.placed_by_people import person_called

    with recorded_run(what, trigger="command", actor=who) as context:
        yield context, person_called(who, context.policy.roster)
