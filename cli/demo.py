"""`steward demo`: the whole job once, on a company's worth of emulated data, told for people.

Every claim printed here is checked, and a claim that does not hold ends the demo with exit code 1.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.runs import Runs
from cli.stack import Ports, Stack
from tasks.context import RunContext, open_context
from tasks.explanation import why_lines

FOLDER = Path(".steward") / "demo"
RERUN_TERRITORY = "mm-dach"
WRITES = {"collections_update", "sobject_update", "companies_batch_update", "company_update", "bulk_ingest"}


class Broken(AssertionError):
    """Something the demo claims did not hold."""


class Demo:
    """The acts of the demo, in order."""

    def __init__(self, stack: Stack, runs: Runs, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.runs = runs
        self.started = time.monotonic()

    def act(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]  [dim]{time.monotonic() - self.started:.0f} s[/dim]")

    def claim(self, holds: bool, what: str) -> None:
        """Print a claim that was just checked. Raises `Broken` when it does not hold."""
        self.console.print(f"  [green]✓[/green] {what}" if holds else f"  [red]✗ {what}[/red]")
        if not holds:
            raise Broken(what)

    def play(self) -> None:
        self.runs.pause_schedules()
        self.whole_loop()
        self.second_run()
        self.crm_edit()
        self.territory_dry_run()

    def whole_loop(self) -> None:
        self.act("1. Pull, match, assign and record: flow assign-owners, through the Prefect server")
        before = _instant()
        self.runs.wait(self.runs.start("assign-owners/assign-owners", trigger="demo"))
        context = self._context()
        counts = self._counts(context, "assign-owners")
        self._show_pulled(counts)
        self._show_assigned(counts)
        self.act("2. Push: flow push-owner-changes, started by the event that owners were recorded")
        self.runs.wait_for_next("push-owner-changes", before)
        self._show_pushed(context)
        self.act("3. Three decisions, explained")
        self._show_explanations(context)
        self.act("4. What needs a person")
        self._show_exceptions(context)
        self.act("5. Audit: flow audit-ownership reads every CRM")
        self.runs.wait(self.runs.start("audit-ownership/audit-ownership", trigger="demo"))
        self._check_audit(context)
        context.store.close()

    def second_run(self) -> None:
        self.act("6. The same run again, on the same state")
        self.stack.control("DELETE", "/journal")
        self.runs.wait(self.runs.start("assign-owners/assign-owners", trigger="demo again"))
        self.runs.wait(self.runs.start("push-owner-changes/push-owner-changes", trigger="demo again"))
        context = self._context()
        counts = self._counts(context, "assign-owners")
        context.store.close()
        self.claim(counts["assigned"]["moves"] == 0, "0 owner changes")
        writes = self._vendor_writes()
        self.claim(not writes, f"{sum(writes.values())} vendor writes, by the vendors' own journals")

    def crm_edit(self) -> None:
        self.act("7. Somebody completes an account in HubSpot; nobody starts anything")
        context = self._context()
        account, company = _account_to_complete(context)
        self.stack.control(
            "POST", "/webhooks", json={"vendor": "hubspot", "url": f"{self.stack.web_url}/webhooks/hubspot"}
        )
        before = _instant()
        edit = {"vendor": "hubspot", "object": "companies", "id": company, "fields": {"country": "United States"}}
        self.stack.control("POST", "/edit", json=edit)
        run = self.runs.wait_for_next("assign-changed-accounts", before)
        self.claim(True, f"the edit started the run '{run.name}' by itself")
        self.runs.wait_for_next("push-owner-changes", before)
        with context.store.transaction(readonly=True) as uow:
            owner = uow.ledger.current([account.id]).get(account.id)
        self.claim(owner is not None, f"{account.name} now belongs to {owner.owner_id if owner else 'nobody'}")
        shown = context.connectors.targets["hubspot"].read_owners([company])[0].owner_id
        self.claim(bool(shown), f"HubSpot shows owner {shown}")
        context.store.close()

    def territory_dry_run(self) -> None:
        self.act(f"8. Territory '{RERUN_TERRITORY}' decided again by its rules, as a dry run")
        self.stack.control("DELETE", "/journal")
        run_id = self.runs.start("rerun-territory/rerun-territory", territory=RERUN_TERRITORY, dry_run=True)
        self.runs.wait(run_id)
        context = self._context()
        counts = self._counts(context, "rerun-territory")
        context.store.close()
        assigned = counts["assigned"]
        self.console.print(f"  {assigned['looked_at']} accounts looked at, {assigned['moves']} would change owner")
        self.console.print(f"  the diff: {self.stack.prefect_url}/runs/flow-run/{run_id}")
        self.claim(not self._vendor_writes(), "nothing was written")

    def _context(self) -> RunContext:
        return open_context(self.stack.settings())

    def _counts(self, context: RunContext, flow: str) -> Mapping[str, Any]:
        with context.store.transaction(readonly=True) as uow:
            run = next(run for run in uow.runs.recent(50) if run.flow == flow and run.state == "completed")
        counts: Mapping[str, Any] = run.counts
        return counts

    def _vendor_writes(self) -> Counter[str]:
        entries = self.stack.control("GET", "/journal").json()["entries"]
        return Counter(entry["operation"] for entry in entries if entry["operation"] in WRITES)

    def _show_pulled(self, counts: Mapping[str, Any]) -> None:
        table = Table("system", "stream", "rows", "unreadable", box=None, pad_edge=False)
        for stream in counts["pulled"]:
            table.add_row(stream["source"], stream["stream"], str(stream["rows"]), str(stream["problems"]))
        self.console.print(table)
        matched = counts["matched"]
        self.console.print(
            f"  matched into {matched['accounts']} accounts, {matched['in_several_systems']} of them in several systems"
        )

    def _show_assigned(self, counts: Mapping[str, Any]) -> None:
        table = Table("decided by", "accounts", box=None, pad_edge=False)
        for reason, count in sorted(counts["assigned"]["by_reason"].items(), key=lambda item: -item[1]):
            table.add_row(reason, str(count))
        self.console.print(table)

    def _show_pushed(self, context: RunContext) -> None:
        with context.store.transaction(readonly=True) as uow:
            states = uow.outbox.counts()
        table = Table("system", "state", "records", box=None, pad_edge=False)
        for (target, state), count in sorted(states.items()):
            table.add_row(target, state, str(count))
        self.console.print(table)
        waiting = sum(count for (_, state), count in states.items() if state in {"pending", "leased", "unknown"})
        self.claim(waiting == 0, "nothing is left waiting in the outbox")

    def _show_explanations(self, context: RunContext) -> None:
        for query in _examples(context):
            self.console.print("\n".join("  " + line for line in why_lines(context, query)), highlight=False)
            self.console.print()

    def _show_exceptions(self, context: RunContext) -> None:
        with context.store.transaction(readonly=True) as uow:
            kinds = Counter(item.kind for item in uow.exceptions.open_items())
        table = Table("reason", "open", box=None, pad_edge=False)
        for kind, count in kinds.most_common():
            table.add_row(kind, str(count))
        self.console.print(table)

    def _check_audit(self, context: RunContext) -> None:
        counts = self._counts(context, "audit-ownership")
        complete = counts["completeness"]
        self.claim(
            complete["pulled"] == complete["linked"] + complete["excepted_rows"],
            f"pulled {complete['pulled']} records = {complete['linked']} decided "
            f"+ {complete['excepted_rows']} excepted",
        )
        self.claim(
            not complete["without_either"],
            f"each of {complete['accounts']} accounts has one owner of record or an open exception",
        )
        for truth in counts["truths"]:
            self.claim(
                not truth["unexplained"],
                f"{truth['target']} itself shows the ledger's owner on {truth['agree']} of {truth['records']} records; "
                f"the other {truth['explained']} have an open exception",
            )
        self.claim(counts["ledger_broken_at"] is None, "the ledger's chain verifies")


def run_demo(keep: bool) -> int:
    """Play the demo. Returns 0 when every claim held, 1 otherwise."""
    console = Console()
    started = time.monotonic()
    console.print(
        "[bold]Steward[/bold]: decides who owns every account, keeps it true in every tool, and can say why.\n"
    )
    with Stack(FOLDER, lambda text: console.print(f"  … {text}")) as stack:
        try:
            with Runs(f"{stack.prefect_url}/api") as runs:
                Demo(stack, runs, console).play()
        except Broken:
            console.print("[red]The demo's claim above does not hold.[/red]")
            return 1
        console.print(f"\n[bold green]Done in {time.monotonic() - started:.0f} s.[/bold green] Logs: {FOLDER / 'logs'}")
        if keep:
            _stay(stack, console)
    return 0


def run_up(port: int, prefect_port: int) -> int:
    """Start everything, print where it is, and stay until Ctrl-C or until a process ends."""
    console = Console()
    with Stack(Path(".steward") / "up", lambda text: console.print(f"  … {text}"), Ports(prefect_port, port)) as stack:
        return _stay(stack, console)


def _stay(stack: Stack, console: Console) -> int:
    console.print(
        f"\nPrefect UI      {stack.prefect_url}\nWeb app         {stack.web_url}\nEmulators       {stack.control_url}"
    )
    console.print("Run the job     deployment assign-owners in the Prefect UI. Ctrl-C stops everything.")
    try:
        while (ended := stack.processes.ended()) is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    console.print(f"[red]{ended} ended by itself; see {stack.folder / 'logs'}[/red]")
    return 1


def _instant() -> datetime:
    return datetime.now(UTC)


def _examples(context: RunContext) -> list[str]:
    """One account decided as named, one by territory, one by a pool's turn: the first of each, by id."""
    with context.store.transaction(readonly=True) as uow:
        decided = uow.decisions.latest()
    chosen: dict[str, str] = {}
    for account_id in sorted(decided):
        chosen.setdefault(decided[account_id].reason, account_id)
    return [chosen[reason] for reason in ("named", "territory", "pool") if reason in chosen]


def _account_to_complete(context: RunContext) -> tuple[Any, str]:
    """An account that only lacks its country and is in HubSpot: the first by id, and its company id there."""
    with context.store.transaction(readonly=True) as uow:
        missing = {a for a, decision in uow.decisions.latest().items() if decision.reason == "missing_data"}
        for account in sorted(uow.accounts.all(), key=lambda account: account.id):
            companies = [ref.external_id for ref in account.refs if ref.source == "hubspot"]
            if account.id in missing and len(account.refs) == 1 and companies and "country" not in account.fields:
                return account, companies[0]
    raise Broken("the demo world has no HubSpot company that only lacks its country")
