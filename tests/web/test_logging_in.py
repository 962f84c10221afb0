"""Logging in, and what is refused to who has not."""

from starlette.testclient import TestClient

from config.settings import Settings
from tests.web.conftest import LogIn, form_token
from web.app import create_app


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(visitor: TestClient) -> None:
    answer = visitor.get("/?q=acme")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2F%3Fq%3Dacme"
    assert 'value="/?q=acme"' in visitor.get(answer.headers["location"]).text


def test_a_rep_logs_in_sees_their_name_and_logs_out(logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    assert "Dana Whitfield, rep" in client.get("/").text
    assert client.post("/logout", data={"form_token": form_token(client)}).status_code == 303
    assert client.get("/").status_code == 303


def test_a_form_without_its_token_changes_nothing(logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")
    assert client.post("/logout").status_code == 403
    assert client.post("/logout", data={"form_token": "forged"}).status_code == 403
    assert client.get("/").status_code == 200


def test_the_development_login_is_not_there_in_production(web_settings: Settings) -> None:
    with TestClient(create_app(web_settings.model_copy(update={"web_login": "off"}))) as client:
        assert client.post("/login/development", data={"who": "ops"}).status_code == 404
        assert "No way to log in is set up" in client.get("/login").text


def test_the_login_leads_to_no_other_site(visitor: TestClient) -> None:
    longer_than_a_cookie = "/" + 999 * "株"
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example", longer_than_a_cookie):
        answer = visitor.post("/login/development", data={"who": "ops", "next": elsewhere})
        assert answer.headers["location"] == "/"
