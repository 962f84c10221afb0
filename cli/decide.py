"""`steward decide`: a file of accounts in, a file of decisions out. For pipelines: no server, no database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from config.policy_files import load_policy

FILE = click.Path(path_type=Path)
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command("decide")
@click.option("--policy", "policy_dir", type=FILE, required=True, help="Folder of the policy to decide by.")
@click.option("--accounts", type=FILE, required=True, help="The accounts, .csv or .parquet (docs/headless.md).")
@click.option("--out", type=FILE, help="Where decisions go, .csv or .parquet; CSV to standard output by default.")
@click.option("--state", type=FILE, help="JSON file with what one run leaves to the next, such as turns.")
@click.option("--leads", type=FILE, help="Leads to route beside the accounts, .csv or .parquet.")
@click.option("--roster", type=FILE, help="A roster.yaml to use instead of the one beside the policy.")
@click.option("--now", type=INSTANT, help="The day (at noon) or instant to decide for, in UTC; now by default.")
def decide(
    policy_dir: Path,
    accounts: Path,
    out: Path | None,
    state: Path | None,
    leads: Path | None,
    roster: Path | None,
    now: datetime | None,
) -> None:
    """Decide who owns each account and lead of a file, by the policy in a folder. Touches only the named files."""
    from tasks.account_files import (
        UnreadableFile,
        format_of,
        read_table,
        table_csv,
        write_table,
    )
    from tasks.bulk.deciding import decide_table, summary_lines
    from tasks.memory import Memory, read_memory, write_memory

    if out:
        format_of(out)  # before the work rather than after it
        for given in (accounts, leads):
            if given and out.resolve() == given.resolve():
                raise UnreadableFile(out, "holds what is to be decided, which would be lost", "Give --out another name")
    loaded = load_policy(policy_dir, roster)
    fields = loaded.policy.fields
    table, inbound = read_table(accounts, fields), read_table(leads, fields) if leads else None
    for each in (table, inbound):
        if each and each.ignored:
            click.echo(f"ignored columns: {', '.join(each.ignored)}", err=True)
    memory = read_memory(state) if state else Memory()
    decided = decide_table(table.frame, loaded, memory, _instant(now), inbound.frame if inbound else None)
    if out:
        write_table(decided.decisions, out)
    else:
        for part in table_csv(decided.decisions):
            click.echo(part, nl=False)
    if state:
        write_memory(decided.memory, state)
    for line in summary_lines(decided):
        click.echo(line, err=True)


def _instant(said: datetime | None) -> datetime:
    """What --now says, in UTC: a day alone is its noon."""
    if said is None:
        return datetime.now(UTC)
    at = said.replace(tzinfo=UTC)
    return at.replace(hour=12) if (at.hour, at.minute, at.second) == (0, 0, 0) else at
