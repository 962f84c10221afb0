"""Tokens of the API: which are accepted, what each may do, and how they end."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.policy import Roster
from store.engine import Store
from tasks.context import RunContext, open_context, utc_now
from tasks.tokens import TokenRefused, make_token, revoke_token, token_in_force, token_lines
from tests.store.business import owned_by, record
from tests.web.api.conftest import FOREIGN, MANAGER, REP, Ask
from web.api.access import Allowance

PROBLEM = "application/problem+json"


def test_without_a_token_every_route_is_refused_and_says_how_to_get_one(api: TestClient) -> None:
    for path in ("/accounts?q=acme", "/accounts/acme", "/policy", "/offers", "/runs/1", "/accounts"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer" in answer.json()["detail"]
    assert api.post("/offers/1/accept").status_code == 401


def test_a_login_of_the_pages_is_no_token(api: TestClient) -> None:
    site = "http://testserver"
    assert api.post(f"{site}/login/development", data={"who": "ops"}).status_code == 303
    assert api.get(f"{site}/").status_code == 200
    assert api.get("/policy").status_code == 401


@pytest.mark.parametrize("given", ["", "x", "stw_", "stw_0_0", "stw_\u00e9_\u00e9".encode(), "Basic eA==", "a b c"])
def test_what_is_no_token_of_ours_is_refused(api: TestClient, given: str) -> None:
    header = given if isinstance(given, bytes) else given.encode()
    assert api.get("/policy", headers={"Authorization": b"Bearer " + header}).status_code == 401


def test_a_token_with_another_secret_is_refused(api: TestClient, token: Callable[..., str]) -> None:
    real = token("ops")
    for forged in (real[:-1] + ("A" if real[-1] != "A" else "B"), real + "x", real.rsplit("_", 1)[0] + "_"):
        assert api.get("/policy", headers={"Authorization": f"Bearer {forged}"}).status_code == 401
    assert api.get("/policy", headers={"Authorization": f"Bearer {real}"}).status_code == 200


def test_the_secret_is_compared_in_constant_time_even_when_no_token_has_the_id(
    api: TestClient, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def compare(one: str, other: str) -> bool:
        compared.append(len(one) == len(other))
        return one == other

    monkeypatch.setattr("tasks.tokens.hmac.compare_digest", compare)
    for given in (token("ops"), "stw_0123456789abcdef_unknown"):
        api.get("/policy", headers={"Authorization": f"Bearer {given}"})
    assert compared == [True, True]


def test_only_the_hash_of_a_token_is_kept(store: Store, token: Callable[..., str], web_settings: Settings) -> None:
    secret = token("ops").split("_", 2)[2]  # which may hold underscores of its own
    (kept,) = store.run(lambda uow: uow.api_tokens.all())
    assert secret not in repr(kept)
    assert len(kept.token_hash) == 64


def test_an_expired_token_a_revoked_one_and_one_of_a_leaver_are_refused(
    context: RunContext, store: Store, token: Callable[..., str]
) -> None:
    given, roster, now = token("rep", REP, days=1), context.policy.roster, utc_now()
    assert token_in_force(store, given, roster, context.today(), now).rep_id == REP
    with pytest.raises(TokenRefused, match="is expired; make a new one"):
        token_in_force(store, given, roster, context.today(), now + timedelta(days=1, seconds=1))
    with pytest.raises(TokenRefused, match="Dana Whitfield, who has left"):
        token_in_force(store, given, _without(context, REP), context.today(), now)
    managers, reps = token("manager", MANAGER), roster.reps
    moved = Roster({id_: replace(rep, manager=None) for id_, rep in reps.items()})
    with pytest.raises(TokenRefused, match="nobody reports to Rachel Stein now"):
        token_in_force(store, managers, moved, context.today(), now)
    kept = next(each for each in store.run(lambda uow: uow.api_tokens.all()) if each.role == "rep")
    assert "is revoked" in revoke_token(context, kept.token_id, "ops")
    assert "was revoked before, by ops" in revoke_token(context, kept.token_id, "somebody")
    with pytest.raises(TokenRefused, match="is revoked; make a new one"):
        token_in_force(store, given, roster, context.today(), now)
    with pytest.raises(TokenRefused, match="steward token list"):
        revoke_token(context, "none", "ops")


@pytest.mark.parametrize(
    ("name", "role", "rep_id", "days", "said"),
    [
        (" ", "ops", None, 1, "needs a name"),
        ("x", "boss", None, 1, "there are rep, manager, ops"),
        ("x", "rep", None, 1, "name them with --as"),
        ("x", "rep", "nobody", 1, "nobody who is with the company"),
        ("x", "rep", "gary-sutton", 1, "nobody who is with the company"),
        ("x", "manager", REP, 1, "nobody reports to Dana Whitfield"),
        ("x", "ops", None, 0, "1 to 366 days"),
        ("x", "ops", None, 367, "1 to 366 days"),
    ],
)
def test_a_token_gives_nobody_more_than_the_roster_does(
    context: RunContext, name: str, role: str, rep_id: str | None, days: int, said: str
) -> None:
    with pytest.raises(TokenRefused, match=said):
        make_token(context, name, role, rep_id, days, "tests")


def test_when_a_token_was_used_last_is_noted_once_a_minute(
    context: RunContext, store: Store, token: Callable[..., str]
) -> None:
    given, roster, now = token("ops"), context.policy.roster, utc_now()

    def used_at(now: datetime) -> datetime | None:
        token_in_force(store, given, roster, context.today(), now)
        return store.run(lambda uow: uow.api_tokens.all())[0].used_at

    assert used_at(now) == now
    assert used_at(now + timedelta(seconds=59)) == now
    assert used_at(now + timedelta(seconds=60)) == now + timedelta(seconds=60)
    assert any("a test's ops" in line and "in force" in line for line in token_lines(context))


def test_who_asks_too_often_waits_and_others_do_not() -> None:
    allowance, now = Allowance(per_minute=2), utc_now()
    assert [allowance.take("one", now) for _ in range(3)] == [0, 0, 30]
    assert allowance.take("other", now) == 0
    assert allowance.take("one", now + timedelta(seconds=29)) == 1
    assert allowance.take("one", now + timedelta(seconds=30)) == 0


def test_too_many_requests_are_answered_with_when_to_try_again(as_: Ask, api: TestClient) -> None:
    mounted = next(route.app for route in api.app.routes if getattr(route, "path", "") == "/api/v1")
    mounted.state.allowance = Allowance(per_minute=1)
    client = as_("ops")
    assert client.get("/policy").status_code == 200
    answer = client.get("/policy")
    assert (answer.status_code, answer.headers["content-type"]) == (429, PROBLEM)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


# What each role gets of each route: a rep's own, a report's and a stranger's things.
MATRIX = {
    "/accounts?q=name": (200, 200, 200),
    "/accounts/acme": (200, 200, 200),
    "/accounts/bolt": (200, 200, 200),
    "/accounts/acme/timeline": (200, 200, 200),
    "/accounts/acme/explanation": (200, 200, 200),
    f"/accounts/acme/why-not?rep={FOREIGN}": (200, 200, 200),
    "/owner?system=salesforce&id=001-acme": (200, 200, 200),
    f"/people/{REP}/book": (200, 200, 200),
    f"/people/{FOREIGN}/book": (403, 403, 200),
    f"/people/{MANAGER}/book": (403, 200, 200),
    "/offers": (200, 200, 200),
    f"/offers?owner={FOREIGN}": (403, 403, 200),
    f"/offers?owner={REP}": (200, 200, 200),
    "/drift": (200, 200, 200),
    "/exceptions": (403, 200, 200),
    "/notices": (403, 200, 200),
    "/overrides": (200, 200, 200),
    "/disputes": (200, 200, 200),
    "/kpis": (403, 200, 200),
    "/kpis/coverage": (403, 200, 200),
    "/overrides/none": (404, 404, 404),
    "/disputes/none": (404, 404, 404),
    "/pushes": (403, 200, 200),
    "/runs/run-1": (403, 200, 200),
    "/policy": (403, 200, 200),
}


@pytest.mark.parametrize(("position", "role"), [(0, "rep"), (1, "manager"), (2, "ops")])
def test_each_role_gets_what_the_pages_show_it(as_: Ask, position: int, role: str) -> None:
    client = as_(role)
    got = {path: client.get(path).status_code for path in MATRIX}
    assert got == {path: statuses[position] for path, statuses in MATRIX.items()}


def test_every_route_that_reads_is_in_the_matrix(api: TestClient) -> None:
    described = api.get("/openapi.json").json()["paths"]
    read = {path for path, operations in described.items() if "get" in operations}
    listed = {path.partition("?")[0] for path in MATRIX}
    shape = {"coverage": "{kpi_id}", "acme": "{account_id}", "bolt": "{account_id}", "run-1": "{run_id}"}
    shape |= {REP: "{rep}", FOREIGN: "{rep}", MANAGER: "{rep}"}
    named = {"/".join(shape.get(part, part) for part in path.split("/")) for path in listed}
    assert {path.replace("/none", "/{" + path[1:-6] + "_id}") for path in named} == read


def test_a_rep_sees_the_fields_records_offers_and_drift_of_their_own_accounts_only(as_: Ask, store: Store) -> None:
    for role, rep_id, own, foreign in (("rep", REP, "acme", "bolt"), ("rep", FOREIGN, "bolt", "acme")):
        client = as_(role, rep_id)
        theirs, others = (client.get(f"/accounts/{id_}").json() for id_ in (own, foreign))
        assert theirs["fields"] == {"domain": f"{own}.example"}
        assert ([each["id"] for each in theirs["records"]], theirs["open_offer"]["account_id"]) == ([f"001-{own}"], own)
        assert [others[name] for name in ("fields", "records", "open_offer")] == [None, None, None]
        assert [offer["account_id"] for offer in client.get("/offers").json()["offers"]] == [own]
        assert len(client.get("/drift").json()["events"]) == (own == "acme")
    kinds = [each["kind"] for each in as_("manager").get("/exceptions").json()["exceptions"]]
    assert kinds == ["owner_drift"]
    kinds = [each["kind"] for each in as_("ops").get("/exceptions").json()["exceptions"]]
    assert sorted(kinds) == ["no_rule", "owner_drift"]
    assert as_("manager", "peter-novak").get("/exceptions").json()["exceptions"] == []
    record(store, owned_by("acme", MANAGER), run="run-2")
    assert as_("manager").get("/exceptions").json()["exceptions"] == [], "their own are for who is above them"


@pytest.fixture
def context(web_settings: Settings, api: TestClient) -> Iterator[RunContext]:
    opened = open_context(web_settings)
    yield opened
    opened.store.close()


def _without(context: RunContext, rep_id: str) -> Roster:
    reps = context.policy.roster.reps
    gone = replace(reps[rep_id], active=False)
    return replace(context.policy.roster, reps={**reps, rep_id: gone})
