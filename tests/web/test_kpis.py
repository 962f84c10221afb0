"""The page “Health”: what ops, managers and reps see of it, and that a list is safe to open in a spreadsheet."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.kpis.catalogue import BY_ID, KPIS, REVIEW
from store.runs import RunStart
from tests.kpi_book import NOW, fill
from tests.web.conftest import form_token
from web import plots
from web.app import create_app
from web.pages.kpis import GROUPS, safe_cell

REPS = ("Dana Whitfield", "Priya Raman", "Henrik Solberg", "Tom Brannigan", "Jade Thompson", "Fiona McAllister")
FIGURES = [kpi.id for kpi in KPIS]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[TestClient]:
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path_factory.mktemp('health') / 'steward.db'}",
        web_login="development",
        public_url="http://testserver",
        prefect_ui_url="http://prefect.example",
    )
    fill(settings)
    with TestClient(create_app(settings, clock=lambda: NOW), follow_redirects=False) as opened:
        yield opened


def as_(client: TestClient, who: str) -> TestClient:
    client.cookies.clear()
    client.post("/login/development", data={"who": who})
    return client


def test_ops_sees_every_figure_with_its_definition_and_can_open_each(client: TestClient) -> None:
    body = as_(client, "ops").get("/kpis").text
    for kpi in KPIS:
        assert f'href="/kpis/{kpi.id}?scope=company' in body
    assert 'Whole company, as of <time datetime="2026-11-26' in body
    for id_ in FIGURES:
        answer = client.get(f"/kpis/{id_}?scope=company&period=90")
        assert answer.status_code == 200
        assert "How" not in answer.text or BY_ID[id_].name in answer.text
    assert sorted([*REVIEW, *(id_ for _, ids in GROUPS for id_ in ids)]) == sorted(FIGURES)


def test_a_manager_sees_their_own_people_by_name_and_of_the_company_only_figures(client: TestClient) -> None:
    manager = as_(client, "rachel-stein")
    assert "Rachel Stein&#39;s reports, as of" in manager.get("/kpis").text
    own = manager.get("/kpis/no_activity?scope=reports:rachel-stein").text
    assert 'href="/accounts/acc-' in own
    assert "Dana Whitfield" in own
    for scope in ("company", "territory:emea"):
        seen = manager.get(f"/kpis?scope={scope}").text
        seen += "".join(manager.get(f"/kpis/{id_}?scope={scope}").text for id_ in FIGURES)
        assert "/accounts/acc-" not in seen
        assert [name for name in REPS if name in seen] == []
    assert manager.get("/kpis/no_activity/list.csv?scope=company").status_code == 403
    assert manager.get("/kpis?scope=reports:peter-novak").status_code == 403
    assert "reports:peter-novak" not in manager.get("/kpis").text
    assert manager.post("/kpis/take", data={"form_token": form_token(manager)}).status_code == 403


def test_each_night_of_a_figure_links_to_the_run_that_took_it(client: TestClient) -> None:
    store = client.app.state.surroundings.store  # type: ignore[attr-defined]
    with store.transaction(readonly=True) as uow:
        run_id = uow.kpi_days.of_day(uow.kpi_days.last_day(), "company", 90)["coverage"].run_id
    run = RunStart(run_id, "audit-ownership", "f-17", None, "schedule", "steward", "0.1.0", {}, None)
    store.run(lambda uow: uow.runs.start(run, NOW))
    body = as_(client, "ops").get("/kpis/coverage?scope=company").text
    assert body.count('<a href="http://prefect.example/runs/flow-run/f-17">audit-ownership</a>') == 1
    assert body.count("<td>a run</td>") == 89, "the nights before were taken by no run we know of"


def test_a_rep_sees_none_of_it(client: TestClient) -> None:
    rep = as_(client, "dana-whitfield")
    for path in ("/kpis", "/kpis/coverage", "/kpis/coverage/list.csv"):
        assert rep.get(path).status_code == 403


def test_what_is_not_there_is_said_with_what_to_do(client: TestClient) -> None:
    ops = as_(client, "ops")
    assert ops.get("/kpis/nonsense").status_code == 404
    assert ops.get("/kpis?scope=team:nobody").status_code == 404
    answer = ops.get("/kpis?period=7")
    assert (answer.status_code, "A period is one of 30, 90, 365 days." in answer.text) == (400, True)
    assert ops.get("/kpis/coverage?after=rubbish").status_code == 400
    assert ops.get("/kpis/sla?after=rubbish|x").status_code == 400


def test_page_after_page_shows_every_account_once_and_so_does_the_download(client: TestClient) -> None:
    ops, seen, path = as_(client, "ops"), [], "/kpis/no_activity?scope=company"
    while path:
        body = ops.get(path).text
        seen += [each.split('"')[0] for each in body.split('href="/accounts/')[1:]]
        path = body.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&") if 'rel="next"' in body else ""
    lines = ops.get("/kpis/no_activity/list.csv?scope=company").text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == seen
    assert len(seen) == len(set(seen)) > 100


def test_a_name_that_is_a_formula_is_text_in_the_download(client: TestClient) -> None:
    body = as_(client, "ops").get("/kpis/contact_known/list.csv?scope=company").text
    assert "'=HYPERLINK(1)" in body
    assert [safe_cell(cell) for cell in ("+1", "-1", "@x", "\tx", "a=1", "")] == [
        "'+1",
        "'-1",
        "'@x",
        "'\tx",
        "a=1",
        "",
    ]


def test_taking_figures_needs_a_form_of_ours_and_looking_at_them_changes_nothing(client: TestClient) -> None:
    ops = as_(client, "ops")
    store = client.app.state.surroundings.store  # type: ignore[attr-defined]
    with store.transaction(readonly=True) as uow:
        before = len(uow.runs.recent(50))
    assert ops.get("/kpis/take").status_code == 404
    assert ops.post("/kpis/take").status_code == 403
    ops.get("/kpis")
    with store.transaction(readonly=True) as uow:
        assert len(uow.runs.recent(50)) == before
    answer = ops.post("/kpis/take", data={"form_token": form_token(ops)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/kpis")
    assert "Took the figures of 2026-11-2" in ops.get("/kpis").text


def test_without_figures_the_page_says_where_they_come_from(web_settings: Settings, visitor: TestClient) -> None:
    body = as_(visitor, "ops").get("/kpis").text
    assert "No figures were taken yet" in body
    assert "Take them now" in body
    assert as_(visitor, "rachel-stein").get("/kpis/coverage").status_code == 200


def test_every_plot_names_itself_and_holds_no_style_of_its_own() -> None:
    say = "{:.0f}".format
    points = [("2026-11-01", 3.0), ("2026-11-02", None), ("2026-11-03", 5.0)]
    for plot in (
        plots.line(points, "A <b> & c", say),
        plots.spark(points, "A", say),
        plots.columns([("a", 1), ("b", 2)], "A", say),
        plots.line([("2026-11-01", 0.0)], "One night", say),
    ):
        svg = ElementTree.fromstring(plot)
        assert svg.get("aria-label")
        assert svg.find("title") is not None
        assert "style=" not in plot
    assert plots.line([("2026-11-01", None)], "Nothing", say) == ""
    assert plots.line(points, "A gap", say).count("<polyline") == 2, "a day without a value is a gap, not a line"


def test_the_axis_of_a_share_ends_at_all() -> None:
    say = "{:.0%}".format
    assert ">110%<" not in plots.line([("2026-11-01", 1.0), ("2026-11-02", 1.0)], "Coverage", say, 1)
    assert ">100%<" in plots.line([("2026-11-01", 0.5), ("2026-11-02", 1.0)], "Coverage", say, 1)
    assert ">220%<" in plots.line([("2026-11-01", 2.0), ("2026-11-02", 2.0)], "Load", say)
