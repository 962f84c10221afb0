"""`steward hierarchy`: a file of accounts in, each with its parent and the top of its family out."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)


@click.command("hierarchy")
@click.option("--accounts", type=FILE, required=True, help="The accounts, .csv or .parquet (docs/dedupe.md).")
@click.option("--edges", type=FILE, help="CSV of child, parent, source: what others say, such as a register.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day to roll up for, where edges have dates.")
@click.option("--out", type=FILE, help="Where it goes, .csv or .parquet; CSV to standard output by default.")
@click.option("--suggest", type=FILE, help="Where parents go that only names suggest, .csv or .parquet.")
def hierarchy(accounts: Path, edges: Path | None, on: object, out: Path | None, suggest: Path | None) -> None:
    """Roll accounts up to their parents. Names only suggest; circles and contradictions are told."""
    from tasks.account_files import UnreadableFile, format_of, table_csv, write_table
    from tasks.company_rows import read_companies
    from tasks.hierarchy_files import read_edges, roll_up, suggestions_table, summary_lines, to_table

    for path in filter(None, (out, suggest)):
        format_of(path)  # before the work rather than after it
        if path.resolve() == accounts.resolve():
            raise UnreadableFile(path, "holds the accounts, which would be lost", "Give another name")
    file = read_companies(accounts)
    for line in file.lines("the accounts"):
        click.echo(line, err=True)
    rolled = roll_up(file, read_edges(edges) if edges else [], str(on)[:10] if on else None)
    if suggest:
        write_table(suggestions_table(rolled), suggest)
    if out:
        write_table(to_table(rolled), out)
    for part in () if out else table_csv(to_table(rolled)):
        click.echo(part, nl=False)
    for line in summary_lines(rolled):
        click.echo(line, err=True)
