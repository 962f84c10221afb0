"""The page of exceptions: who sees which, what the address may ask for, and who may do what there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from store.engine import Store, open_store
from store.exceptions import NewException
from tasks.context import utc_now
from tests.policies import read_policy
from tests.store.business import know, owned_by, record
from tests.web.conftest import LogIn, form_token
from web.app import create_app

DRIFT, FOREIGN = "owner_drift:salesforce/Account/001-acme", "owner_drift:salesforce/Account/001-bolt"


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    """Acme is Dana's, whose manager is Rachel; Bolt Jade's, whose manager is Carmen; Crate and Delta are nobody's."""
    opened = open_store(web_settings.database_url)
    know(opened, "acme", "bolt", "crate", "delta")
    record(opened, owned_by("acme", "dana-whitfield"), owned_by("bolt", "jade-thompson"))
    found = [
        NewException("disputed", "undecided:delta", "delta", {"because": "claimed"}, "warning"),
        NewException("owner_drift", DRIFT, "acme", {"problem": "shows <b>Tom</b>"}, "error"),
        NewException("owner_drift", FOREIGN, "bolt", {"problem": "shows Tom"}, "error"),
        NewException("missing_data", "undecided:crate", "crate", {"because": ["no country"]}, "warning"),
        NewException("drift_storm", "drift_storm:hubspot", None, {"target": "hubspot"}, "error"),
    ]
    opened.run(lambda uow: uow.exceptions.open_many(found, "run-1", utc_now() - timedelta(days=3)))
    yield opened
    opened.close()


def id_of(store: Store, key: str) -> str:
    return next(
        item.exception_id for item in store.run(lambda uow: uow.exceptions.open_items()) if key in item.dedup_key
    )


def names(text: str) -> list[str]:
    return [
        name
        for name in ("acme", "bolt", "crate", "delta", "hubspot")
        if f">Name of {name}<" in text or f"</h2>{name}" in text
    ]


def test_ops_see_all_a_manager_those_of_their_people_and_a_rep_no_page(logged_in: LogIn, store: Store) -> None:
    assert names(logged_in("ops").get("/exceptions").text) == ["acme", "bolt", "crate", "delta"]
    page = logged_in("rachel-stein").get("/exceptions").text
    assert (names(page), "shows &lt;b&gt;Tom&lt;/b&gt;" in page, "drift storm" in page) == (["acme"], True, False)
    assert logged_in("dana-whitfield").get("/exceptions").status_code == 403


def test_the_address_asks_for_a_kind_for_whose_it_is_and_for_an_age(logged_in: LogIn, store: Store) -> None:
    ops = logged_in("ops")
    assert names(ops.get("/exceptions?kind=missing_data").text) == ["crate"]
    assert names(ops.get("/exceptions?whose=steward").text) == ["crate"]
    assert names(ops.get("/exceptions?whose=manager").text) == ["acme", "bolt"]
    assert names(ops.get("/exceptions?age=7").text) == []
    assert names(ops.get("/exceptions?account=crate").text) == ["crate"]
    assert names(logged_in("rachel-stein").get("/exceptions?account=bolt").text) == []
    ops = logged_in("ops")
    assert names(ops.get("/exceptions?age=2&whose=mine").text) == ["crate", "delta"]
    assert names(ops.get("/exceptions?whose=ops").text) == ["delta"]  # whose owner's manager there is not
    assert names(ops.get(f"/exceptions?kind=owner_drift&after={id_of(store, DRIFT)}").text) == ["bolt"]
    for odd in ("kind=%00", "whose=x", "age=-1", "age=x", "after=%F0%9F%98%80", "asleep=2", "kind=owner_drift&kind=x"):
        assert ops.get(f"/exceptions?{odd}").status_code == 200
    assert names(logged_in("rachel-stein").get("/exceptions?whose=mine").text) == ["acme"]


def test_a_manager_settles_nothing_of_other_teams_even_by_a_form_of_their_own(logged_in: LogIn, store: Store) -> None:
    said = {"way": "snooze", "until": (utc_now() + timedelta(days=5)).date().isoformat(), "reason": "later"}
    rachel, ids = logged_in("rachel-stein"), [id_of(store, key) for key in (DRIFT, FOREIGN, "drift_storm")]
    done = rachel.post("/exceptions/resolve", data={**said, "exception": ids, "form_token": form_token(rachel)})
    assert done.status_code == 303
    assert "1 done. 2 not: Name of bolt" in rachel.get("/exceptions").text
    kept = store.run(lambda uow: uow.exceptions.answers(ids))
    assert [(answer.exception_id, answer.said_by) for answer in kept] == [(ids[0], "rachel-stein")]
    (run,) = store.run(lambda uow: uow.runs.recent(1))
    assert (run.flow, run.actor, run.run_id) == ("exception-snooze", "rachel-stein", kept[0].run_id)
    dana = logged_in("dana-whitfield")
    token = form_token(dana)
    assert dana.post("/exceptions/resolve", data={**said, "exception": ids, "form_token": token}).status_code == 403


def test_a_manager_is_led_to_nothing_about_their_own_accounts(logged_in: LogIn, store: Store) -> None:
    record(store, owned_by("bolt", "rachel-stein"))
    rachel = logged_in("rachel-stein")
    assert names(rachel.get("/exceptions?account=bolt").text) == []
    assert "See what can be done" not in rachel.get("/accounts/bolt").text
    assert "See what can be done" in rachel.get("/accounts/acme").text
    assert "See what can be done" not in logged_in("dana-whitfield").get("/accounts/acme").text


def test_a_week_on_is_counted_from_the_day_it_is_where_the_policy_is(
    web_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = read_policy(web_settings.policy_dir)
    there = replace(loaded, policy=replace(loaded.policy, timezone="Asia/Tokyo"))
    monkeypatch.setattr("web.surroundings.load_policy", lambda _: there)
    evening = utc_now().replace(hour=20)
    with TestClient(create_app(web_settings, clock=lambda: evening)) as ops:
        ops.post("/login/development", data={"who": "ops"})
        tomorrow_week = (evening + timedelta(days=8)).date().isoformat()
        assert f'type="date" value="{tomorrow_week}"' in ops.get("/exceptions").text


def test_a_form_that_is_not_ours_or_says_nothing_changes_nothing(logged_in: LogIn, store: Store) -> None:
    ops, id_ = logged_in("ops"), id_of(store, DRIFT)
    assert ops.post("/exceptions/resolve", data={"way": "snooze", "exception": id_}).status_code == 403
    for said, heard in (
        ({}, "Nothing was ticked"),
        ({"exception": id_, "way": "fly"}, "is no way out of owner_drift"),
        ({"exception": id_, "way": "restore"}, "No reason is given"),
        ({"exception": id_, "way": "restore", "reason": "a slip"}, "no system"),
    ):
        answer = ops.post(
            "/exceptions/resolve", data={**said, "form_token": form_token(ops), "asked": "kind=owner_drift"}
        )
        assert answer.headers["location"] == "/exceptions?kind=owner_drift"
        assert heard in ops.get("/exceptions").text
    assert store.run(lambda uow: uow.exceptions.answers([id_])) == []


def test_where_nothing_needs_a_person_the_page_says_so(logged_in: LogIn) -> None:
    assert "Nothing needs a person" in logged_in("ops").get("/exceptions").text
