"""The page of the API's tokens: ops see and end them, nobody else sees one."""

from collections.abc import Callable

from starlette.testclient import TestClient

from tests.web.conftest import LogIn, form_token

TOKENS = "http://testserver/tokens"


def test_ops_end_a_token_on_its_page_and_it_is_refused_from_then_on(api: TestClient, token: Callable[..., str]) -> None:
    given = {"Authorization": f"Bearer {token('ops')}"}
    assert api.get("/policy", headers=given).status_code == 200
    assert api.post("http://testserver/login/development", data={"who": "ops"}).status_code == 303
    page = api.get(TOKENS).text
    secret = given["Authorization"].split("_", 2)[2]  # it may hold a "_" of its own
    assert "a test&#39;s ops" in page
    assert secret not in page
    form = {"token": given["Authorization"].split("_")[1], "form_token": _form_token(page)}
    assert api.post(f"{TOKENS}/revoke", data=form).headers["location"] == "/tokens"
    page = api.get(TOKENS).text
    assert "is revoked: no request with it is answered from now on" in page
    assert 'revoked <span class="soft">by ops@steward.example' in page
    answer = api.get("/policy", headers=given)
    assert (answer.status_code, "is revoked" in answer.json()["detail"]) == (401, True)


def test_reps_and_managers_neither_see_nor_end_tokens(logged_in: LogIn) -> None:
    for who in ("dana-whitfield", "rachel-stein"):
        client = logged_in(who)
        assert client.get("/tokens").status_code == 403
        assert client.post("/tokens/revoke", data={"form_token": form_token(client)}).status_code == 403


def test_without_a_token_the_page_says_how_to_make_one_and_one_that_is_gone_is_said_to_be(logged_in: LogIn) -> None:
    client = logged_in("ops")
    assert "<code>steward token create NAME --role rep --as REP</code>" in client.get("/tokens").text
    client.post("/tokens/revoke", data={"token": "none", "form_token": form_token(client)})
    assert "There is no such token." in client.get("/tokens").text


def _form_token(page: str) -> str:
    return page.split('name="form_token" value="')[1].split('"')[0]
