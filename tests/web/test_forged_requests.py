"""What other sites' pages send in somebody's browser, bodies that are too large, and what answers tell the browser."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from tests.web.conftest import LogIn, form_token, read_policy
from web.access.forms import MAX_FORM
from web.app import create_app

CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
]
OWN = [
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", CROSS)
def test_a_form_of_another_site_is_refused_even_with_the_token(logged_in: LogIn, headers: dict[str, str]) -> None:
    client = logged_in("dana-whitfield")
    sent = client.post("/logout", data={"form_token": form_token(client)}, headers=headers)
    assert sent.status_code == 403
    assert "another site" in sent.text
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("headers", OWN)
def test_a_form_of_ours_is_taken_whatever_a_browser_says_of_it(logged_in: LogIn, headers: dict[str, str]) -> None:
    client = logged_in("dana-whitfield")
    assert client.post("/logout", data={"form_token": form_token(client)}, headers=headers).status_code == 303
    assert client.get("/").status_code == 303


def test_no_other_site_logs_somebody_in(visitor: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/login/development", data={"who": "ops"}, headers=headers).status_code == 403
    assert visitor.get("/").status_code == 303


def test_a_body_larger_than_any_form_is_refused(logged_in: LogIn) -> None:
    client = logged_in("dana-whitfield")

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"a" * (MAX_FORM // 4)

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/logout", data={"form_token": "x" * MAX_FORM})
    assert (answer.status_code, "fewer words" in answer.text) == (413, True)
    assert client.post("/login/development", content=endless(), headers=kind).status_code == 413


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/", "no-store"), ("/login", "no-store"), ("/nowhere", "no-store"), ("/api/v1/policy", "no-store"),
     ("/static/steward.css", "no-cache"), ("/health", "no-store")],
)  # fmt: skip
def test_every_answer_says_what_the_browser_may_do_with_it(visitor: TestClient, path: str, kept: str) -> None:
    headers = visitor.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["referrer-policy"], headers["x-content-type-options"]) == ("no-referrer", "nosniff")
    assert headers["cache-control"] == kept
    assert "strict-transport-security" not in headers


def test_over_https_no_other_host_of_the_domain_gives_a_browser_its_login(
    web_settings: Settings, logged_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_hosts = logged_in("ops").cookies["steward_session"]
    settings = web_settings.model_copy(update={"public_url": "https://steward.example"})
    with TestClient(create_app(settings), base_url="https://steward.example", follow_redirects=False) as client:
        client.cookies.set("steward_session", other_hosts)
        assert client.get("/").status_code == 303
        given = client.post("/login/development", data={"who": "ops"}).headers["set-cookie"]
        assert given.startswith("__Host-steward_session=")
        assert ("Path=/;" in given, "; Secure" in given, "HttpOnly" in given) == (True, True, True)
        assert client.get("/").status_code == 200
        ended = client.post("/logout", data={"form_token": form_token(client)}).headers["set-cookie"]
        assert ("Max-Age=0" in ended, "; Secure" in ended) == (True, True)
        assert client.get("/").status_code == 303


def test_an_address_with_https_is_kept_to_https(web_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    settings = web_settings.model_copy(update={"public_url": "https://steward.example"})
    with TestClient(create_app(settings)) as client:
        assert client.get("/login").headers["strict-transport-security"] == "max-age=31536000"
