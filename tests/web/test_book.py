"""Books: offers first, room and turns, accounts by the page; one's own, and a colleague's to those it concerns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.model import Account
from store.engine import Store, open_store
from tasks.context import utc_now
from tests.store.business import MONDAY, know, owned_by, record, salesforce
from tests.web.conftest import LogIn, form_token

DANA, RACHEL, MARCUS, CASEY = "dana-whitfield", "rachel-stein", "marcus-oyelaran", "casey-nguyen"


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    store = open_store(web_settings.database_url)
    yield store
    store.close()


def offer(store: Store, account_id: str, rep: str, hours: float = 24) -> str:
    """Offer the account to the rep; the offer's id."""
    know(store, account_id)
    now = utc_now()
    record(store, owned_by(account_id, rep, offer_due_by=now + timedelta(hours=hours)), now=now - timedelta(hours=1))
    with store.transaction(readonly=True) as uow:
        made = uow.offers.of_account(account_id)
    assert made is not None
    return made.offer_id


def accept(client: TestClient, *offer_ids: str) -> str:
    sent = client.post("/book/accept", data={"form_token": form_token(client), "offer": list(offer_ids)})
    assert sent.status_code == 303
    return client.get(sent.headers["location"]).text


def states(store: Store, *offer_ids: str) -> list[str]:
    with store.transaction(readonly=True) as uow:
        found = uow.offers.get_many(offer_ids)
    return [found[each].state for each in offer_ids]


def test_several_offers_are_accepted_at_once_and_one_that_runs_out_keeps_none_back(
    store: Store, logged_in: LogIn
) -> None:
    first, late, third = (offer(store, id_, DANA, hours) for id_, hours in (("a", 5), ("b", -0.5), ("c", 7)))
    said = accept(logged_in(DANA), first, late, third)
    assert "2 of 3 accepted" in said
    assert "Name of b" in said
    assert states(store, first, late, third)[::2] == ["accepted", "accepted"]
    assert states(store, late) != ["accepted"]


def test_an_offer_of_somebody_else_is_not_accepted_by_sending_its_id(store: Store, logged_in: LogIn) -> None:
    mine, theirs = offer(store, "a", DANA), offer(store, "b", MARCUS)
    assert "1 of 2 accepted" in accept(logged_in(DANA), mine, theirs, mine)
    assert states(store, mine, theirs) == ["accepted", "offered"]
    assert "0 of 1 accepted" in accept(logged_in(DANA), "no-such-offer")
    assert "tick the offers" in accept(logged_in(DANA))


def test_the_most_urgent_offer_comes_first(store: Store, logged_in: LogIn) -> None:
    offer(store, "later", DANA, 9), offer(store, "sooner", DANA, 3)
    shown = logged_in(DANA).get("/book").text
    assert shown.index("Name of sooner") < shown.index("Name of later")
    assert "2 hours left" in shown


def test_a_book_of_any_size_is_read_by_the_page_each_account_once(store: Store, logged_in: LogIn) -> None:
    names = [f"Same & <b>same</b> {n % 40:02}" for n in range(120)]
    accounts = [Account(f"a{n:03}", name, {}, (salesforce(f"a{n:03}"),)) for n, name in enumerate(names)]
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))
    record(store, *(owned_by(each.id, DANA) for each in accounts))
    client, seen, path = logged_in(DANA), list[str](), "/book"
    while path:
        shown = client.get(path).text
        seen += re.findall(r'href="/accounts/(a[0-9]+)"', shown)
        more = re.search(r'href="(/book[?][^"]+)"', shown)
        path = more[1].replace("&amp;", "&") if more else ""
    assert sorted(seen) == [each.id for each in accounts]
    assert len(seen) == 120


def test_room_and_turns_are_told(store: Store, logged_in: LogIn) -> None:
    know(store, "a")
    record(store, owned_by("a", DANA))
    shown = logged_in(DANA).get("/book").text
    assert "1 of 60 accounts" in shown
    assert "ent-amer" in shown
    assert "<strong>next</strong>" in logged_in(CASEY).get("/book").text


@pytest.mark.parametrize(("who", "sees"), [(DANA, True), (RACHEL, True), ("ops", True), (MARCUS, False)])
def test_a_colleagues_book_is_for_whom_it_concerns_and_who_they_are_for_everybody(
    store: Store, logged_in: LogIn, who: str, sees: bool
) -> None:
    know(store, "a")
    record(store, owned_by("a", DANA))
    client = logged_in(who)
    shown = client.get(f"/people/{DANA}").text
    assert "Rachel Stein" in shown
    assert ("Name of a" in shown) is sees
    assert (client.get(f"/book?rep={DANA}").status_code == 200) is sees


def test_a_manager_sees_offers_of_their_reports_and_may_answer_them(store: Store, logged_in: LogIn) -> None:
    made = offer(store, "a", DANA)
    client = logged_in(RACHEL)
    assert "Accept what is ticked" in client.get(f"/book?rep={DANA}").text
    assert "1 of 1 accepted" in accept(client, made)
    assert "Accept what is ticked" not in logged_in("ops").get(f"/book?rep={DANA}").text


@pytest.mark.parametrize(
    ("path", "status"), [("/people/nobody-such", 404), ("/book?rep=nobody-such", 404), ("/book", 200)]
)
def test_whoever_is_not_on_the_roster_has_no_book(store: Store, logged_in: LogIn, path: str, status: int) -> None:
    answer = logged_in("ops").get(path)
    assert answer.status_code == status
    assert "look somebody up by name" in answer.text


def test_what_nobody_accepted_is_taken_from_the_book_by_who_was_asked_and_their_manager(
    store: Store, logged_in: LogIn
) -> None:
    assert "Nobody accepted them" not in logged_in(DANA).get("/book").text
    made, now = offer(store, "a", DANA), utc_now()
    with store.transaction() as uow:
        uow.offers.answer(made, "expired", "steward", now)
        uow.exceptions.open("unaccepted", "unaccepted:a", "a", {}, "warning", "run-1", now)
    take = f'action="/offers/{made}/take"'
    for who, page in ((DANA, "/book"), (RACHEL, f"/book?rep={DANA}")):
        shown = logged_in(who).get(page).text
        assert take in shown
        assert "Take it</button>" in shown
    assert "Take it</button>" not in logged_in("ops").get(f"/book?rep={DANA}").text
    assert take not in logged_in(MARCUS).get("/book").text
    client = logged_in(DANA)
    sent = client.post(f"/offers/{made}/take", data={"form_token": form_token(client)})
    assert "is taken for Dana Whitfield" in client.get(sent.headers["location"]).text
    assert take not in client.get("/book").text
