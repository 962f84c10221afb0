"""The company's identity provider (OpenID Connect): where somebody is sent to log in, and who came back.

Authorization code with PKCE. Who somebody is says the ID token alone, whose signature, issuer, audience, times and
nonce are checked; its signature must be of the algorithms below, which need a key only the provider has.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Auth
from authlib.integrations.requests_client.oauth2_session import OAuth2ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connectors.errors import ConnectorError, ConnectorStopped, RetryLater
from connectors.http import Egress, EgressSession

NAME = "identity"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_S = 60
TIMEOUT_S = 10.0
WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotProved(ConnectorError):
    """Who came back did not prove who they are."""


@dataclass(frozen=True, slots=True)
class Started:
    """A login that was begun. Only the browser that began it knows these; each holds for one login."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider says."""

    email: str
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """What the provider knows us by. `redirect_uri` must be registered there exactly so."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    scope: str
    groups_claim: str


class _Client(OAuth2Client):  # type: ignore[misc] # it has no types
    client_auth_class = OAuth2ClientAuth
    token_auth_class = OAuth2Auth
    oauth_error_class = OAuthError
    SESSION_REQUEST_PARAMS = ("allow_redirects",)


class IdentityProvider:
    """One provider. Its addresses are asked for at the first login, its keys again when they do not fit a token."""

    def __init__(self, registration: Registration, egress: Egress | None = None) -> None:
        self._ours = registration
        self._session = EgressSession(egress or Egress(), TIMEOUT_S)
        self._known: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asking = Lock()

    def check(self) -> None:
        """Raises `ConnectorError` unless the provider answers as one."""
        self._endpoint("authorization_endpoint")

    def begin(self) -> Started:
        return Started(*(secrets.token_urlsafe(32) for _ in range(3)))

    def login_url(self, started: Started) -> str:
        """Where the browser is sent."""
        url, _ = self._client().create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=started.state,
            nonce=started.nonce,
            code_verifier=started.verifier,
        )
        return str(url)

    def identify(self, started: Started, code: str, now: datetime) -> Identity:
        """Who came back with this code. Raises `NotProved`, or `RetryLater` when the provider cannot be asked."""
        try:
            token = self._client().fetch_token(
                self._endpoint("token_endpoint"),
                code=code,
                code_verifier=started.verifier,
                grant_type="authorization_code",
                allow_redirects=False,
            )
        except OAuthError as error:
            raise NotProved(NAME, "the provider refuses the code", code=str(error.error)[:100]) from None
        except (requests.RequestException, ValueError) as error:  # the second for what is no JSON object
            raise _away(error) from None
        claims = self._claims(token, started.nonce, int(now.timestamp()))
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            mend = "Let the provider put the claim email into ID tokens, for the scope email"
            raise NotProved(NAME, "the provider does not say which e-mail address they have", mend=mend)
        if claims.get("email_verified", True) not in (True, "true"):
            raise NotProved(NAME, "the provider has not verified that their e-mail address is theirs")
        return Identity(email, str(claims.get("name") or email), self._groups(claims))

    def _claims(self, token: Mapping[str, Any], nonce: str, now_s: int) -> Mapping[str, Any]:
        given = token.get("id_token")
        if not isinstance(given, str):
            raise NotProved(NAME, "the provider sent no ID token")
        try:
            try:
                signed = jwt.decode(given, self._key_set(), algorithms=ALGORITHMS)
            except (JoseError, ValueError):  # it may have new keys
                signed = jwt.decode(given, self._key_set(anew=True), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                signed.claims,
                signed.header,
                {
                    "iss": {"essential": True, "value": self._ours.issuer},
                    "aud": {"essential": True, "value": self._ours.client_id},
                },
                {"nonce": nonce, "client_id": self._ours.client_id, "access_token": token.get("access_token")},
            )
            claims.validate(now=now_s, leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise NotProved(NAME, f"the ID token is not accepted: {error}") from None
        return dict(claims)

    def _groups(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        given = claims.get(self._ours.groups_claim)
        found = [given] if isinstance(given, str) else given
        return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()

    def _client(self) -> OAuth2Client:
        ours = self._ours
        return _Client(
            self._session,
            client_id=ours.client_id,
            client_secret=ours.client_secret,
            scope=ours.scope,
            redirect_uri=ours.redirect_uri,
            code_challenge_method="S256",
        )

    def _endpoint(self, name: str) -> str:
        with self._asking:
            if self._known is None:
                self._known = self._discovered()
            return str(self._known[name])

    def _discovered(self) -> Mapping[str, Any]:
        issuer = self._ours.issuer
        found = self._get(issuer.rstrip("/") + WELL_KNOWN)
        if found.get("issuer") != issuer:
            mend = "Write STEWARD_WEB_OIDC_ISSUER exactly as the provider's metadata has it"
            raise ConnectorStopped(NAME, f"it calls itself {found.get('issuer')!r}", mend=mend)
        for name in ENDPOINTS:
            if not is_safe(str(found.get(name, ""))):
                raise ConnectorStopped(NAME, f"its {name} is no https address")
        return found

    def _key_set(self, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            found: Any = self._get(self._endpoint("jwks_uri"))
            try:
                self._keys = KeySet.import_key_set(found)
            except (JoseError, ValueError, TypeError, LookupError) as error:
                raise _away(error) from None
        return self._keys

    def _get(self, url: str) -> dict[str, Any]:
        try:
            answer = self._session.get(url, allow_redirects=False)
            found = answer.json() if answer.ok else None
        except requests.RequestException as error:
            raise _away(error) from None
        if not isinstance(found, dict):
            raise RetryLater(NAME, f"{url} answers {answer.status_code} and no JSON object")
        return found


def is_safe(url: str) -> bool:
    """Whether an address is https, or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    return is_here or (parts.scheme == "https" and bool(parts.hostname))


def _away(error: Exception) -> RetryLater:
    return RetryLater(NAME, f"the provider does not answer ({type(error).__name__})")
