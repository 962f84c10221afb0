"""Logins: a random token in a cookie, and what it stands for in the database."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from store.sessions import Session
from web.access.viewer import Role, Viewer
from web.surroundings import surroundings_of

COOKIE = "steward_session"


def log_in(request: Request, response: Response, email: str, name: str, role: Role) -> None:
    """Start a login for somebody who has proved who they are, and give their browser its token."""
    here = surroundings_of(request)
    token, now = secrets.token_urlsafe(32), here.clock()
    ends_at = now + timedelta(hours=here.settings.web_session_hours)
    session = Session(_hash(token), email, name, role.value, secrets.token_urlsafe(32), now, ends_at)
    here.store.run(lambda uow: uow.sessions.start(session))
    is_secure = here.settings.public_url.startswith("https://")
    response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=is_secure, path="/")


def log_out(request: Request, response: Response) -> None:
    """End the login of this browser."""
    if token := request.cookies.get(COOKIE):
        surroundings_of(request).store.run(lambda uow: uow.sessions.end(_hash(token)))
    response.delete_cookie(COOKIE, path="/")


def viewer_of(request: Request) -> Viewer | None:
    """Who is logged in in this browser, if anybody."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    here = surroundings_of(request)
    with here.store.transaction(readonly=True) as uow:
        session = uow.sessions.find(_hash(token), here.clock())
    if session is None:
        return None
    rep_id = here.policy.roster.with_address(session.email)
    return Viewer(session.email, session.name, Role(session.role), rep_id, session.form_token)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
