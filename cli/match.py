"""`steward match` and `steward match evaluate`: leads to accounts, file to file, and how good that is."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(path_type=Path)


@click.group("match", invoke_without_command=True)
@click.option("--accounts", type=FILE, help="The accounts, .csv or .parquet (docs/matching.md).")
@click.option("--leads", type=FILE, help="The leads; their name is that of their company.")
@click.option("--out", type=FILE, help="Where the matches go, .csv or .parquet; CSV to standard output by default.")
@click.option("--calibration", type=FILE, help="Probabilities fitted to your own answers, by evaluate --recalibrate.")
@click.pass_context
def match(
    called: click.Context, accounts: Path | None, leads: Path | None, out: Path | None, calibration: Path | None
) -> None:
    """Match each lead of a file with an account of another: match, review or none, with the evidence."""
    if called.invoked_subcommand:
        return
    if not accounts or not leads:
        raise click.UsageError("--accounts and --leads are needed")
    from tasks.account_files import format_of, table_csv, write_table
    from tasks.company_rows import read_companies
    from tasks.match_files import match_files, shipped_model, summary_lines, to_table

    if out:
        format_of(out)  # before the work rather than after it
    model = shipped_model(calibration)
    known, inbound = read_companies(accounts), read_companies(leads)
    for line in (*known.lines("the accounts"), *inbound.lines("the leads")):
        click.echo(line, err=True)
    matches = match_files(known, inbound, model)
    if out:
        write_table(to_table(matches), out)
    else:
        for part in table_csv(to_table(matches)):
            click.echo(part, nl=False)
    for line in summary_lines(matches):
        click.echo(line, err=True)


@match.command("evaluate")
@click.option("--accounts", type=FILE, required=True, help="The accounts.")
@click.option("--leads", type=FILE, required=True, help="The leads.")
@click.option("--gold", type=FILE, required=True, help="CSV of lead_id and account_id, which is empty for none.")
@click.option("--calibration", type=FILE, help="Probabilities fitted before.")
@click.option("--json", "json_out", type=FILE, help="Where the figures go for other tools.")
@click.option("--recalibrate", type=FILE, help="Where probabilities fitted to these answers go.")
def evaluate(
    accounts: Path,
    leads: Path,
    gold: Path,
    calibration: Path | None,
    json_out: Path | None,
    recalibrate: Path | None,
) -> None:
    """Say how good the matches are, against answers you know."""
    from ownership.matching.evaluation import figures_of, summary
    from ownership.matching.recalibrating import recalibrated
    from tasks.company_rows import read_companies
    from tasks.match_files import match_files, shipped_model
    from tasks.match_gold import answers_of, read_gold, write_json

    answers_known, model = read_gold(gold), shipped_model(calibration)
    matches = match_files(read_companies(accounts), read_companies(leads), model)
    answers = answers_of(matches, answers_known, model)
    if not answers:
        raise click.BadParameter("none of its leads is among the leads", param_hint="--gold")
    figures = figures_of(answers)
    for line in summary(figures):
        click.echo(line)
    if json_out:
        write_json(figures, json_out)
    if recalibrate:
        try:
            write_json(recalibrated(answers, model.calibration), recalibrate)
        except ValueError as problem:
            raise click.BadParameter(str(problem), param_hint="--recalibrate") from None
