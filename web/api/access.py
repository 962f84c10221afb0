"""Who calls the API: the token of a request, what its role allows, and how many requests it may make."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ownership.policy import Roster
from tasks.tokens import TokenRefused, token_in_force
from web.access.noting import REFUSALS, note
from web.access.rules import sees_details
from web.access.viewer import Role, Viewer
from web.surroundings import surroundings_of

_BEARER = HTTPBearer(auto_error=False, description="A token made by `steward token create`.")
_WHO = {"WWW-Authenticate": "Bearer"}


class Allowance:
    """How many requests each token may still make: as many as a minute's at once, and then as they come back."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, datetime]] = {}
        self._counting = Lock()

    def take(self, token_id: str, now: datetime) -> int:
        """Take one; 0 when there was one, else in how many seconds there will be."""
        with self._counting:
            left, since = self._left.get(token_id, (float(self._per_minute), now))
            passed = max((now - since).total_seconds(), 0.0)
            left = min(left + passed * self._per_minute / 60, float(self._per_minute))
            taken = left >= 1
            self._left[token_id] = (left - taken, now)
        return 0 if taken else math.ceil((1 - left) * 60 / self._per_minute)


def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Viewer:
    """Whose token the request brings. Every route asks for it, so nothing is open by mistake."""
    here = surroundings_of(request)
    context = here.reading()
    if given is None:
        raise HTTPException(401, "Send a token as `Authorization: Bearer <token>`; ops make them.", _WHO)
    roster, now = context.policy.roster, context.now()
    try:
        token = token_in_force(context.store, given.credentials, roster, context.today(), now)
    except TokenRefused as problem:
        raise HTTPException(401, f"Not accepted: {problem}.", _WHO) from None
    rep = roster.reps.get(token.rep_id or "")
    email = rep.email if rep else f"token {token.name}"
    viewer = Viewer(email, token.name, Role(token.role), token.rep_id)
    request.state.viewer, request.state.token_id = viewer, token.token_id
    allowance: Allowance = request.app.state.allowance
    if wait_s := allowance.take(token.token_id, now):
        raise HTTPException(429, f"Too many requests; try again in {wait_s} s.", {"Retry-After": str(wait_s)})
    return viewer


class Noted:
    """Notes each request of a route of the API, as those of pages are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if isinstance(route := scope.get("route"), APIRoute):
                request = Request(scope)
                viewer = getattr(request.state, "viewer", None)
                allowed = viewer is not None and status not in REFUSALS
                token_id = getattr(request.state, "token_id", None)
                note(request, viewer, allowed, f"api.{route.name}", token_id=token_id)


def allow(needed: Role) -> Callable[[Viewer], Viewer]:
    """Only for tokens with this role."""

    def allowed(viewer: Annotated[Viewer, Depends(caller)]) -> Viewer:
        if not viewer.role.may(needed):
            raise HTTPException(403, f"This is for the role {needed.value}; the token's is {viewer.role.value}.")
        return viewer

    return allowed


AsRep = Annotated[Viewer, Depends(allow(Role.REP))]
AsManager = Annotated[Viewer, Depends(allow(Role.MANAGER))]


def check_looks_into(viewer: Viewer, roster: Roster, rep_id: str) -> None:
    """Refuse to show them what is somebody else's."""
    if not sees_details(viewer, roster, rep_id):
        raise HTTPException(403, "That is somebody else's; only they, their managers and ops see it.")
