"""`steward decide`: a file of accounts in, a file of decisions out. For pipelines: no server, no database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from config.policy_files import load_policy

FILE = click.Path(path_type=Path)


@click.command("decide")
@click.option("--policy", "policy_dir", type=FILE, required=True, help="Folder of the policy to decide by.")
@click.option("--accounts", type=FILE, required=True, help="The accounts, .csv or .parquet (docs/headless.md).")
@click.option("--out", type=FILE, help="Where decisions go, .csv or .parquet; CSV to standard output by default.")
@click.option("--turns", type=FILE, help="JSON file that keeps the pools' turns from one run to the next.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to decide for; today in UTC by default.")
def decide(policy_dir: Path, accounts: Path, out: Path | None, turns: Path | None, today: datetime | None) -> None:
    """Decide who owns each account of a file, by the policy in a folder. Nothing but the named files is touched."""
    from tasks.account_files import (
        UnreadableFile,
        decisions_csv,
        format_of,
        read_sheet,
        read_turns,
        write_decisions,
        write_turns,
    )
    from tasks.headless import decide_sheet, summary_lines

    if out:
        format_of(out)  # before the work rather than after it
        if out.resolve() == accounts.resolve():
            raise UnreadableFile(out, "holds the accounts, which would be lost", "Give --out another name")
    loaded = load_policy(policy_dir)
    sheet = read_sheet(accounts)
    if sheet.ignored:
        click.echo(f"ignored columns: {', '.join(sheet.ignored)}", err=True)
    day = (today or datetime.now(UTC)).date().isoformat()
    decided = decide_sheet(sheet, loaded, read_turns(turns) if turns else {}, day)
    if out:
        write_decisions(decided.decisions, out)
    else:
        click.echo(decisions_csv(decided.decisions), nl=False)
    if turns:
        write_turns(decided.turns, turns)
    for line in summary_lines(decided):
        click.echo(line, err=True)
