"""The tools of the seeded world know exactly the people of the example roster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from emulators.world import build_world
from emulators.world.market import ENTERPRISE_TEAM, MID_MARKET_TEAM
from emulators.world.people import load_people

ROSTER = Path(__file__).parents[2] / "config" / "policy" / "roster.yaml"


@pytest.fixture(scope="module")
def roster() -> list[dict[str, Any]]:
    reps: list[dict[str, Any]] = YAML(typ="safe").load(ROSTER.read_text(encoding="utf-8"))["reps"]
    return reps


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return build_world(400)


def test_the_worlds_people_are_the_roster(roster: list[dict[str, Any]]) -> None:
    on_roster = [(r["id"], r["name"], r["email"], r["role"], r["team"], r.get("left_on", "")) for r in roster]
    in_the_world = [(p.id, p.name, p.email, p.role, p.team, p.left_on) for p in load_people() if p.human]
    assert in_the_world == on_roster


def test_every_team_of_the_market_has_an_active_seller_on_the_roster(roster: list[dict[str, Any]]) -> None:
    staffed = {rep["team"] for rep in roster if rep["role"] == "ae" and "left_on" not in rep}
    assert {*MID_MARKET_TEAM.values(), *ENTERPRISE_TEAM, *ENTERPRISE_TEAM.values(), "smb", "financials"} <= staffed


def test_every_tool_knows_everyone_and_shows_who_left(roster: list[dict[str, Any]], world: dict[str, Any]) -> None:
    present = {rep["email"]: "left_on" not in rep for rep in roster}
    human = [user for user in world["salesforce"]["users"] if user["Id"] != world["truth"]["integration_user"]]
    assert {user["Email"]: user["IsActive"] for user in human} == present
    assert {owner["email"]: not owner["archived"] for owner in world["hubspot"]["owners"]} == present
    assert {user["profile"]["email"]: not user["deleted"] for user in world["slack"]["users"]} == present


def test_the_integration_user_is_in_salesforce_alone_and_active(world: dict[str, Any]) -> None:
    (integration,) = [u for u in world["salesforce"]["users"] if u["Id"] == world["truth"]["integration_user"]]
    assert integration["Name"] == "Northwind Integration"
    assert integration["IsActive"]
    assert integration["Email"] not in {owner["email"] for owner in world["hubspot"]["owners"]}


def test_ids_of_people_differ_in_each_tool(world: dict[str, Any]) -> None:
    for ids in (
        [user["Id"] for user in world["salesforce"]["users"]],
        [owner["id"] for owner in world["hubspot"]["owners"]],
        [owner["userId"] for owner in world["hubspot"]["owners"]],
        [user["id"] for user in world["slack"]["users"]],
    ):
        assert len(set(ids)) == len(ids)


def test_reps_who_left_still_own_accounts(world: dict[str, Any]) -> None:
    gone = {user["Id"] for user in world["salesforce"]["users"] if not user["IsActive"]}
    assert gone & {account["OwnerId"] for account in world["salesforce"]["accounts"]}
