"""A login that is under way at the identity provider: what the browser keeps of it, signed, for ten minutes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import Request
from starlette.responses import Response

from connectors.identity_provider import Started
from web.access import cookies
from web.surroundings import Surroundings, surroundings_of

COOKIE = "steward_login"
LASTS = timedelta(minutes=10)
ALGORITHM = "HS256"


def keep(request: Request, response: Response, started: Started, on_to: str) -> None:
    """Give the browser what it must bring back."""
    here = surroundings_of(request)
    claims = {**asdict(started), "on_to": on_to, "exp": int((here.clock() + LASTS).timestamp())}
    token = jwt.encode({"alg": ALGORITHM}, claims, _key(here))
    cookies.keep(request, response, COOKIE, token, int(LASTS.total_seconds()))


def kept(request: Request) -> tuple[Started, str] | None:
    """What this browser began, and where it was to go on to; None when that is nothing, or too long ago."""
    here = surroundings_of(request)
    try:
        claims = jwt.decode(cookies.kept(request, COOKIE), _key(here), algorithms=[ALGORITHM]).claims
        jwt.JWTClaimsRegistry(now=int(here.clock().timestamp()), exp={"essential": True}).validate(claims)
    except (JoseError, ValueError):
        return None
    return Started(claims["state"], claims["nonce"], claims["verifier"]), claims["on_to"]


def forget(request: Request, response: Response) -> None:
    """It is good for one answer of the provider."""
    cookies.forget(request, response, COOKIE)


def _key(here: Surroundings) -> OctKey:
    """A key of its own purpose, which nobody has who has not the client secret."""
    secret = here.settings.web_oidc_client_secret.get_secret_value()
    return OctKey.import_key(sha256(b"steward's logins under way:" + secret.encode()).digest())
