"""`steward test`: play scenarios against the policy, as unit tests are run against code."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config.scenario_files import load_scenarios
from config.settings import Settings


@click.command("test")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--policy", "policy_dir", type=click.Path(path_type=Path), help="Folder of the policy to test.")
def test(path: Path, policy_dir: Path | None) -> None:
    """Play the scenarios in PATH (a file or a folder) and say which do not hold. Exit code 1 when one does not."""
    from tasks.scenarios import play_all

    failed = total = 0
    for played in play_all(load_scenarios(path), policy_dir or Settings().policy_dir):
        total += 1
        failed += bool(played.failures)
        mark = click.style("✗", fg="red") if played.failures else click.style("✓", fg="green")
        click.echo(f"{mark} {played.scenario.name}")
        for failure in played.failures:
            click.echo(f"    {failure}")
    click.echo(f"\n{total - failed} of {total} scenarios hold")
    sys.exit(1 if failed else 0)
