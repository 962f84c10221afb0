"""`steward kpis`: the key figures of ownership as a table."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from ownership.kpis.catalogue import KPIS, PERIODS
from ownership.kpis.scopes import COMPANY
from ownership.kpis.words import said


@click.command()
@click.option(
    "--of", "scope", default=COMPANY, show_default=True, help="Whose: company, reports:ID, team:ID or territory:ID."
)
@click.option("--days", "period", default="90", show_default=True, type=click.Choice([str(days) for days in PERIODS]))
@click.option("--take", is_flag=True, help="Take today's figures first; the nightly audit does so anyway.")
def kpis(scope: str, period: str, take: bool) -> None:
    """Show the key figures of ownership as they were last taken."""
    from tasks.context import open_context, recorded_run
    from tasks.kpis import board_of, take_kpis

    if take:
        with recorded_run("take-kpis", trigger="command") as context:
            take_kpis(context)
    board = board_of(open_context(), scope, int(period))
    if not board.figures:
        click.echo("No figures were taken yet. The nightly audit takes them; `steward kpis --take` does so now.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), title_justify="left")
    for column in ("figure", "value", "counted over", "note"):
        table.add_column(column, header_style="dim", justify="right" if column == "value" else "left")
    for kpi in KPIS:
        if taken := board.figures.get(kpi.id):
            figure = taken.figure
            table.add_row(kpi.name, said(figure.value, kpi.unit), f"{figure.n:,} {kpi.n}", figure.note)
    click.echo(f"{board.scope.name} on {board.day}; what happened, over {period} days")
    Console().print(table)
