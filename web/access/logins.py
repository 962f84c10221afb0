"""Logins: a random token in a cookie, and what it stands for in the database."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from config.settings import Settings
from store.sessions import Session
from web.access import cookies
from web.access.rules import role_of
from web.access.viewer import Role, Viewer
from web.surroundings import surroundings_of

COOKIE = "steward_session"


def log_in(request: Request, response: Response, email: str, name: str, role: Role) -> None:
    """Start a login for somebody who has proved who they are, and give their browser its token. One that was under way
    in it ends: what somebody put there before is worth nothing afterwards."""
    here = surroundings_of(request)
    _end(request)
    token, now = secrets.token_urlsafe(32), here.clock()
    ends_at = now + timedelta(hours=here.settings.web_session_hours)
    session = Session(_hash(token), email, name, role.value, secrets.token_urlsafe(32), now, ends_at)
    here.store.run(lambda uow: uow.sessions.start(session))
    cookies.keep(request, response, COOKIE, token)


def log_out(request: Request, response: Response) -> None:
    """End the login of this browser."""
    _end(request)
    cookies.forget(request, response, COOKIE)


def viewer_of(request: Request) -> Viewer | None:
    """Who is logged in in this browser, if anybody, with the role they have by the roster of now. Whoever leaves the
    company is so no more from that day on."""
    token = cookies.kept(request, COOKIE)
    if not token:
        return None
    here = surroundings_of(request)
    with here.store.transaction(readonly=True) as uow:
        session = uow.sessions.find(_hash(token), here.clock())
    if session is None:
        return None
    roster, given = here.policy.roster, {Role(session.role)} - _only_of_the_roster(here.settings)
    role = role_of(roster, here.reading().today(), session.email, given)
    if role is None:
        return None
    return Viewer(session.email, session.name, role, roster.with_address(session.email), session.form_token)


def _only_of_the_roster(settings: Settings) -> set[Role]:
    """The roles that no group of the identity provider gives."""
    return {Role.REP} if settings.web_oidc_manager_group else {Role.REP, Role.MANAGER}


def _end(request: Request) -> None:
    if token := cookies.kept(request, COOKIE):
        surroundings_of(request).store.run(lambda uow: uow.sessions.end(_hash(token)))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
