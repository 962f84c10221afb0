"""On demand: decide one territory again by its rules, after the map changed. A dry run shows the diff and stops.

Unlike the scheduled run, it looks past the existing owner: whoever the territory's rules name becomes owner. Named
accounts, parent accounts and holds still win.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.assignment import assign_accounts_task, preview_accounts_task
from tasks.context import recorded_run
from tasks.events import announce_recorded
from tasks.report import finish, report_moves
from tasks.scope import accounts_in_territory, without_existing_owner


@flow(name="rerun-territory", flow_run_name="rerun {territory}, dry run {dry_run}", log_prints=True)
def rerun_territory(territory: str, dry_run: bool = True) -> dict[str, object]:
    """Re-decide `territory` and everything below it. Raises `UnknownTerritory` naming the ones there are."""
    with recorded_run("rerun-territory", trigger="on demand", flow_run_id=runtime.flow_run.id) as context:
        policy = context.policy.policy.on(context.today())
        wanted, rules = accounts_in_territory(policy, territory), without_existing_owner(policy)
        decide = preview_accounts_task if dry_run else assign_accounts_task
        assigned = decide(context, wanted, rules)
        report_moves(context, f"rerun-{territory}", assigned, title="Would change" if dry_run else "Changed")
        if not dry_run:
            announce_recorded(context, assigned.writes + assigned.tasks)
        return finish(context, assigned=assigned, dry_run=dry_run)
