"""Playing scenarios: each on a rehearsal of its own, with the real steps and a clock that moves only when told."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.policy_files import LoadedPolicy, load_policy
from config.scenario_files import Scenario, Step, to_duration, to_instant
from connectors.errors import RetryLater
from ownership.acceptance import NotYours
from store.engine import open_store
from tasks.acceptance import accept_account, decline_account, escalate_due, remind_owners
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario ended. `failures` say what was expected and what was, by file and line; none: it holds."""

    scenario: Scenario
    failures: tuple[str, ...]


def play_all(scenarios: list[Scenario], policy_dir: Path) -> Iterator[Played]:
    """Play each scenario from nothing. Raises `PolicyError` when a policy does not load.

    `policy_dir` holds the policy of scenarios that name none.
    """
    with TemporaryDirectory() as folder:
        blank = Path(folder) / "blank.db"
        store = open_store(f"sqlite:///{blank}")
        store.migrate()
        store.close()
        policies: dict[str, LoadedPolicy] = {}
        for number, scenario in enumerate(scenarios):
            stage = Path(folder) / str(number)
            stage.mkdir()
            shutil.copy(blank, stage / "steward.db")
            told = json.dumps([str(scenario.policy_dir), scenario.policy, scenario.roster])
            if told not in policies:
                policies[told] = _policy_of(scenario, stage, policy_dir)
            yield Played(scenario, tuple(_play(scenario, policies[told], stage)))


def _policy_of(scenario: Scenario, stage: Path, policy_dir: Path) -> LoadedPolicy:
    """The scenario's policy; what it writes out itself stands in for the file of that name."""
    source = scenario.policy_dir or policy_dir
    if scenario.policy is None and scenario.roster is None:
        return load_policy(source)
    for name, inline in (("policy.yaml", scenario.policy), ("roster.yaml", scenario.roster)):
        if inline is None:
            shutil.copy(source / name, stage / name)
        else:
            (stage / name).write_text(json.dumps(inline, indent=1), encoding="utf-8")
    return load_policy(stage)


def _play(scenario: Scenario, policy: LoadedPolicy, stage: Path) -> Iterator[str]:
    company = rehearse(stage, policy)
    company.now[0] = scenario.start
    player = _Player(company)
    for step in scenario.steps:
        for failure in player.do(step):
            yield f"{scenario.file}:{step.line}: {failure}"
    company.context.store.close()


class _Player:
    """One scenario under way. `moves` is of the last run, `writes` counts since the last expectation."""

    def __init__(self, company: Rehearsal) -> None:
        self.company = company
        self.moves = 0
        self.writes_before = 0

    def do(self, step: Step) -> list[str]:
        """Do one step; returns what failed."""
        act: Callable[[Any], list[str] | None] = getattr(self, f"_{step.action}")
        return act(step.arguments) or []

    def _record(self, arguments: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in arguments.items() if name not in ("in", "id")}
        self.company.account(arguments["in"], arguments["id"], **fields)

    def _lead(self, arguments: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in arguments.items() if name not in ("in", "id")}
        self.company.lead(arguments["in"], arguments["id"], **fields)

    def _delete(self, arguments: Mapping[str, Any]) -> None:
        source = self.company.sources[arguments["in"]]
        is_lead = "leads" in source.streams and source.stored("leads", arguments["id"]) is not None
        source.delete("leads" if is_lead else "accounts", arguments["id"])

    def _wait(self, text: str) -> None:
        duration, instant = to_duration(text), to_instant(text)
        wait = duration or (instant or self.company.now[0]) - self.company.now[0]
        self.company.pass_time(seconds=max(wait.total_seconds(), 0))

    def _change_policy(self, sections: Mapping[str, Any]) -> None:
        self._adopt("policy.yaml", lambda document: _merged(document, sections))

    def _change_roster(self, people: Mapping[str, Any]) -> None:
        """Fields of some reps, who may be new; null takes one off the roster."""

        def edit(document: dict[str, Any]) -> dict[str, Any]:
            known = {rep["id"]: rep for rep in document["reps"]}
            for id_, changed in people.items():
                known[id_] = _merged({"id": id_, **known.get(id_, {})}, changed) if changed else None
            return {**document, "reps": [rep for rep in known.values() if rep]}

        self._adopt("roster.yaml", edit)

    def _adopt(self, name: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        document = json.loads(self.company.context.policy.canonical)
        kinds = {"policy.yaml": "policy", "roster.yaml": "roster"}
        with TemporaryDirectory() as folder:
            for file, kind in kinds.items():
                text = json.dumps(edit(document[kind]) if file == name else document[kind], indent=1)
                (Path(folder) / file).write_text(text, encoding="utf-8")
            self.company.adopt(load_policy(Path(folder)))

    def _rerun(self, territory: str) -> None:
        self.moves = len(self.company.rerun(territory, dry_run=False).moves)

    def _preview(self, territory: str) -> None:
        self.moves = len(self.company.rerun(territory, dry_run=True).moves)

    def _outage(self, arguments: Mapping[str, Any]) -> None:
        system = arguments["of"]
        self.company.sources[system].fail_with = RetryLater(system, "is away")

    def _accept(self, arguments: Mapping[str, Any]) -> list[str]:
        account = arguments["account"].split("/", 1)[-1]
        try:
            accept_account(self.company.context, account, arguments["as"])
        except NotYours as refusal:
            return [f"{arguments['as']} cannot accept {account}: {refusal}"]
        return []

    def _decline(self, arguments: Mapping[str, Any]) -> list[str]:
        account = arguments["account"].split("/", 1)[-1]
        try:
            self.company.new_run()
            decline_account(self.company.context, account, arguments["as"], str(arguments.get("reason", "")))
        except NotYours as refusal:
            return [f"{arguments['as']} cannot decline {account}: {refusal}"]
        return []

    def _run(self, what: str) -> list[str]:
        try:
            if what in ("assign", "everything"):
                self.moves = len(self.company.assign().moves)
            if what == "escalate":
                self.company.new_run()
                remind_owners(self.company.context)
                self.moves = len(escalate_due(self.company.context).moves)
            deliver_notices(self.company.context)
            if what in ("push", "everything"):
                self.company.push()
        except RetryLater:
            pass  # an outage the scenario asked for: the next run goes on
        return []

    def _expect(self, wanted: Mapping[str, Any]) -> list[str]:
        found = _Found(self.company)
        writes = sum(len(target.written) for target in self.company.targets.values())
        failures: list[str] = []
        for what, expected in wanted.items():
            if what == "moves":
                failures += _differ("owner changes in the last run", expected, self.moves)
            elif what == "writes":
                failures += _differ(
                    "writes to the CRMs since the last expectation", expected, writes - self.writes_before
                )
            elif what in RECORDS:
                failures += found.records(what, expected)
            elif what == "next":
                actual = {pool: self.company.next_in(pool) or "nobody" for pool in expected}
                failures += _differ("next in turn", _sorted(expected), _sorted(actual))
            elif what == "notices":
                told = found.notices()
                failures += [
                    f"what {rep} was told: expected '{text}' in it, found '{told.get(rep, 'nothing')}'"
                    for rep, text in expected.items()
                    if str(text) not in told.get(rep, "")
                ]
            else:
                failures += _differ(what, _sorted(expected), _sorted(getattr(found, what)()))
        self.writes_before = writes
        return failures


class _Found:
    """What can be seen of a company at one moment."""

    def __init__(self, company: Rehearsal) -> None:
        self.company = company

    def records(self, what: str, expected: Mapping[str, Any]) -> list[str]:
        """Compare something of records named as system/id; a list says that any of these will do."""
        failures = []
        for name, wanted in expected.items():
            source, _, id_ = name.partition("/")
            actual = self._of_record(what, source, id_)
            if not _fits(what, wanted, actual):
                failures += [f"{RECORDS[what]} of {name}: expected {_words(wanted)}, found {_words(actual)}"]
        return failures

    def _of_record(self, what: str, source: str, id_: str) -> Any:
        company = self.company
        try:
            match what:
                case "shown":
                    return company.shown(source, id_) or "nobody"
                case "owners":
                    return company.owner(source, id_) or "nobody"
                case "team":
                    return company.team(source, id_)
                case "because":
                    decision = company.decision(source, id_)
                    return " | ".join(step.because for step in decision.path) if decision else "not decided"
                case _:
                    return company.reason(source, id_)
        except LookupError:
            return "in no account"

    def notices(self) -> dict[str, str]:
        """Everything that was told, by rep."""
        reps = {rep.email: rep.id for rep in self.company.context.policy.roster.reps.values()}
        told: dict[str, str] = {}
        for notice in self.company.notifier.delivered.values():
            said = " | ".join((notice.subject, *notice.lines))
            told[reps[notice.email]] = " | ".join(filter(None, (told.get(reps[notice.email]), said)))
        return told

    def exceptions(self) -> dict[str, int]:
        return self.company.exceptions()

    def told(self) -> list[str]:
        reps = {rep.email: rep.id for rep in self.company.context.policy.roster.reps.values()}
        return sorted({reps[notice.email] for notice in self.company.notifier.delivered.values()})

    def books(self) -> dict[str, int]:
        with self.company.context.store.transaction(readonly=True) as uow:
            return dict(Counter(current.owner_id for current in uow.ledger.current().values()))


RECORDS = {
    "owners": "the owner",
    "shown": "the owner the CRM shows",
    "reasons": "the reason",
    "because": "the explanation",
    "team": "the team",
}
"""What can be expected of a record, in words."""


def _fits(what: str, wanted: Any, actual: Any) -> bool:
    if what == "because":
        return isinstance(actual, str) and str(wanted) in actual
    return actual in (wanted if isinstance(wanted, list) else [wanted])


def _merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with some keys different; null takes one away."""
    return {key: value for key, value in {**document, **changes}.items() if value is not None}


def _differ(what: str, expected: Any, actual: Any) -> list[str]:
    return [] if expected == actual else [f"{what}: expected {_words(expected)}, found {_words(actual)}"]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))
    return sorted(value) if isinstance(value, list) else value


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return " or ".join(map(str, value)) or "nobody"
    return str(value)
