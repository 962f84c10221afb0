"""The emulated provider: discovery, a page to choose who one is, codes that are good once, and signed ID tokens."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CODE_S, TOKEN_S = 60, 300


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may ask who somebody is; it is answered at exactly these addresses."""

    client_id: str
    secret: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Grant:
    asked: dict[str, str]
    person: Person
    until: float


@dataclass
class IdentityProvider:
    """One provider. `spoil` changes the claims of the next tokens, and `sign` how they are signed: what a broken or a
    hostile one would send. `instead` holds what is said at a path in place of tokens or keys, as what stands before a
    provider does while that is mended."""

    issuer: str
    client: Client
    people: tuple[Person, ...]
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    instead: dict[str, str] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    _grants: dict[str, _Grant] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/authorize", self._ask),
                Route("/authorize", self._answer, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def _metadata(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    def _keys(self, request: Request) -> Response:
        if said := self.instead.get(request.url.path):
            return HTMLResponse(said)
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    def _ask(self, request: Request) -> Response:
        """Who are you? Nothing is sent to an address that is not registered, not even an error."""
        if problem := self._wrong(dict(request.query_params)):
            return HTMLResponse(f"<h1>Not a login</h1><p>{escape(problem)}</p>", 400)
        buttons = "".join(
            f'<p><button name="email" value="{escape(person.email)}">{escape(person.name)}</button></p>'
            for person in self.people
        )
        action = escape(f"/authorize?{request.url.query}")
        return HTMLResponse(
            f'<title>Log in</title><h1>Who are you?</h1><form method="post" action="{action}">{buttons}'
        )

    async def _answer(self, request: Request) -> Response:
        asked, form = dict(request.query_params), await request.form()
        person = next((each for each in self.people if each.email == form.get("email")), None)
        if self._wrong(asked) or person is None:
            return HTMLResponse("<h1>Not a login</h1>", 400)
        code = secrets.token_urlsafe(24)
        self._grants[code] = _Grant(asked, person, time.time() + CODE_S)
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=303)

    def _wrong(self, asked: dict[str, str]) -> str:
        wanted = {"client_id": self.client.client_id, "response_type": "code", "code_challenge_method": "S256"}
        for name, value in wanted.items():
            if asked.get(name) != value:
                return f"{name} must be {value}"
        if asked.get("redirect_uri") not in self.client.redirect_uris:
            return "this redirect_uri is not registered"
        if "openid" not in asked.get("scope", "").split() or len(asked.get("code_challenge", "")) != 43:
            return "scope must have openid, and code_challenge be a SHA-256"
        return ""

    async def _token(self, request: Request) -> Response:
        if said := self.instead.get(request.url.path):
            return HTMLResponse(said)
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if not self._is_client(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, 401)
        grant = self._grants.pop(form.get("code", ""), None)  # good once, whatever comes of it
        if form.get("grant_type") != "authorization_code" or grant is None or grant.until < time.time():
            return JSONResponse({"error": "invalid_grant"}, 400)
        proof = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if proof != grant.asked["code_challenge"] or form.get("redirect_uri") != grant.asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = (self.sign or self.signed)(self.spoil(self._claims(grant)))
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": token}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def _claims(self, grant: _Grant) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": sha256(grant.person.email.encode()).hexdigest()[:20],
            "aud": self.client.client_id,
            "iat": now,
            "exp": now + TOKEN_S,
            "nonce": grant.asked.get("nonce"),
            "email": grant.person.email,
            "email_verified": True,
            "name": grant.person.name,
            "groups": list(grant.person.groups),
        }

    def _is_client(self, authorization: str) -> bool:
        try:
            given = base64.b64decode(authorization.removeprefix("Basic "), validate=True).decode()
        except ValueError:
            return False
        client_id, _, secret = given.partition(":")
        expected = f"{self.client.client_id}:{self.client.secret}"
        return hmac.compare_digest(f"{unquote(client_id)}:{unquote(secret)}".encode(), expected.encode())
