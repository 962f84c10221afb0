"""`steward demo`: the whole job once, on a company's worth of emulated data, told for people.

Every claim printed here is checked, and a claim that does not hold ends the demo with exit code 1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from cli import showing
from cli.demo_offer import copy_policy, play_offer
from cli.runs import Runs
from cli.stack import Ports, Stack
from config.policy_files import load_policy
from ownership.model import Account
from store.outbox import WAITING
from tasks.assignment import preview_accounts
from tasks.context import RunContext, open_context
from tasks.explanation import why_lines
from tasks.scope import accounts_in_territory, without_existing_owner

FOLDER = Path(".steward") / "demo"
POLICY = Path(".steward") / "demo-policy"  # the demo changes it for a moment
RERUN_TERRITORY = "mm-dach"
COMPLETED_FIELD = "country"
LOG_WIDTH = 120  # characters, when the output goes to a file
# What asks and changes nothing, by the last word of the vendors' journal labels; every other call counts as a write.
READS = frozenset(
    {
        *("token", "limits", "query", "query_all", "query_more", "row_read"),
        *("search", "batch_read", "list_records", "get", "list_owners", "get_owner", "associations"),
        *("list", "retrieve", "test", "lookupByEmail"),
    }
)


class Broken(AssertionError):
    """Something the demo claims did not hold."""


class Demo:
    """The acts of the demo, in order."""

    def __init__(self, stack: Stack, runs: Runs, context: RunContext, console: Console) -> None:
        self.stack = stack
        self.runs = runs
        self.context = context
        self.console = console
        self.started = time.monotonic()

    def act(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]  [dim]{time.monotonic() - self.started:.0f} s[/dim]")

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False)

    def claim(self, holds: bool, what: str) -> None:
        """Print a claim that was just checked. Raises `Broken` when it does not hold."""
        self.console.print(f"  [green]✓[/green] {what}" if holds else f"  [red]✗ {what}[/red]", highlight=False)
        if not holds:
            raise Broken(what)

    def play(self) -> None:
        self.runs.pause_schedules()
        before = _now()
        self.pull_and_assign()
        self.push(before)
        self.explain()
        self.audit("5. Audit: flow audit-ownership asks every CRM who owns what")
        self.second_run()
        self.crm_edit()
        self.territory_dry_run()
        play_offer(self)

    def pull_and_assign(self) -> None:
        self.act("1. Pull, match, assign, record: flow assign-owners, through the Prefect server")
        self.run("assign-owners", trigger="demo")
        counts = self._counts("assign-owners")
        self.console.print(showing.pulled_table(counts))
        matched = counts["matched"]
        several = f"{matched['in_several_systems']:,} of them in several systems"
        self.say(f"matched into {matched['accounts']:,} accounts, {several}, and {matched['leads']:,} open leads")
        self.console.print(showing.assigned_table(counts["assigned"]["by_reason"]))

    def push(self, before: datetime) -> None:
        self.act("2. Push: flow push-owner-changes, started by the event that owners were recorded")
        self.runs.wait_for_next("push-owner-changes", before)
        with self.context.store.transaction(readonly=True) as uow:
            states = uow.outbox.counts()
        self.console.print(showing.pushed_table(states))
        waiting = sum(count for (_, state), count in states.items() if state in WAITING)
        self.claim(waiting == 0, "nothing is left waiting in the outbox")
        self.tasks()
        self.say("what the job has cost so far, by the vendors' own journals:")
        self.console.print(showing.calls_table(self._journal()))

    def tasks(self) -> None:
        with self.context.store.transaction(readonly=True) as uow:
            states = uow.crm_tasks.counts()
        made = {target: count for (target, state), count in sorted(states.items()) if state == "created"}
        where = ", ".join(f"{count:,} in {target}" for target, count in made.items())
        waiting = sum(count for (_, state), count in states.items() if state in WAITING)
        self.claim(waiting == 0, f"{sum(made.values()):,} tasks created by policy ({where or 'none'}), none is waiting")

    def explain(self) -> None:
        self.act("3. Four decisions, explained")
        for query in _examples(self.context):
            for line in why_lines(self.context, query):
                self.say(line)
            self.console.print()
        self.act("4. What needs a person")
        with self.context.store.transaction(readonly=True) as uow:
            self.console.print(showing.exceptions_table(uow.exceptions.open_items()))

    def audit(self, title: str) -> None:
        self.act(title)
        self.run("audit-ownership", trigger="demo")
        counts = self._counts("audit-ownership")
        complete = counts["completeness"]
        self.claim(
            complete["pulled"] == complete["linked"] + complete["excepted_rows"],
            f"pulled {complete['pulled']:,} records = {complete['linked']:,} decided "
            f"+ {complete['excepted_rows']:,} excepted",
        )
        self.claim(
            not complete["without_either"] and complete["owned"] + complete["waiting"] == complete["accounts"],
            f"{complete['accounts']:,} accounts and leads = {complete['owned']:,} with exactly one owner of record "
            f"+ {complete['waiting']:,} with an open exception",
        )
        for truth in counts["truths"]:
            self.claim(
                not truth["unexplained"],
                f"{truth['target']} itself shows the ledger's owner on {truth['agree']:,} of {truth['records']:,} "
                f"records; each of the other {truth['explained']:,} has its own open exception",
            )
        self.claim(counts["ledger_broken_at"] is None, "the ledger's chain verifies")

    def second_run(self) -> None:
        self.act("6. The same again, on the same state")
        self.stack.control("DELETE", "/journal")
        self.run("assign-owners", trigger="demo again")
        self.run("push-owner-changes", trigger="demo again")
        self.claim(self._counts("assign-owners")["assigned"]["moves"] == 0, "0 owner changes")
        self.claim(not self._writes(), "0 vendor writes, by the vendors' own journals")

    def crm_edit(self) -> None:
        self.act(f"7. Somebody fills in a {COMPLETED_FIELD} in HubSpot, and nobody starts anything")
        account, company = _account_to_complete(self.context)
        self.stack.subscribe("hubspot", properties=["name", "domain", COMPLETED_FIELD, "numberofemployees"])
        before = _now()
        edit = {"vendor": "hubspot", "id": company, "properties": {COMPLETED_FIELD: "United States"}}
        self.stack.control("POST", "/edit", json=edit)
        run = self.runs.wait_for_next("assign-changed-accounts", before)
        self.say(f"the edit started the run '{run.name}'")
        self.runs.wait_for_next("push-owner-changes", before)
        with self.context.store.transaction(readonly=True) as uow:
            current = uow.ledger.current([account.id]).get(account.id)
            users = {person.external_id: person.email for person in uow.people.all("hubspot")}
        roster = self.context.policy.roster
        owner = roster.reps[current.owner_id] if current else None
        self.claim(owner is not None, f"{account.name} belongs to {owner.name if owner else 'nobody'} now")
        shown = self.context.connectors.targets["hubspot"].read_owners([company])[0].owner_id
        self.claim(bool(owner) and users.get(shown or "") == (owner and owner.email), "HubSpot shows the same")

    def territory_dry_run(self) -> None:
        self.act(f"8. Flow rerun-territory: '{RERUN_TERRITORY}' decided again by its rules, as a dry run")
        self.stack.control("DELETE", "/journal")
        run_id = self.run("rerun-territory", territory=RERUN_TERRITORY, dry_run=True)
        assigned = self._counts("rerun-territory")["assigned"]
        policy = self.context.policy.policy.on(self.context.today())
        wanted = accounts_in_territory(policy, RERUN_TERRITORY)
        moves = preview_accounts(self.context, wanted, without_existing_owner(policy)).moves
        self.say(f"{assigned['looked_at']:,} accounts looked at, {assigned['moves']:,} would change owner:")
        self.console.print(showing.moves_table(moves, self.context.policy.roster))
        self.say(f"all of them: {self.stack.prefect_url}/runs/flow-run/{run_id}")
        self.claim(len(moves) == assigned["moves"], "the flow's diff is the one shown here")
        self.claim(not self._writes(), "nothing was written")

    def run(self, flow: str, **parameters: Any) -> str:
        run_id = self.runs.start(f"{flow}/{flow}", **parameters)
        with self.console.status(f"  {self.stack.prefect_url}/runs/flow-run/{run_id}"):
            self.runs.wait(run_id)
        return str(run_id)

    def _counts(self, flow: str) -> Mapping[str, Any]:
        """What the latest completed run of a flow says of itself."""
        with self.context.store.transaction(readonly=True) as uow:
            run = next(run for run in uow.runs.recent(50) if run.flow == flow and run.state == "completed")
        counts: Mapping[str, Any] = run.counts
        return counts

    def _journal(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.stack.control("GET", "/journal").json()
        return entries

    def _writes(self) -> list[dict[str, Any]]:
        return [entry for entry in self._journal() if entry["operation"].split(".")[-1] not in READS]


def run_demo(keep: bool) -> int:
    """Play the demo. Returns 0 when every claim held, 1 otherwise."""
    console = _console()
    started = time.monotonic()
    console.print(
        "[bold]Steward[/bold] decides who owns every account, keeps it true in every tool, and can say why.\n"
        "Here it does so for Northwind Data, whose five tools are emulated on this machine.\n"
    )
    own_policy = {"STEWARD_POLICY_DIR": str(copy_policy(POLICY).resolve())}
    with Stack(FOLDER, lambda text: console.print(f"  … {text}"), settings=own_policy) as stack:
        context = open_context(stack.settings())
        try:
            with Runs(f"{stack.prefect_url}/api") as runs:
                Demo(stack, runs, context, console).play()
        except Broken:
            console.print("[red]The claim above does not hold.[/red]")
            return 1
        finally:
            context.store.close()
        console.print(f"\n[bold green]Done in {time.monotonic() - started:.0f} s.[/bold green] Logs: {FOLDER / 'logs'}")
        if keep:
            return _stay(stack, console)
    return 0


def run_up(port: int, prefect_port: int) -> int:
    """Start everything, print where it is, and stay until Ctrl-C or until a process ends."""
    console = _console()
    with Stack(Path(".steward") / "up", lambda text: console.print(f"  … {text}"), Ports(prefect_port, port)) as stack:
        stack.subscribe("hubspot", properties=["name", "domain", "country", "numberofemployees", "segment"])
        with Runs(f"{stack.prefect_url}/api") as runs:
            runs.start("assign-owners/assign-owners", trigger="first start")
        return _stay(stack, console)


def _stay(stack: Stack, console: Console) -> int:
    console.print(
        f"\nPrefect UI      {stack.prefect_url}\nWeb app         {stack.web_url}\nEmulators       {stack.control_url}"
        f"\nE-mail taken    {stack.control_url}/mails.html"
        f"\n\nLog in at       {stack.web_url}/login\n{_logins(stack.settings().policy_dir)}"
        "\n\nThe first run is under way; later ones start on their schedules, or by hand in the Prefect UI."
        f"\nAsk about an account:  {stack.command_line('steward why visa.com')}"
        "\nCtrl-C stops everything."
    )
    try:
        while (ended := stack.processes.ended()) is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        return 0
    console.print(f"[red]{ended} ended by itself; see {stack.folder / 'logs'}[/red]")
    return 1


def _logins(policy_dir: Path) -> str:
    """Somebody for each role: ops, a manager, and a rep of theirs."""
    roster = load_policy(policy_dir).roster
    manager = next(rep for rep in roster.reps.values() if roster.is_manager(rep.id))
    rep = next(rep for rep in roster.reps.values() if rep.manager == manager.id)
    reports = f"{rep.name}, who reports to them"
    return f"  as ops        Sales operations\n  as manager    {manager.name}\n  as rep        {reports}"


def _console() -> Console:
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    return console


def _now() -> datetime:
    return datetime.now(UTC)


def _examples(context: RunContext) -> list[str]:
    """One account decided as named, one by territory, one by a pool's turn, and a lead that goes to the owner of its
    account: the first of each, by id."""
    with context.store.transaction(readonly=True) as uow:
        decided = uow.decisions.latest()
    chosen: dict[str, str] = {}
    for account_id in sorted(decided):
        chosen.setdefault(decided[account_id].reason, account_id)
    return [chosen[reason] for reason in ("named", "territory", "pool", "account_owner") if reason in chosen]


def _account_to_complete(context: RunContext) -> tuple[Account, str]:
    """A small company that only lacks its country and is in HubSpot alone: the first by id, and its id there.

    A small one, because the books of the enterprise teams are nearly full.
    """
    with context.store.transaction(readonly=True) as uow:
        missing = {a for a, decision in uow.decisions.latest().items() if decision.reason == "missing_data"}
        for account in sorted(uow.accounts.all(), key=lambda account: account.id):
            companies = [ref.external_id for ref in account.refs if ref.source == "hubspot"]
            alone = companies and len(account.refs) == 1
            if account.id in missing and alone and account.fields.get("segment") == "smb":
                return account, companies[0]
    raise Broken("the demo world has no small HubSpot company that only lacks its country")
