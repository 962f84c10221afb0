"""prefect.yaml, the flows it names, and the docs that speak of them tell one story."""

import re
from pathlib import Path

import click
import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from cli.main import main
from config.schema import KEYS, OBJECTS, schema_of
from config.setting_files import CHAIN, CRMS, KINDS
from config.settings import Settings
from connectors.registry import LIBRARIES
from ownership.conditions import DATES, DAYS, FIELDS, OPERATORS
from ownership.explain import REASON_WORDS
from ownership.policy import LEAD_STEPS, STEPS

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
READ = (ROOT / "README.md").read_text() + (ROOT / "docs/architecture.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
POLICY = (ROOT / "docs/policy.md").read_text()
KNOBS = (ROOT / "docs/knobs.md").read_text()
TABLES = {
    "policy": "key",
    "field": "key of a field",
    "dispute": "key of a dispute",
    "override": "key of an override",
    "rule": "key of a rule",
    "pool": "key of a pool",
    "member": "key of a member",
    "territory": "key of a territory",
    "existing_owner": "key of existing_owner",
    "leavers": "key of leavers",
    "drift": "key of drift",
    "coverage": "key of coverage",
    "due_hours": "key of due_hours",
    "role": "key of a role",
    "task": "key of a task",
    "suppressed": "key of an entry",
    "acceptance": "key of acceptance",
    "leads": "key of leads",
    "roster": "key of the roster",
    "rep": "key of a rep",
    "queue": "key of a queue",
    "calendar": "key of a calendar",
}
"""The heading of the policy guide's table for each mapping that has one."""


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_every_entrypoint_loads_for_real_and_bears_its_deployments_name(deployment: dict[str, str]) -> None:
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert flow.name == deployment["name"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["name"])
def test_scheduled_and_triggered_parameters_exist(deployment: dict) -> None:
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    known = set(flow.parameters.properties)
    for start in [*deployment.get("schedules", []), *deployment.get("triggers", [])]:
        assert set(start.get("parameters", {})) <= known


def test_every_flow_file_is_deployed() -> None:
    files = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert files == {deployment["entrypoint"].split(".")[1] for deployment in DEPLOYMENTS}


def test_the_readme_names_every_flow_and_no_other() -> None:
    named = set(re.findall(r"^\| `([a-z-]+)` \| ", READ.split("## What it runs")[1].split("##")[0], re.M))
    assert named == {deployment["name"] for deployment in DEPLOYMENTS}


def commands(group: click.Group, prefix: str = "steward") -> set[str]:
    found: set[str] = set()
    for name, command in group.commands.items():
        path = f"{prefix} {name}"
        if isinstance(command, click.Group):
            found |= commands(command, path)
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.add(path)
    return found


def test_the_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"^\| `(steward [a-z -]+)` \|", READ, re.M))
    assert named == commands(main)


def test_operations_names_every_setting_and_no_other() -> None:
    known = {f"STEWARD_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"^\| `(STEWARD_[A-Z_]+)` \|", OPERATIONS, re.M)) == known


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The cells of the table that begins with this heading, without heading and rule."""
    table = text[text.index(f"| {heading} |") :].split("\n\n")[0]
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in table.splitlines()[2:]]


def words(cell: str) -> list[str]:
    """What stands in a cell in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_policy_guide_names_every_field_operator_and_step_as_they_are() -> None:
    assert {name.strip("`"): kind for name, kind, _ in rows_of(POLICY, "field | kind")} == {
        name: field.kind for name, field in FIELDS.items()
    }
    operators = {name.strip("`"): kinds for name, kinds in rows_of(POLICY, "operator")}
    assert operators == {name: "any" if len(kinds) == 4 else ", ".join(kinds) for name, kinds in OPERATORS.items()}
    assert [row[0].strip("`") for row in rows_of(POLICY, "step")] == list(STEPS)
    assert [row[0].strip("`") for row in rows_of(POLICY, "step for leads")] == list(LEAD_STEPS)
    dates = {name.strip("`"): (days.strip("`"), said) for name, days, said in rows_of(POLICY, "date")}
    assert dates == {date: (days, DATES[date].meaning) for days, (date, _) in DAYS.items()}


@pytest.mark.parametrize("name", TABLES)
def test_the_policy_guide_has_a_row_for_every_key_with_its_default(name: str) -> None:
    required, optional, _ = OBJECTS[name]
    rows = {key: row for row in rows_of(POLICY, TABLES[name]) for key in words(row[0])}
    assert set(rows) == {*required, *optional}
    assert {key for key, row in rows.items() if row[2] == "required"} == set(required)
    for key in rows:
        described = KEYS.get(f"{name}.{key}") or KEYS[key]
        if isinstance(default := described.get("default"), bool | int | float | str):
            assert written(default) in re.split(r"[ :]", rows[key][2]), key
        for word in described.get("enum", ()):
            assert f"`{word}`" in " ".join(rows[key]), (key, word)


def written(value: bool | int | float | str) -> str:
    """A default as the pages write it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


def test_the_policy_guide_names_every_key_and_word_there_is() -> None:
    known = {"policy", "roster", *schema_of("policy")["$defs"], *schema_of("roster")["$defs"]} & set(OBJECTS)
    keys = {key for name in known for part in OBJECTS[name][:2] for key in part}
    exceptions = (ROOT / "docs/exceptions.md").read_text(encoding="utf-8")  # names the kinds that have hours
    said = {
        word
        for phrase in [*words(POLICY), *words(exceptions.replace("```", ""))]
        for word in re.findall(r"\w+", phrase)
    }
    weekdays = {"tuesday", "wednesday", "thursday", "friday", "saturday"}  # "`monday` to `sunday`" says it
    assert keys - weekdays <= said
    assert {*CHAIN, *CRMS, *KINDS} <= said


def test_the_policy_guide_names_every_reason_a_decision_can_give() -> None:
    rules = "".join((ROOT / f"ownership/{name}.py").read_text() for name in ("rules", "placed_by_hand", "candidates"))
    given = set(re.findall(r'Verdict\([^\n]*?, "(\w+)"', rules)) | set(
        re.findall(r'because, code = .*, "(\w+)"', rules)
    )
    reasons = {*given, *REASON_WORDS, "no_rule"}
    assert reasons >= {"do_not_route", "missing_data", "named", "override", "registration", "pool", "shadow_account"}
    assert reasons >= {"disputed", "handoff_incomplete", "no_available_rep", "nobody_at_work", "returned", "queue"}
    assert {row[0].strip("`") for row in rows_of(POLICY, "reason")} == reasons


def test_every_knob_is_a_setting_with_its_default_or_says_that_there_is_none() -> None:
    tables = [part for part in KNOBS.split("\n\n") if part.startswith("| knob | setting |")]
    rows = [[cell.strip() for cell in row.strip("| ").split(" | ")] for part in tables for row in part.splitlines()[2:]]
    assert len(rows) >= 20
    for knob, setting, default, *_ in rows:
        for name in words(setting):
            place, _, key = name.replace("pools[]", "pool").rpartition(".")
            assert key in {*OBJECTS[place or "policy"][0], *OBJECTS[place or "policy"][1]}, name
            value = KEYS.get(f"{place or 'policy'}.{key}", KEYS.get(key, {})).get("default")
            if isinstance(value, bool | int | float | str):
                assert default.startswith(written(value)), knob
        assert words(setting) or setting in ("fixed", "not there yet"), knob


def test_every_link_in_the_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name} links to {link}"


def test_the_map_names_every_connector() -> None:
    vendors = {path.stem for path in (ROOT / "connectors").glob("*.py")} & set(LIBRARIES)
    assert vendors == set(LIBRARIES)
    assert vendors == {name for name, *_ in rows_of(READ, "connector") for name in [name.strip("`")]}


def test_the_map_names_every_file_it_walks_through() -> None:
    walked = set(re.findall(r"`((?:flows|tasks|connectors|store|ownership|web|cli|config)/\w+\.py)`", READ))
    assert walked
    assert [path for path in sorted(walked) if not (ROOT / path).exists()] == []


def test_the_map_names_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(re.findall(r"^\| `(\w+)/` \|", READ, re.M)) == rooms


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:`|^    )make ([a-z]+)", READ, re.M)) <= targets
