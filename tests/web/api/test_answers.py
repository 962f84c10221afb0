"""Answering offers by the API: once each, by who may, and the same again for the same key."""

from store.canonical import digest
from store.engine import Store
from tasks.context import utc_now
from tests.web.api.conftest import FOREIGN, REP, Ask, offer_of


def test_a_rep_accepts_what_they_are_offered_and_is_its_owner(as_: Ask, store: Store) -> None:
    client, offer = as_("rep"), offer_of(store, "acme")
    assert client.get("/accounts/acme").json()["open_offer"]["id"] == offer
    answer = client.post(f"/offers/{offer}/accept")
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "accepted"
    assert answer.json()["offer"]["state"] == "accepted"
    assert answer.json()["offer"]["answered_by"] == REP
    account = client.get("/accounts/acme").json()
    assert (account["open_offer"], account["owner"]["acceptance"]) == (None, "accepted")


def test_a_late_answer_changes_nothing_and_says_whose_the_account_is(as_: Ask, store: Store) -> None:
    client, offer = as_("rep"), offer_of(store, "acme")
    assert client.post(f"/offers/{offer}/accept").status_code == 200
    late = client.post(f"/offers/{offer}/decline", json={"reason": "too late for this"})
    assert late.status_code == 409
    assert late.json()["detail"] == (
        "Too late: the offer of Name of acme was accepted by Dana Whitfield. It belongs to Dana Whitfield."
    )
    assert store.run(lambda uow: uow.offers.get(offer)).state == "accepted"  # type: ignore[union-attr]


def test_a_decline_needs_a_reason_and_goes_on_to_somebody_else(as_: Ask, store: Store) -> None:
    client, offer = as_("rep"), offer_of(store, "acme")
    for body in ({}, {"reason": ""}, {"reason": "  \n "}, {"reason": 5}, {"reason": "a\x00b"}, None):
        assert client.post(f"/offers/{offer}/decline", json=body).status_code == 422
    answer = client.post(f"/offers/{offer}/decline", json={"reason": "one of Priya's"})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "declined")
    asked = store.run(lambda uow: uow.offers.of_account("acme"))
    assert asked is None or asked.owner_id != REP


def test_nobody_answers_for_others_but_their_manager(as_: Ask, store: Store) -> None:
    offer = offer_of(store, "acme")
    for client in (as_("rep", FOREIGN), as_("manager", "peter-novak")):
        answer = client.post(f"/offers/{offer}/accept")
        assert answer.status_code == 403
        assert "only they or their manager can answer" in answer.json()["detail"]
    answer = as_("ops").post(f"/offers/{offer}/accept")
    assert (answer.status_code, "made with --as" in answer.json()["detail"]) == (403, True)
    assert as_("manager").post(f"/offers/{offer}/accept").json()["offer"]["answered_by"] == "rachel-stein"
    assert as_("rep").post("/offers/none/accept").status_code == 404


def test_the_run_that_an_answer_was_given_in_says_who_gave_it(as_: Ask, store: Store) -> None:
    as_("rep").post(f"/offers/{offer_of(store, 'acme')}/accept")
    (run,) = store.run(lambda uow: uow.runs.recent(1))
    shown = as_("ops").get(f"/runs/{run.run_id}").json()
    assert (shown["flow"], shown["actor"], shown["state"]) == ("accept-by-api", REP, "completed")


def test_the_same_key_gives_the_same_answer_and_does_nothing_again(as_: Ask, store: Store) -> None:
    client, offer, key = as_("rep"), offer_of(store, "acme"), {"Idempotency-Key": "answer-1"}
    first = client.post(f"/offers/{offer}/accept", headers=key)
    again = client.post(f"/offers/{offer}/accept", headers=key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert client.post(f"/offers/{offer}/accept").status_code == 409  # without the key it is a late answer
    assert len(store.run(lambda uow: uow.runs.recent(10))) == 3
    other = client.post(f"/offers/{offer}/decline", headers=key, json={"reason": "changed my mind"})
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)


def test_a_refusal_is_answered_alike_too_and_keys_of_others_are_theirs(as_: Ask, store: Store) -> None:
    offer, key = offer_of(store, "acme"), {"Idempotency-Key": "answer-1"}
    foreign = as_("rep", FOREIGN)
    assert foreign.post(f"/offers/{offer}/accept", headers=key).status_code == 403
    again = foreign.post(f"/offers/{offer}/accept", headers=key)
    assert (again.status_code, again.headers["content-type"]) == (403, "application/problem+json")
    assert as_("rep").post(f"/offers/{offer}/accept", headers=key).status_code == 200


def test_a_key_whose_first_request_is_not_done_yet_waits_for_it(as_: Ask, store: Store) -> None:
    client, path, key = as_("rep"), f"/offers/{offer_of(store, 'acme')}/accept", {"Idempotency-Key": "busy"}
    (token,) = store.run(lambda uow: uow.api_tokens.all())
    asked = digest(["POST", f"/api/v1{path}", None])
    store.run(lambda uow: uow.api_answers.take(token.token_id, "busy", asked, utc_now()))
    waits = client.post(path, headers=key)
    assert (waits.status_code, "not done yet" in waits.json()["detail"]) == (409, True)
    store.run(lambda uow: uow.api_answers.leave(token.token_id, "busy"))
    assert client.post(path, headers=key).status_code == 200


def test_what_nobody_accepted_is_taken_once_by_who_was_asked(as_: Ask, store: Store) -> None:
    client, offer, now = as_("rep"), offer_of(store, "acme"), utc_now()
    early = client.post(f"/offers/{offer}/take")
    assert (early.status_code, "is asked until" in early.json()["detail"]) == (409, True)
    with store.transaction() as uow:
        uow.offers.answer(offer, "expired", "steward", now)
        uow.exceptions.open("unaccepted", "unaccepted:acme", "acme", {}, "warning", "run-1", now)
    assert as_("rep", FOREIGN).post(f"/offers/{offer}/take").status_code == 403
    taken = as_("rep").post(f"/offers/{offer}/take")
    assert (taken.status_code, taken.json()["outcome"], taken.json()["offer"]["state"]) == (200, "taken", "expired")
    assert client.post(f"/offers/{offer}/take").status_code == 409
