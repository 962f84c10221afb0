"""`steward dedupe` and `steward dedupe evaluate`: which records of a file are one company, and how good that is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

FILE = click.Path(path_type=Path)


@click.group("dedupe", invoke_without_command=True)
@click.option("--accounts", type=FILE, help="The accounts, .csv or .parquet (docs/dedupe.md).")
@click.option("--out", type=FILE, help="Where the companies go, .csv or .parquet; CSV to standard output by default.")
@click.option("--review", type=FILE, help="Where the pairs go that a person has to look at, .csv or .parquet.")
@click.option("--verdicts", type=FILE, help="CSV of id, other_id, verdict: what people said, same or split.")
@click.pass_context
def dedupe(
    called: click.Context, accounts: Path | None, out: Path | None, review: Path | None, verdicts: Path | None
) -> None:
    """Say which records of a file are the same company. Nothing is merged; uncertain pairs are listed for review."""
    if called.invoked_subcommand:
        return
    if not accounts:
        raise click.UsageError("--accounts is needed")
    from tasks.account_files import UnreadableFile, format_of, table_csv, write_table
    from tasks.company_rows import read_companies
    from tasks.dedupe_files import dedupe_file, pair_model, review_table, summary_lines, to_table
    from tasks.verdict_files import NOTHING_SAID, read_verdicts

    for path in filter(None, (out, review)):
        format_of(path)  # before the work rather than after it
        if path.resolve() == accounts.resolve():
            raise UnreadableFile(path, "holds the accounts, which would be lost", "Give another name")
    file = read_companies(accounts)
    for line in file.lines("the accounts"):
        click.echo(line, err=True)
    said = read_verdicts(verdicts, {company.id for company in file.readable()}) if verdicts else NOTHING_SAID
    deduped = dedupe_file(file, pair_model(), said)
    if review:
        write_table(review_table(deduped), review)
    if out:
        write_table(to_table(deduped), out)
    for part in () if out else table_csv(to_table(deduped)):
        click.echo(part, nl=False)
    for line in summary_lines(deduped):
        click.echo(line, err=True)


@dedupe.command("evaluate")
@click.option("--accounts", type=FILE, required=True, help="The accounts.")
@click.option(
    "--gold", type=FILE, required=True, help="CSV of id and true_id: records with one true_id are one company."
)
@click.option("--json", "json_out", type=FILE, help="Where the figures go for other tools.")
def evaluate(accounts: Path, gold: Path, json_out: Path | None) -> None:
    """Say how good the companies found are, against answers you know."""
    from tasks.company_rows import read_companies
    from tasks.dedupe_files import dedupe_file, pair_model
    from tasks.dedupe_gold import rate_lines, rates_of
    from tasks.match_gold import write_json
    from tasks.verdict_files import read_true_ids

    true_ids = read_true_ids(gold)
    file = read_companies(accounts)
    if true_ids.keys().isdisjoint(company.id for company in file.readable()):
        raise click.BadParameter("none of its ids is among the accounts", param_hint="--gold")
    rates = rates_of(dedupe_file(file, pair_model()), true_ids)
    for line in rate_lines(rates):
        click.echo(line)
    if json_out:
        write_json(asdict(rates), json_out)
