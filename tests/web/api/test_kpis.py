"""Figures by the API: the same, and for the same people, as on the page Health."""

from dataclasses import replace

import pytest

from ownership.kpis.catalogue import KPIS
from ownership.kpis.measuring import Figure, Part
from store.engine import Store
from tasks.context import utc_now
from tests.web.api.conftest import MANAGER, REP, Ask

OWN = f"reports:{MANAGER}"


@pytest.fixture
def taken(store: Store) -> str:
    """Figures of today, made of Dana's part and of nobody's."""
    today = utc_now().date().isoformat()
    figure = Figure(0.5, 4, "", (Part("Dana Whitfield", 0.5, 2, REP), Part("Europe", 0.5, 2)))
    figures = {
        (scope, 90 if kpi.over_period else 0, kpi.id): replace(figure)
        for scope in ("company", OWN, "reports:peter-novak")
        for kpi in KPIS
    }
    store.run(lambda uow: uow.kpi_days.save(today, figures, "run-1", utc_now()))
    return today


def test_a_manager_reads_the_figures_of_the_company_and_names_only_of_their_own(as_: Ask, taken: str) -> None:
    manager = as_("manager")
    own = manager.get("/kpis").json()
    assert (own["scope"]["key"], own["day"], len(own["figures"])) == (OWN, taken, len(KPIS))
    assert "reports:peter-novak" not in {each["key"] for each in own["scopes"]}
    assert [each["label"] for each in manager.get(f"/kpis/coverage?scope={OWN}").json()["parts"]] == [
        "Dana Whitfield",
        "Europe",
    ]
    assert [each["label"] for each in manager.get("/kpis/coverage?scope=company").json()["parts"]] == ["Europe"]
    for path in ("/kpis?scope=reports:peter-novak", "/kpis/coverage?scope=reports:peter-novak"):
        assert manager.get(path).status_code == 403
    assert as_("rep").get("/kpis").status_code == 403


def test_ops_reads_all_and_each_night_names_the_run_that_took_it(as_: Ask, taken: str) -> None:
    ops = as_("ops")
    assert ops.get("/kpis").json()["scope"]["key"] == "company"
    found = ops.get("/kpis/coverage?scope=reports:peter-novak").json()
    assert [(each["day"], each["value"], each["run_id"]) for each in found["nights"]] == [(taken, 0.5, "run-1")]
    assert (found["figure"]["said"], found["figure"]["n"]) == ("50 %", 4)
    for path, status in (("/kpis/none", 404), ("/kpis?scope=team:none", 404), ("/kpis?period=7", 422)):
        assert ops.get(path).status_code == status


def test_before_the_first_night_there_are_no_figures(as_: Ask) -> None:
    ops = as_("ops")
    assert (ops.get("/kpis").json()["day"], ops.get("/kpis").json()["figures"]) == (None, [])
    assert ops.get("/kpis/coverage").json()["figure"] is None
