"""`steward what-if`, `why-not`, `turns` and `lint`: questions about decisions and the policy. Nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config.policy_files import load_policy
from config.settings import Settings
from ownership.counterfactual import NoSuchValue


@click.command("what-if")
@click.argument("account")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="A field of the account; may be repeated."
)
def what_if(account: str, settings: tuple[str, ...]) -> None:
    """Decide ACCOUNT (a name, web domain, or outside id) as if some of its fields were different."""
    from tasks.context import open_context
    from tasks.counterfactual import what_if_lines

    try:
        for line in what_if_lines(open_context(), account, settings):
            click.echo(line)
    except NoSuchValue as problem:
        raise click.BadParameter(str(problem), param_hint="--set") from None


@click.command("why-not")
@click.argument("account")
@click.argument("rep")
def why_not(account: str, rep: str) -> None:
    """Say why REP (an id, name or e-mail address) is not given ACCOUNT, and the smallest change that would."""
    from tasks.context import open_context
    from tasks.counterfactual import why_not_lines

    for line in why_not_lines(open_context(), account, rep):
        click.echo(line)


@click.command("turns")
@click.argument("pool")
def turns(pool: str) -> None:
    """Say whose turn it is in POOL, who comes after, and how far each is from their fair share."""
    from tasks.context import open_context
    from tasks.standings import turn_lines

    for line in turn_lines(open_context(), pool):
        click.echo(line)


@click.command("lint")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def lint(folder: Path | None) -> None:
    """Say what the policy in FOLDER (the configured one by default) has wrong though it loads.

    Exit code 1 when something is an error. Where the database has accounts, also how many the map leaves out.
    """
    from tasks.counterfactual import check_policy, coverage_lines, finding_line

    settings = Settings()
    loaded = load_policy(folder or settings.policy_dir)
    findings = check_policy(loaded)
    for finding in findings:
        click.secho(finding_line(finding), fg="red" if finding.severity == "error" else None)
    errors = sum(finding.severity == "error" for finding in findings)
    click.echo(f"{loaded.policy.name}: {errors} errors, {len(findings) - errors} warnings")
    for line in coverage_lines(loaded, settings):
        click.echo(line)
    sys.exit(1 if errors else 0)
