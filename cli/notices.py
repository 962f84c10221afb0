"""`steward notices`: who could not be told, and why."""

from __future__ import annotations

import click


@click.command("notices")
@click.option("--again", is_flag=True, help="Send once more what was refused, with the next run that notifies.")
def notices(again: bool) -> None:
    """Say who could not be told of what over which channel, with the vendor's word."""
    from tasks.context import open_context
    from tasks.notice_lines import notice_lines

    context = open_context()
    if again:
        count = context.store.run(lambda uow: uow.notifications.try_again())
        click.echo(f"{count} refused notices are sent again with the next run that notifies")
    for line in notice_lines(context):
        click.echo(line)
