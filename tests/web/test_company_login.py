"""Logging in through the company's identity provider: who is let in as what, and every way not to be."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pydantic import SecretStr
from starlette.testclient import TestClient

from config.settings import Settings
from connectors.errors import ConnectorStopped, RetryLater
from connectors.identity_provider import is_safe
from connectors.registry import build_identity_provider
from emulators.identity import IdentityProvider
from tests.web.conftest import read_policy
from tests.web.identity import (
    CHIEF,
    DANA,
    OPS,
    RACHEL,
    SECRET,
    STRANGER,
    asked_of,
    go_to_provider,
    log_in_there,
    provider_for,
)
from web.app import create_app

CALLBACK = "http://testserver/login/callback"


@pytest.fixture(scope="module")
def running() -> Iterator[IdentityProvider]:
    with provider_for(CALLBACK) as provider:
        yield provider


@pytest.fixture
def provider(running: IdentityProvider) -> Iterator[IdentityProvider]:
    yield running
    running.spoil, running.sign = lambda claims: claims, None
    running.instead.clear()


@pytest.fixture
def configured(web_settings: Settings, provider: IdentityProvider) -> Settings:
    asked = {
        "web_login": "oidc",
        "web_oidc_issuer": provider.issuer,
        "web_oidc_client_id": "steward",
        "web_oidc_client_secret": SecretStr(SECRET),
        "web_oidc_ops_group": "steward-ops",
        "web_oidc_manager_group": "steward-managers",
    }
    return web_settings.model_copy(update=asked)


@pytest.fixture
def browser(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    with TestClient(create_app(configured), follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        (DANA, "Dana Whitfield, rep"),
        (RACHEL, "Rachel Stein, manager"),
        (OPS, "Carla Ops, ops"),
        (CHIEF, "The Chief, manager"),
    ],
)
def test_roster_and_groups_say_who_is_let_in_as_what(browser: TestClient, email: str, shown: str) -> None:
    back = browser.get(log_in_there(go_to_provider(browser, "/book"), email))
    assert (back.status_code, back.headers["location"]) == (303, "/book")
    assert shown in browser.get("/").text
    assert "steward_login" not in browser.cookies


def test_a_manager_by_a_group_who_is_not_on_the_roster_has_no_book_of_their_own(browser: TestClient) -> None:
    browser.get(log_in_there(go_to_provider(browser, "/book"), CHIEF))
    answer = browser.get("/book")
    assert answer.status_code == 200
    assert "You have no book of your own" in answer.text


def test_who_is_neither_on_the_roster_nor_in_a_group_is_told_whom_to_ask(browser: TestClient) -> None:
    back = browser.get(log_in_there(go_to_provider(browser), STRANGER))
    assert back.status_code == 403
    assert STRANGER in back.text
    assert "Ask sales operations" in back.text
    assert browser.get("/").status_code == 303
    here = browser.app.state.surroundings  # type: ignore[attr-defined]
    here.journal.write()
    with here.store.transaction(readonly=True) as uow:
        noted = uow.access_log.recent(STRANGER, None, None, 10)
    assert [(each.role, each.route, each.outcome) for each in noted] == [("nobody", "login_callback", "refused")]


def test_the_provider_is_asked_with_pkce_a_nonce_and_the_exact_address_of_ours(browser: TestClient) -> None:
    asked = asked_of(go_to_provider(browser))
    assert asked["redirect_uri"] == CALLBACK
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43
    assert asked_of(go_to_provider(browser))["nonce"] != asked["nonce"]
    assert "Log in with your company" in browser.get("/login").text
    assert browser.post("/login/development", data={"who": "ops"}).status_code == 404


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def with_(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {**claims, **changed}


@pytest.mark.parametrize(
    "spoil",
    [
        with_(nonce="another"),
        without("nonce"),
        with_(aud="another-client"),
        with_(aud=["steward", "another-client"]),
        without("aud"),
        with_(iss="https://evil.example"),
        with_(exp=int(time.time()) - 120),
        without("exp"),
        with_(iat=int(time.time()) + 900),
        with_(nbf=int(time.time()) + 900),
        without("sub"),
        with_(email_verified=False),
        without("email"),
        with_(email=["x@northwind-data.example"]),
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_this_login_is_refused(
    browser: TestClient, provider: IdentityProvider, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    provider.spoil = spoil
    back = browser.get(log_in_there(go_to_provider(browser), OPS))
    assert back.status_code == 403
    assert browser.get("/").status_code == 303


def test_a_token_that_the_provider_did_not_sign_is_refused(browser: TestClient, provider: IdentityProvider) -> None:
    other, public = ECKey.generate_key("P-256"), provider.key.as_pem(private=False)
    ways: list[Callable[[dict[str, Any]], str]] = [
        lambda claims: jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"]),
        lambda claims: jwt.encode({"alg": "ES256", "kid": provider.key.kid}, claims, other),
        lambda claims: jwt.encode(
            {"alg": "HS256"}, claims, OctKey.import_key(public.replace(b"-----", b"")), ["HS256"]
        ),
        lambda claims: jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), ["HS256"]),
        lambda claims: provider.signed({**claims, "email": DANA}).rsplit(".", 1)[0] + "." + "A" * 86,
        lambda claims: "not.a.token",
    ]
    for sign in ways:
        provider.sign = sign
        assert browser.get(log_in_there(go_to_provider(browser), OPS)).status_code == 403
        assert browser.get("/").status_code == 303


def test_a_code_is_good_once_and_for_the_browser_that_began_alone(browser: TestClient) -> None:
    back = log_in_there(go_to_provider(browser), OPS)
    kept = browser.cookies["steward_login"]
    browser.cookies.clear()
    assert browser.get(back).status_code == 400  # somebody was sent a link with a foreign code
    go_to_provider(browser)
    assert browser.get(back).status_code == 400  # they had begun one of their own
    browser.cookies.clear()
    browser.cookies.set("steward_login", kept)
    assert browser.get(back).status_code == 303
    browser.cookies.clear()
    browser.cookies.set("steward_login", kept)
    assert browser.get(back).status_code == 403  # the code was used
    assert browser.get("/").status_code == 303


def test_a_code_of_another_login_is_refused_for_its_proof_key_though_the_state_fits(browser: TestClient) -> None:
    stolen = asked_of(log_in_there(go_to_provider(browser), OPS))["code"]
    state = asked_of(go_to_provider(browser))["state"]
    assert browser.get(f"/login/callback?code={stolen}&state={state}").status_code == 403


def test_a_forged_or_old_start_is_none(browser: TestClient, configured: Settings) -> None:
    back = log_in_there(go_to_provider(browser), OPS)
    kept = browser.cookies["steward_login"]
    for forged in (kept[:-3] + "AAA", kept.rsplit(".", 1)[0] + ".", "x", ""):
        browser.cookies.clear()
        browser.cookies.set("steward_login", forged)
        assert browser.get(back).status_code == 400
    here = browser.app.state.surroundings  # type: ignore[attr-defined]
    browser.cookies.clear()
    browser.cookies.set("steward_login", kept)
    now = here.clock()
    here.clock = lambda: now.replace(year=now.year + 1)
    assert "longer than ten minutes" in browser.get(back).text


def test_what_the_provider_refuses_is_said_and_a_foreign_address_is_never_gone_on_to(browser: TestClient) -> None:
    state = asked_of(go_to_provider(browser, "//evil.example"))["state"]
    assert "said no" in browser.get(f"/login/callback?error=access_denied&state={state}").text
    back = browser.get(log_in_there(go_to_provider(browser, "https://evil.example"), DANA))
    assert back.headers["location"] == "/"


def test_the_provider_answers_at_no_address_but_ours(browser: TestClient) -> None:
    address = go_to_provider(browser)
    for foreign in ("https://evil.example/login/callback", CALLBACK + "/x", CALLBACK + "?x=1"):
        asked = {**asked_of(address), "redirect_uri": foreign}
        assert httpx.get(address.partition("?")[0], params=asked, trust_env=False).status_code == 400


def test_a_provider_that_is_away_is_said_and_lets_nobody_in(
    configured: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    away = configured.model_copy(update={"web_oidc_issuer": "http://127.0.0.1:9"})
    with TestClient(create_app(away), follow_redirects=False) as client:
        answer = client.get("/login/start")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


@pytest.mark.parametrize(
    ("path", "said"),
    [("/token", "<h1>Back soon</h1>"), ("/token", "[]"), ("/keys", "<h1>Back soon</h1>"), ("/keys", "{}"),
     ("/keys", '{"keys": null}'), ("/keys", '{"keys": [{"kty": "EC"}]}')],
)  # fmt: skip
def test_a_provider_that_says_something_else_is_away_too(
    browser: TestClient, provider: IdentityProvider, path: str, said: str
) -> None:
    back = log_in_there(go_to_provider(browser), DANA)
    provider.instead[path] = said
    answer = browser.get(back)
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    provider.instead.clear()
    assert browser.get(log_in_there(go_to_provider(browser), DANA)).status_code == 303


def test_settings_that_are_not_whole_or_not_safe_say_what_to_mend(
    configured: Settings, provider: IdentityProvider
) -> None:
    for changed, mend in (
        ({"web_oidc_client_id": ""}, "Set STEWARD_WEB_OIDC_CLIENT_ID"),
        ({"web_oidc_issuer": "http://login.example"}, "Mend STEWARD_WEB_OIDC_ISSUER"),
    ):
        with pytest.raises(ConnectorStopped, match=mend):
            build_identity_provider(configured.model_copy(update=changed))
    found = build_identity_provider(configured.model_copy(update={"web_oidc_issuer": provider.issuer + "/"}))
    assert found is not None
    with pytest.raises(ConnectorStopped, match="exactly as the provider's metadata has it"):
        found.check()
    found = build_identity_provider(configured.model_copy(update={"web_oidc_issuer": provider.issuer + "/nowhere"}))
    assert found is not None
    with pytest.raises(RetryLater):
        found.check()
    assert [is_safe(url) for url in ("https://x.example/a", "http://localhost/a", "http://x.example", "file:///x")] == [
        *(True, True, False, False)
    ]
