"""What pages say when the database is away or we have a defect, and that text no database can hold is neither."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from store.errors import StoreUnavailable
from tests.policies import read_policy
from tests.web.conftest import form_token
from web.app import create_app


@pytest.fixture
def ops(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Ops, logged in to the application over each database; a failure is answered and not raised."""
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    settings = Settings(_env_file=None, database_url=store_url, web_login="development", public_url="http://testserver")
    app = create_app(settings)
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        assert client.post("/login/development", data={"who": "ops"}).status_code == 303
        yield client


OPENED = [
    *("/?q=a%00b", "/accounts/a%00", "/people/a%00", "/offers/a%00", "/book?rep=dana-whitfield&after=%00&id=%00"),
    *("/overrides?account=%00", "/exceptions?account=%00", "/exceptions?after=%00", "/exceptions?kind=%00"),
    *("/kpis/coverage?after=%00", "/notices?before=%00", "/access?who=%00", "/access?about=%00", "/access?before=%00"),
]
SENT = [
    ("/book/accept", {"offer": "\0"}),
    ("/offers/a%00/accept", {}),
    ("/overrides", {"account": "\0", "owner": "tom-brannigan", "reason": "\0"}),
    ("/overrides/a%00/end", {"because": "over"}),
    ("/disputes/a%00", {"owner": "tom-brannigan", "because": "\0"}),
    ("/exceptions/resolve", {"exception": "\0", "way": "snooze"}),
    ("/notices/a%00/again", {}),
    ("/tokens/revoke", {"token": "\0"}),
]


def test_text_that_no_database_can_hold_is_the_name_of_nothing(ops: TestClient) -> None:
    assert {path: ops.get(path).status_code for path in OPENED if ops.get(path).status_code not in (200, 404)} == {}
    token = form_token(ops)
    for path, form in SENT:
        assert ops.post(path, data={**form, "form_token": token}).status_code in (303, 403, 404), path


def test_a_database_that_is_away_is_said_in_words_and_a_defect_says_nothing_of_itself(
    ops: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(problem: Exception) -> object:
        def fail(*_: object, **__: object) -> None:
            raise problem

        return fail

    store = ops.app.state.surroundings.store  # type: ignore[attr-defined]
    for problem, status, title in (
        (StoreUnavailable("secret-host"), 503, "Steward cannot answer now"),
        (RuntimeError("secret-cause"), 500, "Steward failed"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(store, "transaction", broken(problem))
            answer = ops.get("/")
            called = ops.get("/api/v1/policy", headers={"Authorization": "Bearer stw_0_0"})
        assert (called.status_code, called.headers["content-type"]) == (status, "application/problem+json")
        assert "secret" not in called.text
        assert (answer.status_code, f"<h1>{title}</h1>" in answer.text) == (status, True)
        assert "secret" not in answer.text
        assert "Log in" not in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
