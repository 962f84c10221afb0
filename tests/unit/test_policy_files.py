"""Policy and roster files: either they load whole, or everything wrong with them is said by file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.policy_files import LoadedPolicy, load_policy
from config.settings import POLICY_DIR
from config.yaml_files import MAX_BYTES, PolicyError
from ownership.conditions import FIELDS, MAX_DEPTH, OPERATORS, fold_fields, holds
from ownership.index import PolicyIndex
from ownership.policy import STEPS
from ownership.territories import path_of

ROSTER = """\
apiVersion: steward/v1
kind: Roster
reps:
  - {id: ann, name: Ann, email: ann@northwind-data.example, role: ae, team: east}
  - {id: bob, name: Bob, email: bob@northwind-data.example, role: ae, team: east, manager: ann}
  - {id: gary, name: Gary, email: gary@northwind-data.example, role: ae, team: east, left_on: "2026-06-30"}
  - {id: hal, name: Hal, email: hal@northwind-data.example, role: ae, team: east, active: false}
"""
POLICY = """\
apiVersion: steward/v1
kind: Policy
name: Small
"""
POOL = "pools: [{id: east, members: [{rep: ann}, {rep: bob, weight: 2}]}]\n"
REP = "  - {id: cem, name: Cem, email: cem@northwind-data.example, role: ae, team: east"
HERE = "# <-"  # marks the lines at which a mistake must be reported

examples = settings(max_examples=150, deadline=None, database=None)


def load(folder: Path, policy: str | bytes = POLICY, roster: str | bytes = ROSTER) -> LoadedPolicy:
    for name, content in (("policy.yaml", policy), ("roster.yaml", roster)):
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return load_policy(folder)


def refused(folder: Path, policy: str | bytes = POLICY, roster: str | bytes = ROSTER) -> tuple[str, ...]:
    """What is said about files that must not load."""
    with pytest.raises(PolicyError) as caught:
        load(folder, policy, roster)
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def load_or_refusal(
    folder: Path, policy: str | bytes, roster: str | bytes
) -> tuple[LoadedPolicy | None, tuple[str, ...]]:
    """What was loaded, or what was said."""
    try:
        return load(folder, policy, roster), ()
    except PolicyError as refusal:
        return None, refusal.problems


def marked(name: str, text: str) -> set[str]:
    """The "file:line" of every marked line."""
    return {f"{name}:{number}" for number, line in enumerate(text.splitlines(), 1) if line.endswith(HERE)}


def places(problems: tuple[str, ...]) -> set[str]:
    """The "file:line" of every problem; each also says what is wrong and what to do."""
    found = [re.fullmatch(r"(\w+\.yaml:\d+): (.+?)\. (.+)", problem, re.DOTALL) for problem in problems]
    assert all(found), problems
    return {match[1] for match in found if match}


# --- what loads ---


def test_the_shipped_policy_loads_and_has_the_same_hash_twice() -> None:
    first, second = load_policy(POLICY_DIR), load_policy(POLICY_DIR)
    assert first == second
    assert re.fullmatch(r"[0-9a-f]{64}", first.policy_hash)
    assert first.policy.policy_hash == first.policy_hash == second.policy_hash
    assert set(json.loads(first.canonical)) == {"policy", "roster"}
    assert first.policy.territories
    assert first.roster.reps


def test_what_a_policy_leaves_out_has_its_usual_value(tmp_path: Path) -> None:
    policy = load(tmp_path).policy
    assert (policy.order, policy.system_of_record) == (STEPS, "salesforce")
    assert (policy.acceptance.hours, policy.acceptance.chain) == (24, ("next_in_line", "manager", "queue"))
    assert (policy.requirements, policy.named, policy.pools, policy.territories) == ((), (), (), ())


def test_what_is_written_is_what_is_loaded(tmp_path: Path) -> None:
    text = POLICY + POOL + (
        "order: [gate, do_not_route, named, existing_owner, parent_owner, territory]\n"
        "system_of_record: hubspot\n"
        "require: [{name: size, when: {employees: {is_present: true}}, mend: fill it in}]\n"
        "named: [{domain: Acme.example, owner: bob, note: old friends}]\n"
        "territories:\n"
        "  - id: amer\n"
        "    when: {country: [US, CA]}\n"
        "    children: [{id: us, name: States, when: {country: US}, pool: east, priority: -1}]\n"
        "acceptance: {hours: 48, chain: [manager, queue]}\n"
    )  # fmt: skip
    policy = load(tmp_path, text).policy
    assert policy.order[:2] == ("gate", "do_not_route")
    assert policy.system_of_record == "hubspot"
    assert [(need.name, need.mend) for need in policy.requirements] == [("size", "fill it in")]
    assert [(named.domain, named.owner, named.note) for named in policy.named] == [
        ("acme.example", "bob", "old friends")
    ]
    assert policy.pools[0].members == {"ann": 1, "bob": 2}
    assert [(t.id, t.name, t.parent, t.pool, t.priority) for t in policy.territories] == [
        ("amer", "amer", None, None, 0),
        ("us", "States", "amer", "east", -1),
    ]
    assert (policy.acceptance.hours, policy.acceptance.chain) == (48, ("manager", "queue"))


def test_everything_about_a_rep_is_loaded(tmp_path: Path) -> None:
    rest = ', manager: ann, timezone: Asia/Tokyo, capacity: 60, active: false, external_ids: {hubspot: "0077"}}\n'
    rep = load(tmp_path, roster=ROSTER + REP + rest).roster.reps["cem"]
    assert (rep.manager, rep.timezone, rep.capacity, rep.active) == ("ann", "Asia/Tokyo", 60, False)
    assert rep.external_ids == {"hubspot": "0077"}
    gary = load(tmp_path).roster.reps["gary"]
    assert (gary.left_on, gary.capacity, gary.active) == ("2026-06-30", None, True)


def test_norway_is_a_country_and_not_false(tmp_path: Path) -> None:
    text = POLICY + "territories: [{id: nordics, when: {country: NO}}, {id: others, when: {country: [SE, FI]}}]\n"
    policy = load(tmp_path, text).policy
    assert [territory.id for territory in path_of(fold_fields({"country": "NO"}), policy)] == ["nordics"]
    assert [territory.id for territory in path_of(fold_fields({"country": "SE"}), policy)] == ["others"]
    assert path_of(fold_fields({"country": "false"}), policy) == ()


def test_leaving_is_a_date_and_so_a_policy_may_name_who_has_left(tmp_path: Path) -> None:
    text = POLICY + (
        "pools: [{id: east, members: [{rep: gary}]}]\n"
        "named: [{domain: a.example, owner: gary}]\n"
        "territories: [{id: a, owner: gary}]\n"
    )
    policy = load(tmp_path, text).policy
    assert policy.pools[0].members == {"gary": 1}
    assert (policy.named[0].owner, policy.territories[0].owner) == ("gary", "gary")


@pytest.mark.parametrize("word", ["NO", "no", "ON", "Off", "Y", "yes", "n"])
def test_words_that_older_yaml_took_for_flags_are_text(tmp_path: Path, word: str) -> None:
    text = POLICY + f"territories: [{{id: {word}, when: {{state: {word}}}}}]\n"
    (territory,) = load(tmp_path, text).policy.territories
    assert territory.id == word
    assert holds(territory.when, fold_fields({"state": word})) is True


# --- one mistake ---

TREE = POLICY + "territories:\n"
MISTAKES: dict[str, tuple[str, str]] = {
    "an unknown key": (POLICY + "teritories: []  # <-\n", "unknown key 'teritories' (did you mean 'territories'?)"),
    "an unknown key that is like no other": (POLICY + "zzz: 1  # <-\n", "unknown key 'zzz'."),
    "an unknown key of a territory": (TREE + "  - id: a\n    pol: x  # <-\n", "(did you mean 'pool'?)"),
    "an unknown key of a pool": (
        POLICY + "pools:\n  - {id: p, memebers: [], members: [{rep: ann}]}  # <-\n",
        "members'?",
    ),
    "an unknown key of acceptance": (POLICY + "acceptance:\n  hour: 3  # <-\n", "(did you mean 'hours'?)"),
    "a policy without a name": ("apiVersion: steward/v1  # <-\nkind: Policy\n", "the policy has no 'name'"),
    "a territory without an id": (TREE + "  - {name: A}  # <-\n", "a territory has no 'id'"),
    "a requirement without a mend": (
        POLICY + "require:\n  - {name: a, when: {country: DE}}  # <-\n",
        "a requirement has no 'mend'",
    ),
    "an id that is left empty": (TREE + "  - id:  # <-\n", "id"),
    "a version nobody knows": ("apiVersion: steward/v9  # <-\nkind: Policy\nname: A\n", "steward/v9"),
    "another kind of file": ("apiVersion: steward/v1\nkind: Roster  # <-\nname: A\n", "Roster"),
    "a key that is there twice": (POLICY + "name: Again  # <-\n", "the same key twice"),
    "an alias": (POLICY + "named: &n []\npools: *n  # <-\n", "YAML alias"),
    "no YAML": (POLICY + "pools: [\n  }  # <-\n", "no YAML"),
    "a tab": (POLICY + "pools:\n\t- a  # <-\n", "no YAML"),
    "two documents": (POLICY + "---  # <-\nname: B\n", "no YAML"),
    "a list": ("- apiVersion: steward/v1  # <-\n", "not a mapping"),
    "a sentence": ("Everything goes to Ann  # <-\n", "not a mapping"),
    "a territory that is a word": (TREE + "  - amer  # <-\n", "a territory is not a mapping"),
    "a name that is a number": ("apiVersion: steward/v1\nkind: Policy\nname: 2026  # <-\n", "2026, not text"),
    "an id that is a number": (TREE + "  - {id: 12}  # <-\n", "12, not text"),
    "an owner that is a number": (TREE + "  - {id: a, owner: 12}  # <-\n", "12, not text"),
    "a pool that is a number": (TREE + "  - {id: a, pool: 12}  # <-\n", "12, not text"),
    "a member that is a number": (POLICY + "pools:\n  - {id: p, members: [{rep: ann}, {rep: 12}]}  # <-\n", "12"),
    "a domain that is a number": (POLICY + "named:\n  - {domain: 12, owner: ann}  # <-\n", "12, not text"),
    "a system of record nobody knows": (POLICY + "system_of_record: salesfroce  # <-\n", "'salesforce'?"),
    "a system of record that is a list": (POLICY + "system_of_record: [salesforce]  # <-\n", "not text"),
    "pools that are no list": (POLICY + "pools: {a: b}  # <-\n", "pools is not a list"),
    "territories that are no list": (POLICY + "territories: all of them  # <-\n", "territories is not a list"),
    "children that are no list": (TREE + "  - {id: a, children: {id: b}}  # <-\n", "is not a list"),
    "acceptance that is a number": (POLICY + "acceptance: 24  # <-\n", "acceptance is not a mapping"),
    "acceptance that is a list": (POLICY + "acceptance: [queue]  # <-\n", "acceptance is not a mapping"),
    "hours in words": (POLICY + "acceptance:\n  hours: a day  # <-\n", "hours from 0.005 to 8784"),
    "no hours at all": (POLICY + "acceptance:\n  hours: 0  # <-\n", "hours from 0.005 to 8784"),
    "more hours than a year has": (POLICY + "acceptance:\n  hours: 8785  # <-\n", "hours from 0.005 to 8784"),
    "a weight of nothing": (POLICY + "pools:\n  - {id: p, members: [{rep: ann, weight: 0}]}  # <-\n", "at least 1"),
    "a weight that is a flag": (POLICY + "pools:\n  - {id: p, members: [{rep: ann, weight: true}]}  # <-\n", "least 1"),
    "a priority in words": (TREE + "  - {id: a, priority: high}  # <-\n", "whole number"),
    "an unknown rep in a territory": (TREE + "  - {id: a, owner: anm}  # <-\n", "'anm'"),
    "an unknown rep as a named owner": (
        POLICY + "named:\n  - {domain: a.example, owner: bobb}  # <-\n",
        "nobody on the roster (did you mean 'bob'?)",
    ),
    "an unknown rep in a pool": (POLICY + "pools:\n  - {id: p, members: [{rep: ann}, {rep: zoe}]}  # <-\n", "'zoe'"),
    "an owner who is not active": (TREE + "  - {id: a, owner: hal}  # <-\n", "names Hal, who is not active"),
    "a named owner who is not active": (
        POLICY + "named:\n  - {domain: a.example, owner: hal}  # <-\n",
        "Hal, who is not active",
    ),
    "a pool member who is not active": (
        POLICY + "pools:\n  - {id: p, members: [{rep: ann}, {rep: hal}]}  # <-\n",
        "Hal, who is not active",
    ),
    "an empty pool": (POLICY + "pools:\n  - {id: p, members: []}  # <-\n", "pool 'p' has no members"),
    "an unknown pool": (POLICY + POOL + "territories:\n  - {id: a, pool: eats}  # <-\n", "(did you mean 'east'?)"),
    "an owner and a pool": (
        POLICY + POOL + "territories:\n  - {id: a, owner: ann, pool: east}  # <-\n",
        "both an owner and a pool",
    ),
    "an unknown field": (TREE + "  - {id: a, when: {contry: DE}}  # <-\n", "(did you mean 'country'?)"),
    "an unknown operator": (TREE + "  - {id: a, when: {employees: {gtee: 5}}}  # <-\n", "(did you mean 'gte'?)"),
    "an operator of another kind of field": (
        TREE + "  - {id: a, when: {country: {gt: 5}}}  # <-\n",
        "'country' with 'gt'",
    ),
    "no operator": (TREE + "  - {id: a, when: {employees: {}}}  # <-\n", "asks nothing of 'employees'"),
    "a condition that is a word": (TREE + "  - {id: a, when: Germany}  # <-\n", "empty or no mapping"),
    "a condition that is empty": (TREE + "  - {id: a, when: {}}  # <-\n", "empty or no mapping"),
    "a condition that is missing": (TREE + "  - id: a\n    when:  # <-\n", "empty or no mapping"),
    "any of nothing": (TREE + "  - {id: a, when: {any: []}}  # <-\n", "has no parts"),
    "any of no list": (TREE + "  - {id: a, when: {any: {country: DE}}}  # <-\n", "is not a list"),
    "not of nothing": (TREE + "  - {id: a, when: {not: {}}}  # <-\n", "empty or no mapping"),
    "one of no values": (TREE + "  - {id: a, when: {country: []}}  # <-\n", "has no values"),
    "one of a single value": (TREE + "  - {id: a, when: {country: {in: DE}}}  # <-\n", "has no values"),
    "text compared with a number": (TREE + "  - {id: a, when: {postcode: 89073}}  # <-\n", "text field with 89073"),
    "text compared with a flag": (TREE + "  - {id: a, when: {country: true}}  # <-\n", "text field with True"),
    "text compared with nothing": (TREE + "  - {id: a, when: {country: ~}}  # <-\n", "text field with None"),
    "text that is one of numbers": (TREE + "  - {id: a, when: {country: [DE, 49]}}  # <-\n", "text field with 49"),
    "a number compared with text": (TREE + "  - {id: a, when: {employees: many}}  # <-\n", "number field with 'many'"),
    "a number compared with no number": (TREE + "  - {id: a, when: {employees: {gt: .nan}}}  # <-\n", "number field"),
    "a number too large for arithmetic": (
        TREE
        + f"  - {{id: a, when: {{employees: {{lte: 1{'0' * 400}}}}}}}  # <-\n"
        + "  - {id: b, when: {employees: 5}}\n",
        "number",
    ),
    "a flag compared with a word": (TREE + "  - {id: a, when: {paying: yes}}  # <-\n", "flag field with 'yes'"),
    "a flag compared with a number": (TREE + "  - {id: a, when: {paying: 1}}  # <-\n", "flag field with 1"),
    "is_missing: false, which reads as its opposite": (
        TREE + "  - {id: a, when: {segment: {is_missing: false}}}  # <-\n",
        "is_missing",
    ),
    "an override that its requester approves": (
        POLICY + "overrides:\n  - account: a.example\n    owner: ann\n    reason: because\n"
        "    requested_by: bob\n    approved_by: bob  # <-\n",
        "approved by who asked for it",
    ),
    "an override nobody approved": (
        POLICY + "overrides:\n  - {account: a.example, owner: ann, reason: x, requested_by: bob}  # <-\n",
        "has no 'approved_by'",
    ),
    "an override approved by a stranger": (
        POLICY + "overrides:\n"
        "  - {account: a.example, owner: ann, reason: x, requested_by: bob, approved_by: eve}  # <-\n",
        "'eve', who is nobody on the roster",
    ),
    "a claim without an end": (
        POLICY + 'registrations:\n  - {domain: a.example, rep: ann, from: "2026-01-01"}  # <-\n',
        "a claim has no 'until'",
    ),
    "a claim that ends before it begins": (
        POLICY + 'registrations:\n  - {domain: a.example, rep: ann, from: "2026-02-01", until: "2026-01-01"}  # <-\n',
        "ends before it begins",
    ),
    "a rule that assigns to nobody": (
        POLICY + "rules:\n  - {id: r, when: {paying: true}, assign: {skills: [x]}}  # <-\n",
        "assigns to nobody",
    ),
    "a rule without an assignment": (
        POLICY + "rules:\n  - {id: r, when: {paying: true}}  # <-\n",
        "a rule has no 'assign'",
    ),
    "a rule and a territory of one id": (
        POLICY + "territories: [{id: r, owner: ann}]\nrules:\n"
        "  - {id: r, when: {paying: true}, assign: keep}  # <-\n",
        "'r' is there twice",
    ),
    "rules that the order leaves out": (
        POLICY + "rules: [{id: r, when: {paying: true}, assign: keep}]\n"
        "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]  # <-\n",
        "order has 'rules' 0 times",
    ),
    "a strategy nobody knows": (
        POLICY + "pools:\n  - {id: p, members: [{rep: ann}], strategy: least_laoded}  # <-\n",
        "(did you mean 'least_loaded'?)",
    ),
    "a cap of nothing": (POLICY + "pools:\n  - {id: p, members: [{rep: ann}], per_day: 0}  # <-\n", "at least 1"),
    "a skill that is a number": (TREE + "  - {id: a, owner: ann, skills: [7]}  # <-\n", "7, not text"),
    "a day that is none": (TREE + '  - {id: a, owner: ann, from: "1 May"}  # <-\n', "'1 May', which is no date"),
    "an unknown step": (
        POLICY + "order: [do_not_rout, gate, named, parent_owner, existing_owner, territory]  # <-\n",
        "(did you mean 'do_not_route'?)",
    ),
    "a step that is missing": (
        POLICY + "order: [gate, named, parent_owner, existing_owner, territory]  # <-\n",
        "'do_not_route' 0 times",
    ),
    "a step that is there twice": (
        POLICY + "order: [gate, gate, do_not_route, named, parent_owner, existing_owner, territory]  # <-\n",
        "'gate' 2 times",
    ),
    "an unknown step of the chain": (
        POLICY + "acceptance:\n  chain: [manger, queue]  # <-\n",
        "(did you mean 'manager'?)",
    ),
    "a chain without an end": (POLICY + "acceptance:\n  chain: [manager]  # <-\n", "does not end in 'queue'"),
    "a territory that is there twice": (
        TREE + "  - {id: a, when: {country: DE}}\n  - {id: a, when: {country: US}}  # <-\n",
        "the territory 'a' is there twice",
    ),
    "a territory that is there twice on other branches": (
        TREE + "  - {id: a, when: {country: DE}}\n  - {id: b, when: {country: US}, children: [{id: a}]}  # <-\n",
        "the territory 'a' is there twice",
    ),
    "a pool that is there twice": (
        POLICY + "pools:\n  - {id: p, members: [{rep: ann}]}\n  - {id: p, members: [{rep: bob}]}  # <-\n",
        "the pool 'p' is there twice",
    ),
    "a member who is there twice": (
        POLICY + "pools:\n  - {id: p, members: [{rep: ann, weight: 2}, {rep: ann}]}  # <-\n",
        "twice",
    ),
    "a domain that is named for two": (
        POLICY + "named:\n  - {domain: a.example, owner: ann}\n  - {domain: A.example, owner: bob}  # <-\n",
        "twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_policy_is_refused_with_its_line_and_a_mend(tmp_path: Path, text: str, said: str) -> None:
    problems = refused(tmp_path, text)
    assert places(problems) == marked("policy.yaml", text)
    assert any(said in problem for problem in problems), problems


ROSTER_MISTAKES: dict[str, tuple[str, str]] = {
    "a time zone nobody knows": (
        ROSTER + REP + ", timezone: Europe/Berlim}  # <-\n",
        "(did you mean 'Europe/Berlin'?)",
    ),
    "an address two reps have": (
        ROSTER + "  - {id: cem, name: C, email: Ann@northwind-data.example, role: ae, team: t}  # <-\n",
        "'ann@northwind-data.example' is there twice",
    ),
    "an unknown key": (ROSTER + REP + ", mangaer: ann}  # <-\n", "(did you mean 'manager'?)"),
    "a rep without an email": (ROSTER + "  - {id: cem, name: C, role: ae, team: t}  # <-\n", "a rep has no 'email'"),
    "a rep without an id": (
        ROSTER + "  - {id: , name: C, email: c@northwind-data.example, role: ae, team: t}  # <-\n",
        "id",
    ),
    "no reps": ("apiVersion: steward/v1  # <-\nkind: Roster\n", "the roster has no 'reps'"),
    "a version nobody knows": (ROSTER.replace("steward/v1", "steward/v9  # <-"), "steward/v9"),
    "another kind of file": (ROSTER.replace("kind: Roster", "kind: Policy  # <-"), "Policy"),
    "reps that are no list": ("apiVersion: steward/v1\nkind: Roster\nreps: {ann: Ann}  # <-\n", "reps is not a list"),
    "a rep that is a word": (ROSTER + "  - cem  # <-\n", "a rep is not a mapping"),
    "an id that is a number": (
        ROSTER + "  - {id: 77, name: C, email: c@northwind-data.example, role: ae, team: t}  # <-\n",
        "77, not text",
    ),
    "a team that is a number": (
        ROSTER + "  - {id: cem, name: C, email: c@northwind-data.example, role: ae, team: 7}  # <-\n",
        "7, not text",
    ),
    "a last day without quotes": (ROSTER + REP + ", left_on: 2026-06-30}  # <-\n", "not text. Put it in quotes"),
    "a leave without a beginning": (ROSTER + REP + ', leave: [{until: "2026-12-01"}]}  # <-\n', "has no 'from'"),
    "skills that are a word": (ROSTER + REP + ", skills: german}  # <-\n", "is not a list"),
    "a last day that is no ISO date": (ROSTER + REP + ', left_on: "30.06.2026"}  # <-\n', "30.06.2026"),
    "a capacity in words": (ROSTER + REP + ", capacity: plenty}  # <-\n", "whole number of at least 0"),
    "a capacity below nothing": (ROSTER + REP + ", capacity: -1}  # <-\n", "whole number of at least 0"),
    "active: no, which is text and would count as yes": (ROSTER + REP + ", active: no}  # <-\n", "active"),
    "active as a number": (ROSTER + REP + ", active: 0}  # <-\n", "active"),
    "outside ids that are numbers": (ROSTER + REP + ", external_ids: {hubspot: 71310042}}  # <-\n", "71310042"),
    "outside ids that lose their zeros": (ROSTER + REP + ", external_ids: {hubspot: 0077}}  # <-\n", "not text"),
    "outside ids that are a list": (ROSTER + REP + ", external_ids: [a]}  # <-\n", "not a mapping"),
    "outside ids that are a word": (ROSTER + REP + ", external_ids: hubspot}  # <-\n", "not a mapping"),
    "a manager nobody knows": (ROSTER + REP + ", manager: anm}  # <-\n", "nobody on the roster (did you mean 'ann'?)"),
    "a manager that is a number": (ROSTER + REP + ", manager: 12}  # <-\n", "12, not text"),
    "a manager that is a list": (ROSTER + REP + ", manager: [ann]}  # <-\n", "not text"),
    "a rep who is there twice": (
        ROSTER + "  - {id: ann, name: A, email: a@northwind-data.example, role: ae, team: t}  # <-\n",
        "the rep 'ann' is there twice",
    ),
    "a key that is there twice": (ROSTER + "kind: Roster  # <-\n", "the same key twice"),
    "an alias": (ROSTER + REP.replace("id: cem", "id: &c cem") + ", manager: *c}  # <-\n", "YAML alias"),
}


@pytest.mark.parametrize(("text", "said"), ROSTER_MISTAKES.values(), ids=ROSTER_MISTAKES)
def test_a_mistake_in_the_roster_is_refused_with_its_line_and_a_mend(tmp_path: Path, text: str, said: str) -> None:
    problems = refused(tmp_path, roster=text)
    assert places(problems) == marked("roster.yaml", text)
    assert any(said in problem for problem in problems), problems


# --- siblings ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{country: DE}", "{country: DE}"),
        ("{country: DE}", "{country: [DE, AT]}"),
        ("{country: DE}", "{country: de}"),
        ("{country: DE}", "{segment: smb}"),
        ("{country: DE, segment: smb}", "{country: DE, industry: Banks}"),
        ("{employees: {gte: 10}}", "{employees: {lte: 10}}"),
        ("{employees: {gt: 5, lt: 50}}", "{employees: 49}"),
        ("{mrr_cents: {gte: 20000000}}", "{mrr_cents: {lte: 20000000}}"),
        ("{any: [{country: DE}, {segment: smb}]}", "{segment: smb}"),
        ("{not: {country: DE}}", "{country: AT}"),
        ("{name: {starts_with: A}}", "{name: Acme}"),
        ("{segment: {is_missing: true}}", "{segment: {is_missing: true}}"),
        ("{segment: {is_missing: true}}", "{country: DE}"),
        ("{segment: {is_present: true}}", "{segment: smb}"),
        ("{domains: {contains: a.example}}", "{domains: {contains: b.example}}"),
    ],
)
def test_territories_side_by_side_that_can_both_hold_need_different_priorities(
    tmp_path: Path, one: str, other: str
) -> None:
    text = TREE + f"  - {{id: a, when: {one}}}\n  - {{id: b, when: {other}}}  # <-\n"
    problems = refused(tmp_path, text)
    assert places(problems) == marked("policy.yaml", text)
    assert "territories 'a' and 'b' can both hold" in problems[0]
    assert load(tmp_path, text.replace("id: b", "id: b, priority: 1")).policy.territories


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{country: DE}", "{country: US}"),
        ("{country: [DE, AT]}", "{country: [US, CA]}"),
        ("{country: DE, segment: smb}", "{country: DE, segment: enterprise}"),
        ("{employees: {gte: 10}}", "{employees: {lt: 10}}"),
        ("{employees: {gt: 10}}", "{employees: {lte: 10}}"),
        ("{employees: {gt: 10}}", "{employees: 10}"),
        ("{employees: 10}", "{employees: [11, 12]}"),
        ("{paying: true}", "{paying: false}"),
        ("{segment: {is_missing: true}}", "{segment: smb}"),
        ("{segment: {is_missing: true}}", "{segment: {is_present: true}}"),
        ("{all: [{country: DE}, {segment: smb}]}", "{country: US}"),
    ],
)
def test_territories_side_by_side_that_rule_each_other_out_may_have_one_priority(
    tmp_path: Path, one: str, other: str
) -> None:
    text = TREE + f"  - {{id: a, when: {one}}}\n  - {{id: b, when: {other}}}\n"
    assert [territory.id for territory in load(tmp_path, text).policy.territories] == ["a", "b"]


def test_cousins_may_ask_the_same(tmp_path: Path) -> None:
    text = TREE + (
        "  - {id: us, when: {country: US}, children: [{id: us-smb, when: {segment: smb}}]}\n"
        "  - {id: de, when: {country: DE}, children: [{id: de-smb, when: {segment: smb}}]}\n"
    )
    assert len(load(tmp_path, text).policy.territories) == 4


def _tests() -> st.SearchStrategy[dict[str, Any]]:
    codes = st.sampled_from(["DE", "US", "de"])
    size = st.sampled_from([9, 10, 11, 20_000_000])
    country = st.one_of(codes, st.lists(codes, min_size=1, max_size=2), st.just({"is_missing": True}))
    employees = st.one_of(
        size, st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte", "is"]), size, min_size=1, max_size=2),
        st.sampled_from([{"is_missing": True}, {"is_present": True}]),
    )  # fmt: skip
    return st.fixed_dictionaries({}, optional={"country": country, "employees": employees, "paying": st.booleans()})


CONDITIONS = st.recursive(
    _tests().filter(bool),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=3,
)
WORLD = [
    {"country": country, "employees": employees, "paying": paying}
    for country in (None, "DE", "US")
    for employees in (None, 8, 9, 10, 11, 20_000_000, 20_000_001)
    for paying in (None, True, False)
]


@pytest.mark.slow
@examples
@given(CONDITIONS, CONDITIONS)
def test_no_account_ever_lies_in_two_siblings_of_one_priority(one: dict[str, Any], other: dict[str, Any]) -> None:
    siblings = [{"id": "a", "when": one}, {"id": "b", "when": other}]
    with TemporaryDirectory() as folder:
        policy, said = load_or_refusal(Path(folder), POLICY + f"territories: {json.dumps(siblings)}\n", ROSTER)
    if policy is None:
        assert "can both hold" in "".join(said)
        return
    first, second = policy.policy.territories
    for account in map(fold_fields, WORLD):
        assert not (holds(first.when, account) and holds(second.when, account)), account


# --- several mistakes, and files that are hardly files ---


def test_several_mistakes_in_both_files_are_all_reported_at_once(tmp_path: Path) -> None:
    roster = ROSTER + REP + ", capacity: plenty,  # <-\n     manager: nobody,  # <-\n     mail: x}  # <-\n"
    policy = POLICY + (
        "sistem_of_record: hubspot  # <-\n"
        "named:\n"
        "  - {domain: a.example, owner: hal}  # <-\n"
        "  - {domain: b.example, owner: nobody}  # <-\n"
        "territories:\n"
        "  - id: a\n"
        "    pool: none  # <-\n"
        "    when: {contry: DE}  # <-\n"
        "  - id: a  # <-\n"
        "    when: {country: US}\n"
    )
    problems = refused(tmp_path, policy, roster)
    assert places(problems) == marked("policy.yaml", policy) | marked("roster.yaml", roster)


def test_files_that_are_not_there_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "nowhere")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["roster.yaml", "policy.yaml"]
    assert all(f"Put it into {tmp_path / 'nowhere'}" in problem for problem in caught.value.problems)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").mkdir()
    (tmp_path / "roster.yaml").write_text(ROSTER)
    with pytest.raises(PolicyError, match=r"policy\.yaml: cannot be read"):
        load_policy(tmp_path)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "---\n", "~\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    assert any(problem.startswith("policy.yaml:1: is not a mapping") for problem in refused(tmp_path, text))


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, POLICY.replace("Small", "Zürich").encode("latin-1"))
    assert problem == "policy.yaml: is not UTF-8 text. Save it as UTF-8"


def test_a_file_beyond_the_limit_is_refused_unread_and_one_within_is_not(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "[" * (MAX_BYTES + 1))
    assert problem.startswith("policy.yaml: is larger than 2,000,000 bytes. ")
    (tmp_path / "policy.yaml").write_text(POLICY + "#" * (MAX_BYTES - len(POLICY)))
    assert load_policy(tmp_path).policy.name == "Small"


def test_a_bomb_of_aliases_is_refused_at_its_first(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (problem,) = refused(tmp_path, POLICY + "\n".join(lines))
    assert problem.startswith("policy.yaml:5: uses a YAML alias. ")


def nested_condition(depth: int) -> str:
    return "{not: " * (depth - 1) + "{country: DE}" + "}" * (depth - 1)


def nested_territories(depth: int) -> str:
    inner = f"{{id: t{depth}}}"
    for level in range(depth - 1, 0, -1):
        inner = f"{{id: t{level}, children: [{inner}]}}"
    return inner


def test_conditions_and_territories_may_be_nested_as_deep_as_the_limit(tmp_path: Path) -> None:
    assert load(tmp_path, TREE + f"  - {{id: a, when: {nested_condition(MAX_DEPTH)}}}\n")
    assert len(load(tmp_path, TREE + f"  - {nested_territories(MAX_DEPTH)}\n").policy.territories) == MAX_DEPTH


@pytest.mark.parametrize(
    "nested", [f"{{id: a, when: {nested_condition(MAX_DEPTH + 1)}}}", nested_territories(MAX_DEPTH + 1)]
)
def test_anything_nested_deeper_is_refused(tmp_path: Path, nested: str) -> None:
    text = TREE + f"  - {nested}  # <-\n"
    problems = refused(tmp_path, text)
    assert places(problems) == marked("policy.yaml", text)
    assert f"nested more than {MAX_DEPTH} deep" in problems[0]


@pytest.mark.parametrize("opened", ["[", "{a: ", "- ", "? "])
def test_what_is_nested_a_thousand_deep_is_refused_and_does_no_harm(tmp_path: Path, opened: str) -> None:
    assert refused(tmp_path, POLICY + "named: \n  " + opened * 1_000)[0].startswith("policy.yaml:")


@pytest.mark.slow
def test_more_than_other_products_allow_loads_and_decides(tmp_path: Path) -> None:
    """Elsewhere 1,000 territories, 15 rules for one of them and 10 conditions in a rule are the end."""
    twelve = ", ".join(f"{{city: City {number}}}" for number in range(12))
    text = POLICY + POOL + "territories:\n"
    text += "".join(f"  - {{id: t{number}, when: {{postcode: '{number:05}'}}, pool: east}}\n" for number in range(1100))
    text += "rules:\n" + "".join(
        f"  - {{id: r{number}, when: {{postcode: '00007', any: [{twelve}], employees: {number}}}, "
        "assign: {pool: east}}\n"
        for number in range(20)
    )
    policy = load(tmp_path, text).policy
    assert (len(policy.territories), len(policy.rules)) == (1100, 20)
    index = PolicyIndex(policy)
    assert [territory.id for territory in index.path_of({"postcode": "01099"})] == ["t1099"]
    held = index.rules.holding({"postcode": "00007", "city": "city 11", "employees": 19})
    assert [rule.id for rule in held] == ["r19"]


# --- the hash ---

PLAIN = POLICY + POOL + "territories:\n  - {id: de, when: {country: DE, segment: smb}, pool: east}\n"
SAME = {
    "comments": "# by hand\n" + PLAIN.replace("name: Small", "name: Small  # for now"),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "quotes": PLAIN.replace("Small", "'Small'").replace("country: DE", 'country: "DE"'),
    "the order of keys": (
        "territories:\n  - {pool: east, when: {segment: smb, country: DE}, id: de}\n"
        + POOL
        + "name: Small\nkind: Policy\napiVersion: steward/v1\n"
    ),
    "blocks in place of braces": POLICY + POOL + (
        "territories:\n  - id: de\n    when:\n      country: DE\n      segment: smb\n    pool: east\n"
    ),
    "line ends of Windows": PLAIN.replace("\n", "\r\n"),
    "a document's start": "---\n" + PLAIN,
    "a byte order mark": "\ufeff" + PLAIN,
    "another way to write a number": PLAIN.replace("weight: 2", "weight: 0x2"),
}  # fmt: skip
CHANGED = {
    "a name": PLAIN.replace("Small", "Smaller"),
    "a country": PLAIN.replace("DE", "AT"),
    "a weight": PLAIN.replace("weight: 2", "weight: 3"),
    "a priority": PLAIN.replace("id: de,", "id: de, priority: 1,"),
    "the hours": PLAIN + "acceptance: {hours: 12}\n",
    "the steps' order": PLAIN + "order: [gate, do_not_route, named, parent_owner, existing_owner, territory]\n",
    "a territory's name": PLAIN.replace("id: de,", "id: de, name: Germany,"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_only_looks_different_keeps_the_hash(tmp_path: Path, text: str) -> None:
    plain = load(tmp_path, PLAIN)
    assert text != PLAIN
    assert load(tmp_path, text) == plain


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_a_value_that_changes_changes_the_hash(tmp_path: Path, text: str) -> None:
    plain = load(tmp_path, PLAIN)
    assert load(tmp_path, text).policy_hash != plain.policy_hash


def test_the_roster_is_part_of_the_hash(tmp_path: Path) -> None:
    plain = load(tmp_path, PLAIN)
    assert load(tmp_path, PLAIN, ROSTER + "# reviewed\n").policy_hash == plain.policy_hash
    assert load(tmp_path, PLAIN, ROSTER.replace("team: east, man", "team: west, man")).policy_hash != plain.policy_hash


# --- whatever is in the files ---


def loads_or_says_why(policy: str | bytes, roster: str | bytes) -> None:
    with TemporaryDirectory() as folder:
        loaded, said = load_or_refusal(Path(folder), policy, roster)
    if loaded is None:
        assert said
        assert all(re.match(r"(policy|roster)\.yaml(:\d+)?: ", problem) for problem in said)
    else:
        assert json.loads(loaded.canonical)


@examples
@given(st.binary(max_size=60))
def test_random_bytes_load_or_are_refused(content: bytes) -> None:
    loads_or_says_why(content, ROSTER)
    loads_or_says_why(POLICY, content)
    loads_or_says_why(POLICY.encode() + content, ROSTER.encode() + content)


PIECES = [
    *("- ", ": ", "? ", ", ", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "# ", "|\n", ">-\n", "'", '"', "&a "),
    *("*a", "!"),
    *("!!str ", "!!int ", "!!bool ", "!!float ", "!!null ", "!!binary ", "!!timestamp ", "!!set ", "!!omap ", "!!map "),
    *("---\n", "...\n", "%YAML 1.1\n", "<<: ", "~", "null", "true", "no", "0x", "0o9", "1_000", ".nan", ".inf"),
    *("1e999", "\t", "\\"),
    *("2026-01-01", "2026-13-45", "12:30:45", "ann", "gary", "reps", "territories", "pools", "id", "when", "any"),
]  # fmt: skip


@pytest.mark.slow
@examples
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_random_yaml_loads_or_is_refused(content: str) -> None:
    loads_or_says_why(content, content)
    loads_or_says_why(POLICY + "named: " + content, ROSTER)
    loads_or_says_why(POLICY, ROSTER + "  - " + content)


WORDS = st.sampled_from(["ann", "gary", "east", "DE", "queue", "smb", "", "no", *STEPS])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 30), st.floats(), st.integers().map(lambda n: n * 10**400), WORDS
)
KEYS = st.sampled_from(
    [
        *("apiVersion", "kind", "name", "order", "system_of_record", "require", "named", "pools", "territories"),
        *("acceptance", "hours", "chain", "domain", "owner", "note", "id", "members", "rep", "weight", "when", "pool"),
        *("priority", "children", "mend", "all", "any", "not", "reps", "email", "role", "team", "manager", "timezone"),
        *("capacity", "left_on", "external_ids", "active", *FIELDS, *OPERATORS),
    ]
)
TREES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=8
)


def _with_keys(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, TREES))


@pytest.mark.slow
@examples
@given(
    _with_keys("order", "system_of_record", "require", "named", "pools", "territories", "acceptance"),
    st.lists(_with_keys("id", "name", "manager", "capacity", "left_on", "external_ids", "active"), max_size=2),
)
def test_files_of_the_right_shape_with_anything_in_them_load_or_are_refused(
    policy: dict[str, Any], reps: list[dict[str, Any]]
) -> None:
    policy = {"apiVersion": "steward/v1", "kind": "Policy", "name": "Small"} | policy
    whole = {"id": "ann", "name": "Ann", "email": "ann@northwind-data.example", "role": "ae", "team": "east"}
    roster = {"apiVersion": "steward/v1", "kind": "Roster", "reps": [whole | rep for rep in reps]}
    loads_or_says_why(json.dumps(policy), json.dumps(roster))
