"""The JSON Schemas say what the loader says: the same keys, the same words, the same mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from cli.main import main
from config.condition_files import ConditionReader
from config.policy_files import LoadedPolicy, load_policy
from config.roster_files import RosterReader
from config.scenario_files import load_scenarios
from config.schema import OBJECTS, SCHEMAS, SHIFT, schema_of
from config.settings import POLICY_DIR
from config.yaml_files import Document, PolicyError, Reader, to_plain
from ownership.conditions import FIELDS, OPERATORS
from ownership.worktime import parse_hours
from tests.unit import test_policy_files as others

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "docs" / "schema"
SCHEMA = {name: schema_of(name) for name in SCHEMAS}
VALIDATOR = {name: Draft202012Validator(schema) for name, schema in SCHEMA.items()}

POLICY = "apiVersion: steward/v1\nkind: Policy\nname: Small\n"
ROSTER = """\
apiVersion: steward/v1
kind: Roster
reps:
  - {id: ann, name: Ann, email: ann@x.example, role: ae, team: east}
  - {id: bob, name: Bob, email: bob@x.example, role: ae, team: east}
"""
STORIES = "apiVersion: steward/v1\nkind: Scenarios\nscenarios:\n"
FULL_ROSTER = ROSTER + """\
  - id: cem
    name: Cem
    email: cem@x.example
    role: csm
    team: success
    manager: ann
    timezone: Europe/Berlin
    calendar: office
    capacity: 60
    ramp: [{until: "2026-12-31", percent: 50}, {until: "2027-03-31", percent: 75}]
    skills: [german]
    leave: [{from: "2026-12-20"}, {from: "2026-08-01", until: "2026-08-14"}]
    left_on: "2028-01-31"
    external_ids: {hubspot: "0077"}
    active: true
queues: [{id: desk, name: Desk, email: desk@x.example, team: smb, active: true, external_ids: {salesforce: 00G1}}]
calendars:
  - id: office
    hours: {weekdays: "09:00-17:30", friday: ["08:00-12:00", "13:00-15:00"], saturday: [], sunday: "22:00-06:00"}
    holidays: DE-BY
    closed: ["2026-12-24"]
    open: ["2026-11-01"]
"""  # fmt: skip
FULL_POLICY = POLICY + """\
timezone: Europe/Berlin
fields:
  - {name: tier, kind: text, meaning: how they buy, from: {salesforce: Tier__c, hubspot: tier}}
  - {name: contract_on, kind: date}
order: [
  do_not_route, gate, dispute, override, named, registration, returned, parent_owner, rules, existing_owner, territory]
system_of_record: hubspot
require: [{name: size, when: {employees: {is_present: true}}, mend: fill it in}]
dispute_clock: {hours: 24, clock: business}
exceptions: {due_hours: {owner_drift: 8, no_rule: 72.5}}
disputes: [{account: salesforce/001, claimed_by: bob, reason: met them first, from: "2026-11-01", until: "2026-11-30"}]
overrides:
  - {account: acme.com, owner: ann, reason: launch, requested_by: bob, approved_by: cem,
     from: "2026-11-01", until: "2026-11-30", then: return}
  - {account: late.com, owner: ann, reason: launch, requested_by: bob, approved_by: cem, then: stay}
named: [{domain: big.com, owner: desk, note: old friends, from: "2026-01-01", until: "2026-12-31"}]
registrations: [{domain: new.com, rep: bob, from: "2026-01-01", until: "2026-03-31"}]
rules:
  - id: heavy
    name: Heavy users
    when: {active_seats: {gte: 25}, tier: [gold, silver], days_since_contract: {gt: 30}}
    assign: {pool: east, skills: [german]}
    for_days: 14
    stays_while: {active_seats: {gte: 15}}
    handoff: [{name: contact, when: {has_primary_contact: true}, mend: find one}]
    from: "2026-01-01"
    until: "2027-12-31"
  - {id: partners, when: {any: [{type: Partner}, {not: {domains: {contains: acme.com}}}]}, assign: keep}
pools:
  - id: east
    members: [{rep: ann, weight: 2, from: "2026-01-01"}, {rep: bob, until: "2026-12-31"}]
    strategy: turns
    per_hour: 1
    per_day: 2
    per_week: 9
    rolling: true
    timezone: Asia/Tokyo
    within_hours: 0.5
    after_leave: owed_turns
    owed_most: 5
    existing_owner_takes_turn: true
    manual_takes_turn: true
    memory: pool
pods: [{id: blue, lead: ann, roles: {csm: cem}}]
team: [{role: csm, assign: {owner: cem}, when: {paying: true}, from: "2026-01-01", until: "2026-12-31"}]
tasks:
  - name: brief
    when: owner_changed
    for: role:csm
    subject: "{account} is {owner}'s, {previous} had it {{really}}"
    due_in_hours: 8
    clock: business
    conditions: {segment: enterprise}
    systems: [hubspot]
    from: "2026-01-01"
    until: "2026-12-31"
suppression:
  - name: asked or worked
    system: salesforce
    record: Lead
    flag: Busy__c
    date: Free_On__c
    days: 14
    conditions: {segment: enterprise}
    from: "2026-01-01"
    until: "2026-12-31"
  - {name: by mail, system: marketo, record: lead, date: freeOn, days: 7}
notices:
  - {when: asked, tell: owner, channels: [slack, email], conditions: {segment: enterprise},
     from: "2026-01-01", until: "2026-12-31"}
  - {when: new_owner, tell: role:csm}
  - {when: exception, tell: ops@x.example, channels: [email]}
  - {when: reminded, tell: manager}
  - {when: forfeiture_warning, tell: ann}
territories:
  - id: world
    name: World
    when: {all: [{country: [DE, NO]}]}
    owner: ann
    skills: [german]
    priority: -3
    from: "2026-01-01"
    until: "2027-12-31"
    children: [{id: de, when: {country: DE}, pool: east}]
follow_parent: {segment: {in: [enterprise]}}
pins_bypass_capacity: false
pins_bypass_caps: false
leavers: {accounts_move: next_business_day}
on_owner_change: {account_team: drop, contacts: move, open_opportunities: move}
drift: {human_edit: accept, integrations: [salesforce/005, s@n.example], steward_users: [hubspot/1], stop_percent: 5,
  stop_at_least: 20, most_reasserts: 3, reassert_days: 7}
coverage: {overlays_count: true}
existing_owner: {forfeit_after_days: 14, days: business, leave_counts: true, over_capacity: move_on}
identity: {conflicting_owners: recent_activity}
acceptance:
  hours: 0.5
  clock: business
  remind_hours: 0.25
  chain: [manager, queue]
  miss_takes_turn: false
  decline_takes_turn: true
  by: [{when: {vip: true}, hours: 2}]
  meanwhile: {queue: desk}
leads:
  order: [
    do_not_route, dispute, gate, override, returned, account_owner, existing_owner, named, registration, sticky, rules,
    territory]
  require: [{name: consent, when: {consent: true}, mend: ask for it}]
  inbound_activity_days: 30
  sticky_days: 7
"""  # fmt: skip
FULL_STORIES = """\
apiVersion: steward/v1
kind: Scenarios
policy: ../policy
roster: {apiVersion: steward/v1, kind: Roster, reps: []}
start: "2026-11-23T09:00:00Z"
scenarios:
  - name: a story
    start: "2026-11-24"
    covers: [turns]
    steps:
      - record: {in: salesforce, id: "1", name: Acme, owner: null}
      - run: everything
      - wait: 1.5h
      - expect: {owners: {salesforce/1: ann}, told: [ann], moves: 1}
      - expect: {tasks: [{on: salesforce/1, for: ann, subject: Call, due: "2026-11-24"}]}
"""


full = pytest.mark.parametrize(
    ("name", "text"), {"policy": FULL_POLICY, "roster": FULL_ROSTER, "scenarios": FULL_STORIES}.items(), ids=SCHEMAS
)


def plain(text: str) -> Any:
    """A YAML text as an editor or a checker sees it."""
    return to_plain(YAML(typ="rt", pure=True).load(text))


def load(folder: Path, policy: str = POLICY, roster: str = ROSTER) -> LoadedPolicy:
    (folder / "policy.yaml").write_text(policy)
    (folder / "roster.yaml").write_text(roster)
    return load_policy(folder)


def check(name: str, folder: Path, text: str) -> None:
    """Load one file, beside small ones of the other kinds. Raises `PolicyError`."""
    if name == "scenarios":
        (folder / "stories.yaml").write_text(text)
        load_scenarios(folder / "stories.yaml")
    else:
        load(folder, **{"roster": FULL_ROSTER, name: text})


# --- the files ---


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_in_the_docs_are_what_the_command_prints(name: str) -> None:
    """After a change of the loader: steward schema policy > docs/schema/policy.schema.json, and so for the others."""
    printed = CliRunner().invoke(main, ["schema", name])
    assert printed.exit_code == 0
    assert (SHIPPED / f"{name}.schema.json").read_text(encoding="utf-8") == printed.stdout
    Draft202012Validator.check_schema(json.loads(printed.stdout))


def test_another_name_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(main, ["schema", "pools"])
    assert result.exit_code == 2
    assert "'policy', 'roster', 'scenarios'" in result.output


def test_the_shipped_policy_and_scenarios_validate() -> None:
    files = [("policy", POLICY_DIR / "policy.yaml"), ("roster", POLICY_DIR / "roster.yaml")]
    files += [("scenarios", path) for path in (ROOT / "tests" / "scenarios").glob("*.yaml")]
    assert len(files) >= 4
    for name, path in files:
        assert [error.message for error in VALIDATOR[name].iter_errors(plain(path.read_text()))] == []


# --- the same keys ---


def places(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Every mapping of a document by its identity, and the way to it."""
    if isinstance(node, Mapping):
        yield id(node), at
        for key, value in node.items():
            yield from places(value, (*at, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from places(value, (*at, number))


def schema_at(root: Mapping[str, Any], way: tuple[str | int, ...]) -> Mapping[str, Any]:
    """The part of a schema that a place in a document is held to."""
    at = resolved(root, root)
    for step in way:
        inner = at["items"] if isinstance(step, int) else at["properties"].get(step) or at["additionalProperties"]
        at = resolved(root, inner)
    return at


def resolved(root: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a part stands for; of several forms the mapping, and the condition's where it asks for one."""
    if "$ref" in part:
        return resolved(root, root["$defs"][part["$ref"].rpartition("/")[2]])
    if "anyOf" in part:
        return next(form for each in part["anyOf"] if "properties" in (form := resolved(root, each)))
    return part


@full
def test_the_schema_knows_exactly_the_keys_the_loader_takes_and_needs(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every mapping the loader looks at is compared, and the document has one of each form the schema knows."""
    assert list(VALIDATOR[name].iter_errors(plain(text))) == []
    seen: list[tuple[tuple[str | int, ...], set[str], set[str]]] = []
    said = Reader.keys

    def listening(self: Reader, node: Any, what: str, required: Any, optional: Any = ()) -> None:
        required, optional = [*required], [*optional]
        way = dict(places(self.document.root)).get(id(node))
        if way is not None and isinstance(self, RosterReader) == (name == "roster"):
            seen.append((way, set(required), {*required, *optional}))
        said(self, node, what, required, optional)

    monkeypatch.setattr(Reader, "keys", listening)
    check(name, tmp_path, text)
    for way, required, known in seen:
        part = schema_at(SCHEMA[name], way)
        assert (set(part["required"]), set(part["properties"])) == (required, known), way
        assert part["additionalProperties"] is False
    compared = [schema_at(SCHEMA[name], way) for way, *_ in seen]
    elsewhere = {*SCHEMA["policy"]["$defs"], *SCHEMA["roster"]["$defs"], "policy", "roster", "step", "expectations"}
    forms = OBJECTS.keys() & SCHEMA[name]["$defs"].keys() - (elsewhere if name == "scenarios" else set())
    assert [form for form in forms if SCHEMA[name]["$defs"][form] not in compared] == []
    assert () in [way for way, *_ in seen]


@full
def test_an_unknown_key_is_refused_wherever_it_stands(name: str, text: str) -> None:
    whole = plain(text)
    free = {"when", "conditions", "stays_while", "follow_parent", "from", "roles", "external_ids", "record", "owners"}
    for _, way in places(whole):
        if free.isdisjoint(way):
            wrong = deepcopy(whole)
            at = wrong
            for step in way:
                at = at[step]
            at["zzz"] = 1
            assert not VALIDATOR[name].is_valid(wrong), way


# --- the same mistakes ---

TREE = POLICY + "territories:\n  - "
TASK = POLICY + 'tasks: [{name: a, when: owner_changed, for: owner, subject: "Look at {account}", due_in_hours: 4}]\n'
MISTAKES = {
    "an edit that is accepted and never asked for": (
        POLICY
        + "drift: {human_edit: accept}\n"
        + "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]\n"
    ),
    "an edit nobody knows what becomes of": POLICY + "drift: {human_edit: revert}\n",
    "an integration that is no user": POLICY + "drift: {integrations: [hubspot-sync]}\n",
    "a guard that more than everything stops": POLICY + "drift: {stop_percent: 101}\n",
    "nobody who has it meanwhile": POLICY + "acceptance: {meanwhile: nobody}\n",
    "a queue without a name": POLICY + "acceptance: {meanwhile: {queue: ''}}\n",
    "a misspelt section": POLICY + "teritories: []\n",
    "a policy without a name": "apiVersion: steward/v1\nkind: Policy\n",
    "another kind of file": "apiVersion: steward/v1\nkind: Roster\nname: A\n",
    "a name that is a number": "apiVersion: steward/v1\nkind: Policy\nname: 2026\n",
    "pools that are no list": POLICY + "pools: {east: [ann]}\n",
    "a pool without members": POLICY + "pools: [{id: p, members: []}]\n",
    "a member that is a word": POLICY + "pools: [{id: p, members: [ann]}]\n",
    "a weight of nothing": POLICY + "pools: [{id: p, members: [{rep: ann, weight: 0}]}]\n",
    "a cap of nothing": POLICY + "pools: [{id: p, members: [{rep: ann}], per_day: 0}]\n",
    "a strategy nobody knows": POLICY + "pools: [{id: p, members: [{rep: ann}], strategy: least_laoded}]\n",
    "a manual turn of no rule": (
        POLICY + "pools: [{id: p, members: [{rep: ann}], memory: rule, manual_takes_turn: true}]\n"
    ),
    "turns that are owed to nobody": POLICY + "pools: [{id: p, members: [{rep: ann}], owed_most: 3}]\n",
    "a misspelt system of record": POLICY + "system_of_record: salesfroce\n",
    "an unknown step": POLICY + "order: [gate, do_not_rout, named, parent_owner, existing_owner, territory]\n",
    "a step that is missing": POLICY + "order: [do_not_route, gate, named, parent_owner, territory]\n",
    "a step that is there twice": POLICY
    + "order: [gate, gate, do_not_route, named, parent_owner, existing_owner, territory]\n",
    "rules that the order leaves out": POLICY
    + "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]\n"
    + "rules: [{id: r, when: {paying: true}, assign: keep}]\n",
    "sticky days without their step": POLICY
    + "leads: {sticky_days: 3, order: [do_not_route, gate, existing_owner, account_owner, named, territory]}\n",
    "an unknown key of leads": POLICY + "leads: {sticky: 3}\n",
    "hours in words": POLICY + "acceptance: {hours: a day}\n",
    "no hours at all": POLICY + "acceptance: {hours: 0}\n",
    "a chain without an end": POLICY + "acceptance: {chain: [manager]}\n",
    "an SLA without hours": POLICY + "acceptance: {by: [{when: {vip: true}}]}\n",
    "forfeiture after no days": POLICY + "existing_owner: {forfeit_after_days: 0}\n",
    "an owner and a pool": POLICY
    + "pools: [{id: p, members: [{rep: ann}]}]\nterritories: [{id: a, owner: ann, pool: p}]\n",
    "a rule that assigns to nobody": POLICY + "rules: [{id: r, when: {paying: true}, assign: {skills: [x]}}]\n",
    "a rule that keeps in other words": POLICY + "rules: [{id: r, when: {paying: true}, assign: stay}]\n",
    "a rule without a condition": POLICY + "rules: [{id: r, assign: keep}]\n",
    "a handoff without a mend": POLICY
    + "rules: [{id: r, when: {paying: true}, assign: keep, handoff: [{name: x, when: {paying: true}}]}]\n",
    "an override nobody approved": POLICY + "overrides: [{account: a.com, owner: ann, reason: x, requested_by: bob}]\n",
    "a return without a day": POLICY
    + "overrides: [{account: a.com, owner: ann, reason: x, requested_by: bob, approved_by: cem, then: return}]\n",
    "a claim without an end": POLICY + 'registrations: [{domain: a.com, rep: ann, from: "2026-01-01"}]\n',
    "a dispute without a reason": POLICY + "disputes: [{account: a.com, claimed_by: ann}]\n",
    "a day that is none": TREE + '{id: a, owner: ann, from: "1 May"}\n',
    "a month that is none": TREE + '{id: a, owner: ann, from: "2026-13-01"}\n',
    "a role called owner": POLICY + "team: [{role: owner, assign: {owner: ann}}]\n",
    "an owner in a pod": POLICY + "pods: [{id: p, lead: ann, roles: {owner: bob}}]\n",
    "a task after nothing that happens": TASK.replace("owner_changed", "owner_change"),
    "a task for nobody there is": TASK.replace("for: owner", "for: sdr"),
    "a task with an unknown placeholder": TASK.replace("{account}", "{acount}"),
    "a task with half a placeholder": TASK.replace("{account}", "{account"),
    "a task that is due never": TASK.replace(", due_in_hours: 4", ""),
    "a task in a system without tasks": TASK.replace("due_in_hours: 4", "due_in_hours: 4, systems: [stripe]"),
    "a pod without roles": POLICY + "pods: [{id: p, lead: ann}]\n",
    "a field of the company's own without a kind": POLICY + "fields: [{name: tier}]\n",
    "a field read in a place there is not": POLICY + "fields: [{name: tier, kind: text, from: {sap: X}}]\n",
    "a field of no kind there is": POLICY + "fields: [{name: tier, kind: string}]\n",
    "a misspelt field": TREE + "{id: a, when: {contry: DE}}\n",
    "a misspelt field far inside": TREE
    + "{id: a, children: [{id: b, when: {any: [{paying: true}, {not: {contry: DE}}]}}]}\n",
    "a misspelt field of a requirement": POLICY + "require: [{name: a, when: {contry: DE}, mend: b}]\n",
    "a misspelt field of those who follow": POLICY + "follow_parent: {contry: DE}\n",
    "a misspelt operator": TREE + "{id: a, when: {employees: {gtee: 5}}}\n",
    "an operator of another kind": TREE + "{id: a, when: {country: {gt: 5}}}\n",
    "no operator": TREE + "{id: a, when: {employees: {}}}\n",
    "one of several flags": TREE + "{id: a, when: {paying: [true, false]}}\n",
    "one of no values": TREE + "{id: a, when: {country: []}}\n",
    "one of a single value": TREE + "{id: a, when: {country: {in: DE}}}\n",
    "all domains at once": TREE + "{id: a, when: {domains: acme.com}}\n",
    "text compared with a number": TREE + "{id: a, when: {postcode: 89073}}\n",
    "a number compared with text": TREE + "{id: a, when: {employees: many}}\n",
    "a flag compared with a word": TREE + "{id: a, when: {paying: yes}}\n",
    "is_missing: false": TREE + "{id: a, when: {segment: {is_missing: false}}}\n",
    "a condition that is empty": TREE + "{id: a, when: {}}\n",
    "any of nothing": TREE + "{id: a, when: {any: []}}\n",
}
REP = "  - {{id: d, name: D, email: d@x.example, role: ae, team: t, {}}}\n"
ROSTER_MISTAKES = {
    "a misspelt key": REP.format("mangaer: ann"),
    "a rep without an email": "  - {id: d, name: D, role: ae, team: t}\n",
    "an id that is a number": "  - {id: 77, name: D, email: d@x.example, role: ae, team: t}\n",
    "a capacity in words": REP.format("capacity: plenty"),
    "active: no": REP.format("active: no"),
    "skills that are a word": REP.format("skills: german"),
    "an outside id that is a number": REP.format("external_ids: {x: 7}"),
    "a leave without a beginning": REP.format('leave: [{until: "2026-12-01"}]'),
    "a last day as people write it": REP.format('left_on: "30.06.2026"'),
    "more than a full share": REP.format('ramp: [{until: "2026-12-01", percent: 120}]'),
    "hours without minutes": "calendars: [{id: c, hours: {weekdays: 9-17}}]\n",
    "a day nobody knows": 'calendars: [{id: c, hours: {weekday: "09:00-17:00"}}]\n',
    "holidays of a country's name": "calendars: [{id: c, holidays: Germany}]\n",
    "a queue without an address": "queues: [{id: q, name: Q}]\n",
}
STORY = STORIES + "  - name: a story\n    steps:\n      - "
STORY_MISTAKES = {
    "a misspelt action": STORY + "runn: assign\n",
    "a run nobody knows": STORY + "run: asign\n",
    "two things at once": STORY + "{run: assign, wait: 2d}\n",
    "a wait in words": STORY + "wait: soon\n",
    "a record without an id": STORY + "record: {in: salesforce}\n",
    "an id that is a number": STORY + "record: {in: salesforce, id: 77}\n",
    "a system nobody knows": STORY + "delete: {in: pipedrive, id: x}\n",
    "an expectation nobody knows": STORY + "expect: {owner: {}}\n",
    "a number in words": STORY + "expect: {moves: two}\n",
    "a story without steps": STORIES + "  - name: a story\n",
    "an unknown key": STORIES + "  - {name: a story, steps: [], note: x}\n",
    "another kind of file": STORIES.replace("Scenarios", "Policy") + "  []\n",
}
ALL_MISTAKES = [
    *(("policy", text) for text in MISTAKES.values()),
    *(("roster", ROSTER + text) for text in ROSTER_MISTAKES.values()),
    *(("scenarios", text) for text in STORY_MISTAKES.values()),
]


@pytest.mark.parametrize(("name", "text"), ALL_MISTAKES, ids=[*MISTAKES, *ROSTER_MISTAKES, *STORY_MISTAKES])
def test_a_typical_mistake_is_refused_by_the_schema_and_by_the_loader(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        check(name, tmp_path, text)
    assert not VALIDATOR[name].is_valid(plain(text))


def test_a_policy_written_out_in_a_scenario_file_is_held_to_the_same() -> None:
    wrong = POLICY + "territories: [{id: a, when: {contry: DE}}]\n"
    for text, is_right in ((POLICY, True), (wrong, False)):
        inline = plain(STORIES + "  []\n") | {"policy": plain(text), "roster": plain(FULL_ROSTER)}
        assert VALIDATOR["scenarios"].is_valid(inline) is is_right


def test_what_is_about_two_places_at_once_is_for_the_loader_alone(tmp_path: Path) -> None:
    for text in (
        TREE + "{id: a, owner: nobody}\n",
        TREE + "{id: a, when: {country: DE}}\n  - {id: b, when: {country: DE}}\n",
        POLICY + "fields: [{name: tier, kind: text}]\nterritories: [{id: a, when: {teir: gold}}]\n",
    ):
        with pytest.raises(PolicyError):
            load(tmp_path, text)
        assert VALIDATOR["policy"].is_valid(plain(text))


# --- nothing that loads is refused ---

WRITTEN = [value for each in vars(others).values() for value in (each.values() if isinstance(each, dict) else [each])]
TEXTS = {
    text for value in WRITTEN for text in (value if isinstance(value, tuple) else [value]) if isinstance(text, str)
}


def test_every_policy_of_the_loaders_own_tests_that_loads_validates(tmp_path: Path) -> None:
    policies = sorted(text for text in TEXTS if "kind: Policy" in text)
    loaded = [text for text in policies if _loads(tmp_path, text, others.ROSTER)]
    assert len(loaded) >= 15
    assert [text for text in loaded if not VALIDATOR["policy"].is_valid(plain(text))] == []


def _loads(folder: Path, policy: str, roster: str) -> bool:
    try:
        load(folder, policy, roster)
    except PolicyError:
        return False
    return True


VALUES = {
    "text": st.sampled_from(["DE", "", "smb"]),
    "number": st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15),
    "flag": st.booleans(),
    "texts": st.just("acme.com"),
}
ANY = st.none() | st.booleans() | st.integers() | st.sampled_from(["DE", "yes", "", "1"])


def _asked(name: str, wild: bool) -> st.SearchStrategy[Any]:
    value = ANY if wild else VALUES[FIELDS[name].kind]
    fitting = [op for op, kinds in OPERATORS.items() if wild or FIELDS[name].kind in kinds]
    operands = {"in": st.lists(value, min_size=0 if wild else 1, max_size=2), "is_missing": st.just(True)}
    operands["is_present"] = operands["is_missing"]
    tests = st.sampled_from(fitting).flatmap(lambda op: st.fixed_dictionaries({op: operands.get(op, value)}))
    return st.fixed_dictionaries({name: tests})


CONDITIONS = st.recursive(
    st.tuples(st.sampled_from(sorted(FIELDS)), st.sampled_from([False, False, True])).flatmap(lambda f: _asked(*f)),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"any": parts})
        | inner.map(lambda part: {"not": part})
    ),
    max_leaves=3,
)


@settings(max_examples=25, deadline=None, database=None)
@given(st.lists(CONDITIONS, min_size=8, max_size=8))
def test_a_condition_validates_exactly_when_it_loads(conditions: list[dict[str, Any]]) -> None:
    for condition in conditions:
        document = {"require": [{"name": "x", "when": condition, "mend": "y"}]} | plain(POLICY)
        assert VALIDATOR["policy"].is_valid(document) is _reads(condition), condition


def _reads(condition: dict[str, Any]) -> bool:
    """Whether the loader takes it. The document is there to hold what it finds wrong."""
    document = Document(Path("no such file"))
    document.problems.clear()
    root = YAML(typ="rt", pure=True).load(json.dumps({"when": condition}))
    ConditionReader(document).condition(root, "when", "it")
    return not document.problems


def test_hours_validate_exactly_when_they_load() -> None:
    times = [f"{hour}:{minute}" for hour in ("0", "9", "09", "23", "24", "25") for minute in ("00", "30", "60", "5")]
    shift = Draft202012Validator({"pattern": SHIFT})
    for text in [f"{one}-{other}" for one in times for other in times if one.zfill(5) != other.zfill(5)]:
        try:
            parse_hours(text)
        except ValueError:
            assert not shift.is_valid(text), text
        else:
            assert shift.is_valid(text), text
