"""An offer on its page: who may answer it, what an answer changes, and what opening the page does not."""

import re
import sqlite3
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from store.engine import open_store
from store.offers import Offer
from tasks.context import utc_now
from tests.store.business import know, owned_by, record
from tests.web.conftest import LogIn, form_token

DUE_IN = timedelta(hours=24)


@pytest.fixture
def offered(web_settings: Settings) -> Settings:
    """Acme is offered to Dana Whitfield, whose manager is Rachel Stein."""
    store, now = open_store(web_settings.database_url), utc_now()
    know(store, "acme")
    record(store, owned_by("acme", "dana-whitfield", offer_due_by=now + DUE_IN, pushes=()), now=now)
    store.close()
    return web_settings


def the_offer(settings: Settings) -> Offer:
    store = open_store(settings.database_url)
    with store.transaction(readonly=True) as uow:
        offers = uow.offers.of_owner("dana-whitfield", state=None)
    store.close()
    return offers[0]


def runs_of(settings: Settings, what: str) -> list[str]:
    """How the runs that were kept for it ended."""
    store = open_store(settings.database_url)
    with store.transaction(readonly=True) as uow:
        states = [run.state for run in uow.runs.recent() if run.flow == what]
    store.close()
    return states


def answer(client: TestClient, settings: Settings, how: str, **form: str) -> str:
    """Send the form; what the page then says."""
    path = f"/offers/{the_offer(settings).offer_id}"
    sent = client.post(f"{path}/{how}", data={"form_token": form_token(client), **form})
    return client.get(sent.headers["location"]).text if sent.status_code == 303 else sent.text


@pytest.mark.parametrize("who", ["dana-whitfield", "rachel-stein"])
def test_who_is_asked_and_their_manager_accept_on_the_page(offered: Settings, logged_in: LogIn, who: str) -> None:
    assert "Name of acme is accepted for Dana Whitfield" in answer(logged_in(who), offered, "accept")
    assert (the_offer(offered).state, the_offer(offered).answered_by) == ("accepted", who)


@pytest.mark.parametrize("who", ["marcus-oyelaran", "ops"])
def test_others_see_who_is_asked_and_cannot_answer(offered: Settings, logged_in: LogIn, who: str) -> None:
    client = logged_in(who)
    shown = client.get(f"/offers/{the_offer(offered).offer_id}").text
    assert "Only Dana Whitfield or a manager of theirs can answer" in shown
    assert "Accept</button>" not in shown
    assert "Nothing was changed" in answer(client, offered, "accept")
    assert the_offer(offered).state == "offered"
    assert runs_of(offered, "accept-offer") == ["refused"]


def test_an_answered_offer_says_whose_answer_it_was_and_when(offered: Settings, logged_in: LogIn) -> None:
    answer(logged_in("rachel-stein"), offered, "accept")
    at = the_offer(offered).answered_at
    assert at is not None
    client = logged_in("marcus-oyelaran")  # New York, like Dana
    when = f"{at.astimezone(ZoneInfo('America/New_York')):%Y-%m-%d %H:%M}"
    page = client.get(f"/offers/{the_offer(offered).offer_id}").text
    shown = " ".join(re.sub("</?time[^>]*>", "", page).split())
    assert f"accepted {when} by Rachel Stein" in shown
    assert f"Rachel Stein accepted it {when} for Dana Whitfield. Nothing more can be done with it." in shown


@pytest.mark.parametrize(
    ("state", "said"), [("expired", "Nobody answered it in time"), ("superseded", "another decision took its place")]
)
def test_an_offer_that_nobody_answered_says_how_it_ended(
    offered: Settings, logged_in: LogIn, state: str, said: str
) -> None:
    offer, store = the_offer(offered), open_store(offered.database_url)
    with store.transaction() as uow:
        uow.offers.answer(offer.offer_id, state, "steward", utc_now())
    store.close()
    shown = logged_in("dana-whitfield").get(f"/offers/{offer.offer_id}").text
    assert said in shown
    assert "by steward" not in shown


def test_it_is_declined_with_a_reason_only(offered: Settings, logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    assert "say why you decline it" in answer(client, offered, "decline", reason="  ")
    assert the_offer(offered).state == "offered"
    assert "Name of acme is declined" in answer(client, offered, "decline", reason="a partner of ours")
    assert the_offer(offered).state == "declined"


def test_a_late_answer_changes_nothing_and_says_whose_it_is(offered: Settings, logged_in: LogIn) -> None:
    answer(logged_in("rachel-stein"), offered, "accept")
    late = answer(logged_in("dana-whitfield"), offered, "decline", reason="too busy")
    assert "Too late: the offer of Name of acme was accepted by Rachel Stein. It belongs to Dana Whitfield" in late
    assert (the_offer(offered).state, the_offer(offered).answered_by) == ("accepted", "rachel-stein")


def test_an_offer_whose_time_is_over_shows_no_buttons_and_is_not_accepted(
    web_settings: Settings, logged_in: LogIn
) -> None:
    store, now = open_store(web_settings.database_url), utc_now()
    know(store, "acme")
    record(store, owned_by("acme", "dana-whitfield", offer_due_by=now, pushes=()), now=now)
    store.close()
    client = logged_in("dana-whitfield")
    shown = client.get(f"/offers/{the_offer(web_settings).offer_id}").text
    assert "Its time is over" in shown
    assert "Accept</button>" not in shown
    assert "Too late: the offer of Name of acme ran out at" in answer(client, web_settings, "accept")
    assert the_offer(web_settings).state == "expired"


@pytest.fixture
def in_the_queue(offered: Settings) -> Settings:
    """Nobody has accepted acme, and nobody is left to be asked."""
    store, now = open_store(offered.database_url), utc_now()

    offer = the_offer(offered)
    with store.transaction() as uow:
        uow.offers.answer(offer.offer_id, "expired", "steward", now)
        uow.exceptions.open("unaccepted", "unaccepted:acme", "acme", {}, "warning", "run-1", now)
    store.close()
    return offered


@pytest.mark.parametrize("who", ["dana-whitfield", "rachel-stein"])
def test_what_nobody_accepted_is_taken_on_the_page_by_who_was_asked_or_their_manager(
    in_the_queue: Settings, logged_in: LogIn, who: str
) -> None:
    client = logged_in(who)
    path = f"/offers/{the_offer(in_the_queue).offer_id}"
    assert "Take it for Dana Whitfield</button>" in client.get(path).text
    assert "Name of acme is taken for Dana Whitfield" in answer(client, in_the_queue, "take")
    assert "Take it" not in client.get(path).text
    assert "Too late" in answer(client, in_the_queue, "take")


def test_nobody_else_takes_it(in_the_queue: Settings, logged_in: LogIn) -> None:
    client = logged_in("marcus-oyelaran")
    assert "Take it" not in client.get(f"/offers/{the_offer(in_the_queue).offer_id}").text
    assert "Nothing was changed" in answer(client, in_the_queue, "take")


def test_a_second_acceptance_by_the_same_rep_is_too_late(offered: Settings, logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    answer(client, offered, "accept")
    assert "Too late" in answer(client, offered, "accept")


def test_opening_the_page_or_a_form_without_its_token_answers_nothing(offered: Settings, logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    path = f"/offers/{the_offer(offered).offer_id}"
    assert "Accept</button>" in client.get(path).text
    assert client.get(f"{path}/accept").status_code in (404, 405)
    assert client.post(f"{path}/accept").status_code == 403
    client.cookies.clear()
    assert client.get(path).status_code == 303
    assert the_offer(offered).state == "offered"


def test_an_offer_never_made_is_not_there(web_settings: Settings, logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    assert client.get("/offers/none").status_code == 404
    assert client.post("/offers/none/accept", data={"form_token": form_token(client)}).status_code == 404
    assert runs_of(web_settings, "accept-offer") == ["refused"]


def test_an_offer_of_an_account_that_is_not_there_any_more_says_so(offered: Settings, logged_in: LogIn) -> None:
    with sqlite3.connect(offered.database_url.removeprefix("sqlite:///")) as database:
        database.execute("DELETE FROM account WHERE account_id = 'acme'")
    client = logged_in("dana-whitfield")
    shown = client.get(f"/offers/{the_offer(offered).offer_id}")
    assert shown.status_code == 200
    assert "Its account is not in Steward any more" in shown.text
    assert "Accept</button>" not in shown.text
    assert "There is no such offer" in answer(client, offered, "accept")
    assert "Nothing waits for an answer" in client.get("/book").text


def test_a_book_lists_offers_for_its_rep_and_their_manager_alone(offered: Settings, logged_in: LogIn) -> None:
    assert "Name of acme" in logged_in("dana-whitfield").get("/book").text
    assert "Name of acme" in logged_in("rachel-stein").get("/book?rep=dana-whitfield").text
    assert logged_in("marcus-oyelaran").get("/book?rep=dana-whitfield").status_code == 403
    assert "Nothing waits for an answer" in logged_in("marcus-oyelaran").get("/book").text
    assert logged_in("ops").get("/book").status_code == 200
    assert logged_in("rachel-stein").get("/book?rep=nobody").status_code == 403
