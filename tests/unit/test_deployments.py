"""prefect.yaml, the flows it names, and the docs that speak of them tell one story."""

import re
from pathlib import Path

import click
import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from cli.main import main
from config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
READ = (ROOT / "README.md").read_text() + (ROOT / "docs/architecture.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()


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
        found |= commands(command, path) if isinstance(command, click.Group) else {path}
    return found


def test_the_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"^\| `(steward [a-z -]+)` \|", READ, re.M))
    assert named == commands(main)


def test_operations_names_every_setting_and_no_other() -> None:
    known = {f"STEWARD_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"^\| `(STEWARD_[A-Z_]+)` \|", OPERATIONS, re.M)) == known


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
