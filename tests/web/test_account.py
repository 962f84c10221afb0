"""The page of one account: what everybody may know, what only those it concerns see, and where old ids lead."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from config.settings import Settings
from ownership.model import Account
from store.engine import Store, open_store
from store.overrides import OverrideRequest
from store.runs import RunStart
from tasks.context import utc_now
from tests.store.business import MONDAY, claim, days, know, owned_by, record, said, salesforce, undecided
from tests.web.conftest import LogIn

DANA, RACHEL, MARCUS = "dana-whitfield", "rachel-stein", "marcus-oyelaran"
PREFECT = "https://prefect.example"


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    return web_settings.model_copy(update={"prefect_ui_url": PREFECT})


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    """Acme was Marcus Oyelaran's and is Dana Whitfield's, whose manager is Rachel Stein; it was pushed once."""
    store = open_store(web_settings.database_url)
    know(store, "acme")
    run = RunStart("run-2", "assign-owners", "flow-run-9", None, "schedule", "steward", "1", {}, "p1")
    store.run(lambda uow: uow.runs.start(run, MONDAY))
    record(store, owned_by("acme", MARCUS))
    record(store, owned_by("acme", DANA), run="run-2", now=MONDAY + days(1))
    for row in claim(store, now=MONDAY + days(2)):
        store.run(lambda uow, row=row: uow.outbox.settle(row.outbox_id, row.fence, "rejected", said("rejected")))  # type: ignore[misc]
    yield store
    store.close()


@contextmanager
def counted() -> Iterator[list[str]]:
    """The questions asked of a database meanwhile."""
    sent: list[str] = []

    def note(*args: object) -> None:
        if str(args[2]).startswith("SELECT"):  # what is noted of accesses is written beside, when it suits
            sent.append(str(args[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("who", [DANA, MARCUS, RACHEL, "ops"])
def test_everybody_sees_the_owner_since_when_why_and_who_had_it_before(
    store: Store, logged_in: LogIn, who: str
) -> None:
    shown = logged_in(who).get("/accounts/acme").text
    assert "Name of acme" in shown
    assert "Dana Whitfield" in shown
    assert "it lies in their territory" in shown
    assert "2026-03-03" in shown
    assert "Marcus Oyelaran" in shown


@pytest.mark.parametrize(("who", "sees"), [(DANA, True), (RACHEL, True), ("ops", True), (MARCUS, False)])
def test_records_pushes_and_requests_are_for_whom_it_concerns(
    store: Store, logged_in: LogIn, who: str, sees: bool
) -> None:
    asked = OverrideRequest("o1", "acme", MARCUS, "I know their buyer", MARCUS, MONDAY, "2026-03-01")
    store.run(lambda uow: uow.overrides.ask(asked))
    shown = logged_in(who).get("/accounts/acme").text
    for private in ("001-acme", "rejected", "I know their buyer", "acme.example"):
        assert (private in shown) is sees


def test_a_change_of_owner_links_to_the_flow_run_that_made_it(store: Store, logged_in: LogIn) -> None:
    assert f'href="{PREFECT}/runs/flow-run/flow-run-9"' in logged_in(DANA).get("/accounts/acme").text


def test_an_owner_who_has_not_accepted_is_called_provisional_and_led_to_the_offer(
    store: Store, logged_in: LogIn
) -> None:
    know(store, "bolt")
    record(store, owned_by("bolt", DANA, offer_due_by=utc_now() + timedelta(hours=1)))
    with store.transaction(readonly=True) as uow:
        offer = uow.offers.of_account("bolt")
    assert offer is not None
    for who, led in ((DANA, "Answer the offer"), (RACHEL, "Answer the offer"), ("ops", "See the offer"), (MARCUS, "")):
        shown = logged_in(who).get("/accounts/bolt").text
        assert "provisional" in shown
        assert (f"/offers/{offer.offer_id}" in shown, led in shown) == (bool(led), True)


def test_an_account_that_waits_for_a_person_says_so(store: Store, logged_in: LogIn) -> None:
    know(store, "bolt")
    record(store, undecided("bolt"))
    shown = logged_in("ops").get("/accounts/bolt").text
    assert "nobody" in shown
    assert "Needs a person" in shown
    assert "no rule" in shown


def test_why_not_is_answered_on_the_page_and_changes_nothing(store: Store, logged_in: LogIn) -> None:
    client = logged_in(RACHEL)
    shown = client.get("/accounts/acme", params={"why_not": "chloe-tremblay"}).text
    assert "Not Chloe Tremblay:" in shown
    assert "is not on the roster" in client.get("/accounts/acme", params={"why_not": "<b>nobody</b>"}).text
    with store.transaction(readonly=True) as uow:
        assert len(uow.ledger.history("acme")) == 2


def test_an_id_the_account_had_before_leads_on_and_its_history_goes_with_it(store: Store, logged_in: LogIn) -> None:
    know(store, "acme-labs")
    record(store, owned_by("acme-labs", "chloe-tremblay"))
    store.run(lambda uow: uow.identity.merge_accounts({"acme-labs": "acme"}, MONDAY + days(3)))
    client = logged_in(MARCUS)
    led = client.get("/accounts/acme-labs")
    assert (led.status_code, led.headers["location"]) == (303, "/accounts/acme")
    assert "Chloe Tremblay" in client.get("/accounts/acme").text


def test_parents_and_what_hangs_on_an_account_are_linked(store: Store, logged_in: LogIn) -> None:
    know(store, "parent", "child")
    child = Account("child", "Child Ltd", {}, (salesforce("child"),), parent_id="parent")
    store.run(
        lambda uow: uow.accounts.save([child, replace(child, id="lead1", name="Ada", refs=(), kind="lead")], MONDAY)
    )
    client = logged_in(MARCUS)
    assert 'href="/accounts/parent"' in client.get("/accounts/child").text
    above = client.get("/accounts/parent").text
    assert 'href="/accounts/child"' in above
    assert 'href="/accounts/lead1"' in above


@pytest.mark.parametrize("unknown", ["nowhere", "%00", "a" * 4000, "\N{RIGHT-TO-LEFT OVERRIDE}acme", "' or 1=1 --"])
def test_an_account_that_is_not_there_says_what_to_do(store: Store, logged_in: LogIn, unknown: str) -> None:
    answer = logged_in(DANA).get(f"/accounts/{unknown}")
    assert answer.status_code == 404
    assert "Look the account up" in answer.text
    search = re.search(r'<form role="search" action="/" method="get".*?name="q" value="([^"]*)"', answer.text, re.S)
    assert search is not None
    assert html.unescape(search[1]) == unquote(unknown)[:200].replace("\0", "\ufffd")


def test_a_hostile_name_is_text_on_the_page(store: Store, logged_in: LogIn) -> None:
    evil = Account("evil", "<script>alert(1)</script>", {"domain": "<img src=x>"}, (salesforce("evil"),))
    store.run(lambda uow: uow.accounts.save([evil], MONDAY))
    shown = logged_in("ops").get("/accounts/evil").text
    assert "<script>alert" not in shown
    assert "<img" not in shown


def test_a_long_history_takes_no_more_questions_than_a_short_one(store: Store, logged_in: LogIn) -> None:
    client = logged_in("ops")
    with counted() as short:
        client.get("/accounts/acme")
    for n in range(20):
        record(store, owned_by("acme", (MARCUS, DANA)[n % 2]), run=f"run-{n + 3}", now=MONDAY + days(4 + n))
    with counted() as long:
        assert client.get("/accounts/acme").text.count("<tr>") > 20
    assert len(long) == len(short)
