"""Overrides, disputes and figures by the API: who may do and see what, and that it is what the pages do."""

from typing import Any

from starlette.testclient import TestClient

from store.engine import Store
from tests.web.api.conftest import FOREIGN, MANAGER, REP, Ask, asked_and_claimed

PRIYA = "priya-raman"
WHY: dict[str, Any] = {"reason": "agreed with both"}


def owner(client: TestClient, account_id: str) -> str:
    found: str = client.get(f"/accounts/{account_id}").json()["owner"]["id"]
    return found


def test_an_override_is_asked_for_approved_by_the_manager_and_ended_again(as_: Ask, store: Store) -> None:
    asked = {"account_id": "delta", "owner": PRIYA, "reason": "they know her"}
    made = as_("rep").post("/overrides", json=asked, headers={"Idempotency-Key": "k1"}).json()
    again = as_("rep").post("/overrides", json=asked, headers={"Idempotency-Key": "k1"}).json()
    assert again["id"] != made["id"], "the key is another token's"
    path = f"/overrides/{made['id']}"
    assert (made["standing"], made["you_may"]) == ("waits for approval", ["withdraw"])
    for who, role in ((REP, "ops"), (PRIYA, "ops"), ("peter-novak", "manager")):
        assert as_(role, who).post(f"{path}/approve", json=WHY).status_code == 403, (who, role)
    assert as_("rep").post(f"{path}/approve", json=WHY).status_code == 403
    manager = as_("manager")
    assert manager.get(path).json()["you_may"] == ["approve", "refuse"]
    approved = manager.post(f"{path}/approve", json=WHY).json()
    assert (approved["standing"], approved["answered_by"]["id"]) == ("in effect", MANAGER)
    assert owner(manager, "delta") == PRIYA
    late = manager.post(f"{path}/refuse", json=WHY)
    assert (late.status_code, late.json()["detail"]) == (409, "It is approved already, by rachel-stein; that stands.")
    assert as_("rep").post(f"{path}/withdraw", json=WHY).status_code == 409
    ended = as_("manager").post(f"{path}/end", json={"reason": "she is back"}).json()
    assert (ended["standing"], ended["you_may"]) == ("ended early", [])
    with store.transaction(readonly=True) as uow:
        assert uow.overrides.in_effect() == []


def test_a_token_that_acts_for_nobody_asks_and_answers_nothing(as_: Ask, store: Store) -> None:
    there, ops = asked_and_claimed(store), as_("ops")
    for path in (f"/overrides/{there['override_id']}/approve", f"/disputes/{there['dispute_id']}/approve"):
        answer = ops.post(path, json=WHY)
        assert (answer.status_code, "made with --as" in answer.json()["detail"]) == (403, True)


def test_what_is_between_others_is_not_shown_and_what_cannot_stand_says_why(as_: Ask, store: Store) -> None:
    there = asked_and_claimed(store)
    stranger = as_("rep", "henrik-solberg")
    for path in (f"/overrides/{there['override_id']}", f"/disputes/{there['dispute_id']}"):
        assert stranger.get(path).status_code == 403
        assert stranger.post(f"{path}/withdraw", json=WHY).status_code == 403
        assert stranger.get(path[:10] + "/none").status_code == 404
    assert stranger.get("/overrides").json() == {"overrides": [], "next": None}
    assert stranger.get("/disputes").json() == {"disputes": [], "next": None}
    asked = {"account_id": "acme", "owner": PRIYA, "reason": "cover"}
    for wrong, status in (
        ({"owner": "nobody"}, 422),
        ({"since": "2001-01-01"}, 422),
        ({"since": "2026-02-30"}, 422),
        ({"until": 5}, 422),
        ({"then": "return"}, 422),
        ({"account_id": "Name of acme"}, 404),
    ):
        answer = stranger.post("/overrides", json={**asked, **wrong})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), wrong


def test_a_claim_takes_evidence_of_both_sides_and_gets_one_ruling(as_: Ask) -> None:
    claim = {"account_id": "delta", "reason": "I called first", "evidence": "call of 3 March"}
    opened = as_("rep", FOREIGN).post("/disputes", json=claim).json()
    path = f"/disputes/{opened['id']}"
    assert as_("rep", PRIYA).post("/disputes", json=claim).status_code == 409
    assert as_("rep").post(f"{path}/evidence", json={"evidence": "a mail of January"}).status_code == 200
    assert as_("rep").post(f"{path}/withdraw", json=WHY).status_code == 403
    for who, role in ((FOREIGN, "ops"), (REP, "ops"), ("peter-novak", "manager")):
        assert as_(role, who).post(f"{path}/approve", json=WHY).status_code == 403, (who, role)
    seen = as_("manager").get(path).json()
    assert [each["said"] for each in seen["evidence"]] == ["call of 3 March", "a mail of January"]
    assert as_("manager").post(f"{path}/rule", json={**WHY, "owner": PRIYA}).json()["ruled_for"]["id"] == PRIYA
    assert owner(as_("rep"), "delta") == PRIYA
    assert as_("manager").post(f"{path}/refuse", json=WHY).status_code in (403, 409)
    assert as_("ops", "carmen-ortiz").post(f"{path}/refuse", json=WHY).status_code == 409


def test_lists_follow_one_another_however_much_of_others_lies_between(as_: Ask, store: Store) -> None:
    ids = [asked_and_claimed(store)["override_id"] for _ in range(1)]
    client = as_("rep")
    for reason in ("one", "two"):
        asked = client.post("/overrides", json={"account_id": "acme", "owner": PRIYA, "reason": reason})
        ids.append(asked.json()["id"])
        as_("rep", FOREIGN).post("/overrides", json={"account_id": "bolt", "owner": "jade-thompson", "reason": "mine"})
        client = as_("rep")
    first = client.get("/overrides?limit=2").json()
    second = client.get(f"/overrides?limit=2&before={first['next']}").json()
    assert [each["id"] for page in (first, second) for each in page["overrides"]] == ids[::-1]
    assert second["next"] is None


def test_an_account_that_is_as_it_was_is_not_sent_again(as_: Ask) -> None:
    rep = as_("rep")
    first = rep.get("/accounts/acme")
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = rep.get("/accounts/acme", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    offer = first.json()["open_offer"]["id"]
    rep.post(f"/offers/{offer}/accept")
    assert rep.get("/accounts/acme", headers=known).status_code == 200
    foreign = as_("rep", FOREIGN)
    assert foreign.get("/accounts/acme").json()["fields"] is None
    assert foreign.get("/accounts/acme").headers["vary"] == "Authorization"
    assert foreign.get("/accounts/none", headers={"If-None-Match": "*"}).status_code == 404
