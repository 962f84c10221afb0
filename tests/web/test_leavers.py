"""Who has left the company, or the roster, is let in no more."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from ownership.model import QUEUE, Rep
from ownership.policy import Roster
from tests.web.conftest import LogIn
from web.access.rules import role_of
from web.access.viewer import Role

DANA, RACHEL, TODAY = "dana-whitfield", "rachel-stein", "2026-11-26"


def roster_with(reps: Mapping[str, Rep], rep_id: str, **changed: Any) -> Roster:
    return Roster({**reps, rep_id: replace(reps[rep_id], **changed)})


@pytest.fixture
def reps(visitor: TestClient) -> Mapping[str, Rep]:
    reps: Mapping[str, Rep] = visitor.app.state.surroundings.policy.roster.reps  # type: ignore[attr-defined]
    return reps


def use(client: TestClient, monkeypatch: pytest.MonkeyPatch, roster: Roster) -> None:
    """The roster's file was edited."""
    here = client.app.state.surroundings  # type: ignore[attr-defined]
    monkeypatch.setattr(here, "_policy", replace(here.policy, roster=roster))


@pytest.mark.parametrize("left", [{"active": False}, {"left_on": "2020-01-01"}])
def test_a_login_ends_when_its_person_leaves(
    logged_in: LogIn, monkeypatch: pytest.MonkeyPatch, reps: Mapping[str, Rep], left: dict[str, Any]
) -> None:
    client = logged_in(DANA)
    assert client.get("/").status_code == 200
    use(client, monkeypatch, roster_with(reps, DANA, **left))
    assert client.get("/").status_code == 303
    assert client.post("/login/development", data={"who": DANA}).status_code == 400
    assert f'value="{DANA}"' not in client.get("/login").text
    use(client, monkeypatch, Roster({key: rep for key, rep in reps.items() if key != DANA}))
    assert client.get("/").status_code == 303


def test_who_manages_somebody_is_a_manager_from_then_on_and_nobody_any_more_is_none(
    logged_in: LogIn, monkeypatch: pytest.MonkeyPatch, reps: Mapping[str, Rep]
) -> None:
    client = logged_in(RACHEL)
    assert client.get("/kpis").status_code == 200
    moved = {key: replace(rep, manager=DANA if rep.manager == RACHEL else rep.manager) for key, rep in reps.items()}
    use(client, monkeypatch, Roster(moved))
    assert client.get("/kpis").status_code == 403
    assert "Rachel Stein, rep" in client.get("/").text
    use(client, monkeypatch, Roster(reps))
    dana = logged_in(DANA)
    assert dana.get("/kpis").status_code == 403
    use(dana, monkeypatch, Roster(moved))
    assert dana.get("/kpis").status_code == 200


def test_roles_come_from_the_roster_and_from_groups(reps: Mapping[str, Rep]) -> None:
    roster = Roster(reps)
    dana, rachel = reps[DANA].email, reps[RACHEL].email
    assert role_of(roster, TODAY, dana.upper()) is Role.REP
    assert role_of(roster, TODAY, rachel) is Role.MANAGER
    assert role_of(roster, TODAY, rachel, [Role.OPS]) is Role.OPS
    assert role_of(roster, TODAY, "boss@elsewhere.example", [Role.MANAGER]) is Role.MANAGER
    assert role_of(roster, TODAY, "anybody@elsewhere.example") is None
    assert role_of(roster_with(reps, DANA, kind=QUEUE), TODAY, dana) is None
    gone = roster_with(reps, DANA, left_on="2026-11-25")
    assert role_of(gone, TODAY, dana, [Role.OPS]) is None
    assert role_of(roster_with(reps, DANA, left_on=TODAY), TODAY, dana) is Role.REP


def test_a_new_login_ends_the_one_that_was_in_the_browser(logged_in: LogIn) -> None:
    client = logged_in(DANA)
    before = client.cookies["steward_session"]
    assert client.post("/login/development", data={"who": "ops"}).status_code == 303
    assert client.cookies["steward_session"] != before
    client.cookies.clear()
    client.cookies.set("steward_session", before)
    assert client.get("/").status_code == 303
