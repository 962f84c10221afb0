"""The `steward` command. Thin: it reads arguments, calls a task, and prints. Errors end in one line with the mend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from pydantic import ValidationError

from cli import identity, questions, records, scenarios
from cli.decide import decide
from cli.dedupe import dedupe
from cli.drift import drift
from cli.exceptions import exceptions, resolve
from cli.hierarchy import hierarchy
from cli.kpis import kpis
from cli.match import match
from cli.notices import notices
from cli.offers import accept, decline, take
from cli.overrides import dispute, override, overrides
from cli.processes import DidNotStart, RunFailed
from cli.schema import schema
from cli.targets import pause, pushes, resume
from cli.token import token
from config.policy_files import load_policy
from config.settings import Settings
from config.yaml_files import PolicyError
from connectors.errors import ConnectorError
from ownership.acceptance import NotYours
from ownership.kpis.scopes import UnknownScope
from ownership.placed_by_people import MayNot
from store.errors import StoreError
from tasks.account_files import UnreadableFile
from tasks.identity_words import Refused
from tasks.tokens import TokenRefused


class Steward(click.Group):
    """Turns the errors a person can mend into one message and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (
            PolicyError,
            StoreError,
            ConnectorError,
            DidNotStart,
            RunFailed,
            NotYours,
            MayNot,
            UnknownScope,
            UnreadableFile,
            Refused,
            TokenRefused,
        ) as problem:
            _end(str(problem))
        except ValidationError as problem:
            _end("; ".join(f"STEWARD_{str(e['loc'][0]).upper()}: {e['msg']}" for e in problem.errors()))


def _end(problem: str) -> NoReturn:
    click.secho(f"steward: {problem}", fg="red", err=True)
    sys.exit(2)


@click.group(cls=Steward)
@click.version_option(package_name="steward")
def main() -> None:
    """Decides who owns every account, keeps it true in every tool, and can always say why."""


@main.command()
@click.option("--keep", is_flag=True, help="Leave everything running afterwards, until Ctrl-C.")
def demo(keep: bool) -> None:
    """Run the whole job once against emulated vendors and say what happened."""
    from cli.demo import run_demo

    sys.exit(run_demo(keep))


@main.command()
@click.option("--port", default=8460, show_default=True, help="Port of the web app.")
@click.option("--prefect-port", default=4260, show_default=True, help="Port of the Prefect server.")
def up(port: int, prefect_port: int) -> None:
    """Start everything against emulated vendors and keep it running until Ctrl-C."""
    from cli.demo import run_up

    sys.exit(run_up(port, prefect_port))


@main.command()
def check() -> None:
    """Check policy, database and every connector; says what is wrong and how to mend it."""
    from connectors.http import Patience
    from connectors.registry import build_connectors, build_identity_provider
    from tasks.context import open_context

    context = open_context()
    click.echo(f"policy    ok  {context.policy.policy_hash[:12]}, {len(context.policy.roster.reps)} reps")
    click.echo("database  ok")
    connectors = build_connectors(context.settings, Patience(budget_s=3), context.policy.policy.fields)
    for name, source in connectors.sources.items():
        source.check()
        click.echo(f"{name:<9} ok")
    if provider := build_identity_provider(context.settings):
        provider.check()
        click.echo("identity  ok")
    for name, notifier in connectors.notifiers.items():
        notifier.check()
        click.echo(f"{name:<9} ok")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def policy(folder: Path | None) -> None:
    """Load the policy in FOLDER (the configured one by default) and list every error in it."""
    loaded = load_policy(folder or Settings().policy_dir)
    click.echo(f"policy ok: {loaded.policy.name}, {len(loaded.roster.reps)} reps, hash {loaded.policy_hash}")


@main.command()
@click.argument("account")
def why(account: str) -> None:
    """Say who owns ACCOUNT (a name, web domain, or outside id) and why."""
    from tasks.explanation import why_lines

    for line in why_lines(_open(), account):
        click.echo(line)


@main.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database's tables up to date."""
    from store.engine import open_store

    open_store(Settings().database_url).migrate()
    click.echo("database ok")


for command in (
    *(decide, dedupe, drift, hierarchy, match, notices, schema, scenarios.test),
    *(records.owner, records.lineage, records.verify, records.erase),
    *(identity.same, identity.split, identity.match_lead, identity.parent, identity.matches, identity.unmatched),
    *(overrides, override, dispute),
    *(accept, decline, take),
    *(exceptions, resolve),
    *(kpis, pushes, pause, resume, token),
    *(questions.what_if, questions.why_not, questions.turns, questions.lint),
):
    main.add_command(command)


def _open() -> Any:
    from tasks.context import open_context

    return open_context()


if __name__ == "__main__":
    main()
