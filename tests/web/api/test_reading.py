"""What the API says of accounts, history and decisions; reading writes nothing; and what hostile input comes to."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from urllib.parse import quote

from starlette.testclient import TestClient

from ownership.conditions import FIELDS
from store.engine import Store
from store.notifications import NewNotification
from store.recording import Recording
from tasks.context import utc_now
from tests.store.business import MONDAY, owned_by, record
from tests.web.api.conftest import FOREIGN, REP, Ask

HOSTILE = [
    "\x00",
    "a\x00b",
    "x" * 10_000,
    "\u202eemca",
    "مرحبا",
    "%",
    "_",
    "'; DROP TABLE account;--",
    "../acme",
    "\U0001f680",
]


def test_who_owns_this_is_found_by_name_domain_and_outside_id(as_: Ask) -> None:
    client = as_("rep")
    for query in ("Name of acme", "acme.example", "001-acme", "acme"):
        (found,) = client.get("/accounts", params={"q": query}).json()
        assert (found["id"], found["owner"]["id"], found["owner"]["name"]) == ("acme", REP, "Dana Whitfield")
        assert (found["owner"]["why"], found["owner"]["acceptance"]) == ("it lies in their territory", "offered")
        assert found["owner"]["since"].endswith("Z")
    assert client.get("/accounts", params={"q": "nowhere.example"}).json() == []
    assert client.get("/accounts/crate").json()["owner"] is None


def test_why_it_is_theirs_is_what_the_page_says_whatever_was_decided_later(as_: Ask, store: Store) -> None:
    asked = replace(owned_by("acme", FOREIGN).decision, reason="escalated", meanwhile=REP)
    record(store, Recording(asked, {}, offer_due_by=MONDAY + timedelta(days=2)), run="run-8", now=MONDAY)
    (found,) = as_("rep").get("/accounts", params={"q": "acme"}).json()
    for shown in (found, as_("rep").get("/accounts/acme").json()):
        owner = shown["owner"]
        assert (owner["id"], owner["reason"], owner["why"]) == (REP, "territory", "it lies in their territory")


def test_an_explanation_says_every_step_and_the_gate_each_candidate_failed(as_: Ask) -> None:
    said = as_("rep").get("/accounts/acme/explanation").json()["decision"]
    assert [(step["rule"], step["matched"]) for step in said["path"]] == [("named", False), ("territory", True)]
    assert [(each["person"]["id"], each["because"]) for each in said["candidates"]] == [
        (REP, "covers emea"),
        (FOREIGN, "is on leave"),
    ]
    assert said["in_words"].startswith("Name of acme belongs to Dana Whitfield")


def test_who_owned_it_then_is_told_as_it_was_known_then(as_: Ask, store: Store) -> None:
    week = timedelta(days=7)
    record(store, owned_by("acme", FOREIGN, valid_from=MONDAY + week), run="run-9", now=MONDAY + 2 * week)
    client = as_("rep")

    def owner(on: str, known: str) -> str | None:
        params = {"system": "salesforce", "id": "001-acme", "on": on, "known": known}
        answer = client.get("/owner", params=params)
        assert answer.status_code == 200
        owner = answer.json()["owner"]
        return owner and owner["id"]  # type: ignore[no-any-return]

    assert owner("2026-03-10T00:00:00Z", "2026-03-10T00:00:00Z") == REP
    assert owner("2026-03-10T00:00:00Z", "2026-03-17T00:00:00Z") == FOREIGN
    assert owner("2026-03-03T00:00:00+02:00", "2026-03-17T00:00:00Z") == REP
    assert owner("2026-03-01T00:00:00Z", "2026-03-17T00:00:00Z") is None
    for bad in ("yesterday", "2026-03-01", "0001-01-01T00:00:00+14:00", "2026-03-01T00:00:00"):
        assert client.get("/owner", params={"id": "acme", "on": bad}).status_code == 422
    assert client.get("/owner", params={"id": "001-acme", "system": "hubspot"}).status_code == 404
    changes = client.get("/accounts/acme/timeline").json()
    assert [(each["owner"]["id"], each["seq"]) for each in changes] == [(REP, 1), (FOREIGN, 2)]


def test_what_if_decides_and_writes_nothing(as_: Ask, store: Store) -> None:
    client = as_("rep")
    before = _everything(store)
    answer = client.post("/accounts/acme/what-if", json={"fields": {"do_not_route": True}})
    assert answer.status_code == 200
    assert (answer.json()["then"]["reason"], answer.json()["then"]["owner"]) == ("do_not_route", None)
    unknown = client.post("/accounts/acme/what-if", json={"fields": {"shoe_size": 5}})
    assert unknown.status_code == 422
    assert "there is no field 'shoe_size'; fields are name, domain" in unknown.json()["detail"]
    assert client.get(f"/accounts/acme/why-not?rep={FOREIGN}").status_code == 200
    assert client.get("/accounts/acme/why-not?rep=nobody").status_code == 404
    assert _everything(store) == before


def test_no_value_of_a_field_breaks_a_what_if(as_: Ask) -> None:
    client = as_("rep")
    values = ["", None, True, -1, 1e30, ["a", ""], "DE", "\x00", "\ud800", "1e999", "\u202e" * 99]
    kinds = {kind.kind: name for name, kind in FIELDS.items()}
    for field in {*kinds.values(), "segment", "country", "domain", "subscription_status", "days_since_activity"}:
        for value in values:
            body = json.dumps({"fields": {field: value}})
            answer = client.post("/accounts/acme/what-if", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 422), (field, value, answer.text)


def test_hostile_text_is_unknown_or_refused_everywhere(as_: Ask) -> None:
    client = as_("ops")
    for path in [path for text in HOSTILE for path in _paths_with(quote(text, safe=""))]:
        answer = client.get(path)
        assert answer.status_code in (200, 404, 422), path
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert len(answer.content) < 2_000  # it does not say again what was sent


def _paths_with(said: str) -> list[str]:
    return [
        *(f"/accounts/{said}", f"/accounts/{said}/timeline", f"/accounts/{said}/explanation"),
        *(f"/accounts/{said}/why-not?rep={REP}", f"/accounts/acme/why-not?rep={said}", f"/accounts?q={said}"),
        *(
            f"/owner?id={said}",
            f"/owner?system={said}&id=acme",
            f"/people/{said}/book",
            f"/people/{REP}/book?after={said}",
        ),
        *(f"/offers?state={said}", f"/offers?owner={said}", f"/offers?after={said}", f"/exceptions?kind={said}"),
        *(f"/drift?system={said}", f"/drift?before={said}", f"/runs/{said}", f"/exceptions?after={said}"),
    ]


def test_a_body_that_is_too_large_is_not_read_and_one_that_is_no_json_is_refused(as_: Ask) -> None:
    client = as_("rep")
    path, kind = "/accounts/acme/what-if", {"Content-Type": "application/json"}
    assert client.post(path, content=b"[" * 70_000, headers=kind).status_code == 413
    for body in (b"", b"{", b"\xff\xfe", b'{"fields": ' + b"9" * 5_000 + b"}", b"[" * 30_000, b'{"fields": NaN}'):
        assert client.post(path, content=body, headers=kind).status_code in (400, 422), body[:20]


def test_pages_of_a_list_follow_one_another(as_: Ask) -> None:
    client = as_("ops")
    first = client.get(f"/people/{REP}/book?limit=1").json()
    assert (first["size"], [each["id"] for each in first["accounts"]]) == (2, ["acme"])
    second = client.get(f"/people/{REP}/book?limit=1&after={first['next']}").json()
    assert ([each["id"] for each in second["accounts"]], second["next"]) == (["delta"], None)
    offers = client.get("/offers?limit=1").json()
    assert client.get(f"/offers?limit=1&after={offers['next']}").json()["next"] is None


def test_the_policy_is_the_one_decisions_name(as_: Ask) -> None:
    policy = as_("manager").get("/policy").json()
    assert sha256(policy["canonical"].encode()).hexdigest() == policy["hash"]


def test_a_misspelt_filter_is_refused_rather_than_left_out(as_: Ask) -> None:
    answer = as_("ops").get("/offers?onwer=dana-whitfield")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "There is no parameter 'onwer'; there are state, owner, after, limit."


def test_a_path_or_method_that_is_not_there_is_a_problem_too(api: TestClient) -> None:
    assert api.get("/nothing").headers["content-type"] == "application/problem+json"
    answer = api.delete("/policy")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def _everything(store: Store) -> str:
    """All that a decision could have changed."""
    return repr(
        store.run(
            lambda uow: (
                uow.ledger.current(),
                uow.decisions.latest(),
                uow.outbox.counts(),
                uow.runs.recent(),
                uow.listings.offers(None, None, None, 99),
                uow.exceptions.open_items(),
            )
        )
    )


def test_requests_of_the_api_are_in_the_log_of_accesses(api: TestClient, as_: Ask, store: Store) -> None:
    api.get("/accounts/acme")
    as_("rep").get("/accounts/acme?")
    as_("rep").get(f"/people/{FOREIGN}/book")
    as_("ops").get("/nowhere")
    api.app.state.surroundings.journal.write()  # type: ignore[attr-defined]
    with store.transaction(readonly=True) as uow:
        rows = uow.access_log.recent(None, None, None, 10)
    assert [(each.who, each.route, each.object_id, each.outcome) for each in reversed(rows)] == [
        ("", "api.account", "acme", "refused"),
        (REP, "api.account", "acme", "allowed"),
        (REP, "api.book", FOREIGN, "refused"),
    ]
    assert [each.token_id is not None for each in reversed(rows)] == [False, True, True]


def test_notices_are_seen_by_ops_and_by_managers_of_whom_they_were_for(as_: Ask, store: Store) -> None:
    mine = NewNotification("k1", "dana.whitfield@northwind-data.example", "New account", ("Acme",))
    others = NewNotification("k2", "cs@n.example", "New owner", ("Acme",), channel="email")
    store.run(lambda uow: uow.notifications.add([mine, others], utc_now()))
    page = as_("ops").get("/notices", params={"limit": 1}).json()
    assert (page["waiting"], page["failed"], page["notices"][0]["to"]) == (2, 0, "cs@n.example")
    (rest,) = as_("ops").get("/notices", params={"before": page["next"]}).json()["notices"]
    assert (rest["person"]["id"], rest["state"], rest["channel"]) == (REP, "waiting", "slack")
    assert [each["to"] for each in as_("manager").get("/notices").json()["notices"]] == [mine.email]
    assert as_("rep").get("/notices").status_code == 403
