"""Playing scenarios: each on a rehearsal of its own, with the real steps and a clock that moves only when told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.policy_files import LoadedPolicy, load_policy
from config.scenario_files import Scenario, Step, to_duration, to_instant
from config.yaml_files import PolicyError, hint
from connectors.errors import RetryLater
from connectors.memory import ACCOUNT_FIELDS, LEAD_FIELDS
from ownership.acceptance import NotYours
from ownership.conditions import DATES, FIELDS
from tasks.acceptance import accept_account, decline_account, escalate_due, remind_owners
from tasks.expectations import Seen
from tasks.identity_words import Refused, Word, say_lead, say_parent, say_same, say_split, withdraw
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse
from tasks.scope import UnknownTerritory


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
        policies: dict[str, LoadedPolicy] = {}
        for number, scenario in enumerate(scenarios):
            stage = Path(folder) / str(number)
            stage.mkdir()
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


class Impossible(Exception):
    """A step that cannot be done as it is written; the message says why."""


class _Player:
    """One scenario under way. `moves` is of the last run, `writes` counts since the last expectation."""

    def __init__(self, company: Rehearsal) -> None:
        self.company = company
        self.moves = 0
        self.writes_before = 0

    def do(self, step: Step) -> list[str]:
        """Do one step; returns what failed."""
        act: Callable[[Any], list[str] | None] = getattr(self, f"_{step.action}")
        try:
            return act(step.arguments) or []
        except Impossible as problem:
            return [str(problem)]

    # --- what the outside world does ---

    def _record(self, arguments: Mapping[str, Any]) -> None:
        self.company.account(arguments["in"], arguments["id"], **self._fields(arguments, ACCOUNT_FIELDS))

    def _import(self, arguments: Mapping[str, Any]) -> None:
        fields = self._fields(arguments, ACCOUNT_FIELDS)
        name, id_ = fields.pop("name", arguments["id"]), arguments["id"]
        for number in range(1, arguments["count"] + 1):
            self.company.account(arguments["in"], f"{id_}{number}", name=f"{name} {number}", **fields)

    def _lead(self, arguments: Mapping[str, Any]) -> None:
        self.company.lead(arguments["in"], arguments["id"], **self._fields(arguments, LEAD_FIELDS))

    def _fields(self, arguments: Mapping[str, Any], of_record: frozenset[str]) -> dict[str, Any]:
        """The fields of a record. One that neither a CRM has nor the policy asks for is a slip of the pen."""
        fields = {name: value for name, value in arguments.items() if name not in ("in", "id", "count")}
        known = {*of_record, "owner", *FIELDS, *DATES, *self.company.context.policy.policy.fields}
        for name in fields:
            if name not in known:
                raise Impossible(f"{arguments['in']}/{arguments['id']} cannot have a '{name}'{hint(name, known)}")
        return fields

    def _delete(self, arguments: Mapping[str, Any]) -> None:
        source, id_ = self.company.sources[arguments["in"]], arguments["id"]
        streams = [stream for stream in source.streams if source.stored(stream, id_) is not None]
        if not streams:
            raise Impossible(f"{source.name}/{id_} cannot be deleted: it is not there")
        source.delete(streams[-1], id_)

    def _merge(self, arguments: Mapping[str, Any]) -> None:
        source, stream = self.company.sources[arguments["in"]], self.company.sources[arguments["in"]].streams[0]
        for id_ in (arguments["id"], arguments["into"]):
            if (stored := source.stored(stream, id_)) is None or stored.deleted:
                raise Impossible(f"{source.name}/{id_} cannot be merged: it is not there")
        source.merge(stream, arguments["id"], arguments["into"])

    def _wait(self, text: str) -> None:
        duration, instant = to_duration(text), to_instant(text)
        wait = duration or (instant or self.company.now[0]) - self.company.now[0]
        if wait.total_seconds() < 0:
            raise Impossible(f"waiting until {text} is impossible: it is {self.company.now[0]:%Y-%m-%d %H:%M} UTC")
        self.company.pass_time(seconds=wait.total_seconds())

    def _outage(self, arguments: Mapping[str, Any]) -> None:
        system = arguments["of"]
        self.company.sources[system].fail_with = RetryLater(system, "is away")

    # --- what people decide ---

    def _change_policy(self, sections: Mapping[str, Any]) -> None:
        self._adopt("policy", lambda document: _merged(document, sections))

    def _change_roster(self, people: Mapping[str, Any]) -> None:
        """Fields of some reps, who may be new; null takes one off the roster."""

        def edit(document: dict[str, Any]) -> dict[str, Any]:
            known = {rep["id"]: rep for rep in document["reps"]}
            for id_, changed in people.items():
                known[id_] = _merged({"id": id_, **known.get(id_, {})}, changed) if changed else None
            return {**document, "reps": [rep for rep in known.values() if rep]}

        self._adopt("roster", edit)

    def _adopt(self, kind: str, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        documents = json.loads(self.company.context.policy.canonical)
        documents[kind] = edit(documents[kind])
        with TemporaryDirectory() as folder:
            for each in ("policy", "roster"):
                (Path(folder) / f"{each}.yaml").write_text(json.dumps(documents[each], indent=1), encoding="utf-8")
            try:
                self.company.adopt(load_policy(Path(folder)))
            except PolicyError as error:
                raise Impossible(f"the changed {kind} does not load: {'; '.join(error.problems)}") from None

    def _same(self, arguments: Mapping[str, Any]) -> None:
        self._say(say_same, arguments, "keep")

    def _split(self, arguments: Mapping[str, Any]) -> None:
        self._say(say_split, arguments, "one")

    def _withdraw(self, arguments: Mapping[str, Any]) -> None:
        self._say(withdraw, arguments, "one")

    def _say(self, speak: Callable[..., str], arguments: Mapping[str, Any], first: str) -> None:
        try:
            speak(self.company.context, (arguments[first], arguments["other"]), _word(arguments))
        except Refused as refusal:
            raise Impossible(str(refusal)) from None

    def _parent(self, arguments: Mapping[str, Any]) -> None:
        try:
            say_parent(self.company.context, arguments["of"], arguments["is"], _word(arguments))
        except Refused as refusal:
            raise Impossible(str(refusal)) from None

    def _match_lead(self, arguments: Mapping[str, Any]) -> None:
        lead, account, belongs = arguments["lead"], arguments["account"], not arguments.get("not")
        try:
            say_lead(self.company.context, lead, account, _word(arguments), belongs)
        except Refused as refusal:
            raise Impossible(str(refusal)) from None

    def _accept(self, arguments: Mapping[str, Any]) -> None:
        account, by = self._asked(arguments, "accept"), arguments["as"]
        try:
            accept_account(self.company.context, account, by)
        except NotYours as refusal:
            raise Impossible(f"{by} cannot accept {arguments['account']}: {refusal}") from None

    def _decline(self, arguments: Mapping[str, Any]) -> None:
        account, by = self._asked(arguments, "decline"), arguments["as"]
        self.company.new_run()
        try:
            decline_account(self.company.context, account, by, str(arguments.get("reason", "")))
        except NotYours as refusal:
            raise Impossible(f"{by} cannot decline {arguments['account']}: {refusal}") from None

    def _asked(self, arguments: Mapping[str, Any], answer: str) -> str:
        """The account somebody answers for, which must wait for an answer."""
        account = self.company.asked(*arguments["account"].split("/", 1))
        if account is None:
            raise Impossible(f"{arguments['as']} cannot {answer} {arguments['account']}: it waits for no answer")
        return account

    # --- what Steward does ---

    def _run(self, what: str) -> None:
        try:
            if what in ("assign", "everything"):
                self.moves = len(self.company.assign().moves)
            if what == "changed":
                self.moves = len(self.company.assign(changed=True).moves)
            if what == "escalate":
                self.company.new_run()
                remind_owners(self.company.context)
                self.moves = len(escalate_due(self.company.context).moves)
            deliver_notices(self.company.context)
            if what in ("push", "everything"):
                self.company.push()
        except RetryLater:
            pass  # an outage the scenario asked for: the next run goes on

    def _rerun(self, territory: str, dry_run: bool = False) -> None:
        try:
            self.moves = len(self.company.rerun(territory, dry_run=dry_run).moves)
        except UnknownTerritory as problem:
            raise Impossible(str(problem)) from None

    def _preview(self, territory: str) -> None:
        self._rerun(territory, dry_run=True)

    def _expect(self, wanted: Mapping[str, Any]) -> list[str]:
        writes = sum(len(target.written) for target in self.company.targets.values())
        seen = Seen(self.company, self.moves, writes - self.writes_before)
        self.writes_before = writes
        return seen.differences(wanted)


def _word(arguments: Mapping[str, Any]) -> Word:
    return Word(str(arguments.get("by", "somebody")), str(arguments.get("because", "")))


def _merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with some keys different; null takes one away."""
    return {key: value for key, value in {**document, **changes}.items() if value is not None}
