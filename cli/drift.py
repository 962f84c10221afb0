"""`steward drift`: owners that others wrote over ours, what was done about them, and a person's word on it."""

from __future__ import annotations

from typing import Any

import click

from cli.identity import BY, word

BECAUSE = click.option("--because", required=True, help="Why; it is kept.")


@click.group("drift", invoke_without_command=True)
@click.option("--in", "target", help="Only in this system, as in salesforce.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many, the latest first.")
@click.pass_context
def drift(ctx: click.Context, target: str | None, limit: int) -> None:
    """List owners that others wrote over ours: record, expected and found owner, whose hand, and what was done."""
    if ctx.invoked_subcommand is None:
        from tasks.drift_words import drift_lines

        for line in drift_lines(_open(), target, limit):
            click.echo(line)


@drift.command("release")
@click.argument("target")
@BY
@BECAUSE
def release(target: str, by: str, because: str) -> None:
    """Write to TARGET again after too many of its records had been changed at once: those that integrations changed
    are written over, those that persons changed are held one by one."""
    from tasks.drift_settling import release_target

    click.echo(release_target(_open(), target, word(by, because)))


@drift.command("restore")
@click.argument("record", required=False)
@click.option("--changed-by", "user", metavar="SYSTEM/USER", help="Every held record that this user changed last.")
@BY
@BECAUSE
def restore(record: str | None, user: str | None, by: str, because: str) -> None:
    """Have the owner of record shown again on RECORD (system/id), which is held because somebody changed it."""
    from tasks.drift_settling import restore_changed_by, restore_record

    if (record is None) == (user is None):
        raise click.UsageError("Name a RECORD as system/id, or --changed-by a user.")
    if record is not None:
        click.echo(restore_record(_open(), record, word(by, because)))
    elif user is not None:
        click.echo(restore_changed_by(_open(), user, word(by, because)))


def _open() -> Any:
    from tasks.context import open_context

    return open_context()
