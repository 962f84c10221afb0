"""`steward exceptions` and `resolve`: what needs a person, and taking a way out of it."""

from __future__ import annotations

import click


@click.command("exceptions")
@click.option("--kind", help="Only of this kind, as in owner_drift.")
def exceptions(kind: str | None) -> None:
    """List what needs a person, by kind: since when, who has to act by when, and the ways out."""
    from tasks.context import open_context
    from tasks.explanation import exception_lines

    for line in exception_lines(open_context(), kind):
        click.echo(line)


@click.command("resolve")
@click.argument("exception")
@click.argument("way")
@click.option("--as", "who", required=True, help="Who says it: an id on the roster, or ops:<address>.")
@click.option("--reason", default="", help="Why; it is kept. Most ways out need it.")
@click.option("--until", help="With snooze: the day it comes back, as in 2026-12-31.")
def resolve(exception: str, way: str, who: str, reason: str, until: str | None) -> None:
    """Take WAY out of EXCEPTION, both as `steward exceptions` lists them."""
    from tasks.context import recorded_run
    from tasks.placed_by_people import person_called
    from tasks.resolving import resolve as take

    with recorded_run(f"exception-{way}", trigger="command", actor=who) as context:
        click.echo(take(context, exception, way, person_called(who, context.policy.roster), reason, until))
