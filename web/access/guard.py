"""Routes, each with who may use it. There is no other way to add one, so nothing is open by mistake.

Handlers are plain functions, run in a thread each: they read and write the store, which waits.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from store.types import readable
from web.access.forms import form_of, is_from_elsewhere
from web.access.logins import viewer_of
from web.access.noting import REFUSALS, note
from web.access.viewer import Role, Viewer
from web.rendering import refusal

Read = Callable[[Request, Viewer], Response]
Act = Callable[[Request, Viewer, FormData], Response]


def read(path: str, handler: Read, allow: Role) -> Route:
    """GET `path` for viewers with this role. It must change nothing: mail scanners and previews open links."""

    async def answer(request: Request, viewer: Viewer | None) -> Response:
        if viewer is None:
            return RedirectResponse(f"/login?next={quote(_here(request), safe='')}", status_code=303)
        if not viewer.role.may(allow):
            return refusal(request, viewer, 403, "This page is not for you", f"It is for the role {allow.value}.")
        return await run_in_threadpool(handler, request, viewer)

    return Route(path, _noted(answer), methods=["GET"], name=handler.__name__)


def act(path: str, handler: Act, allow: Role) -> Route:
    """POST `path` for viewers with this role, from a form of ours."""

    async def answer(request: Request, viewer: Viewer | None) -> Response:
        if viewer is None:
            return refusal(request, None, 401, "You are not logged in", "Nothing was changed. Log in and try again.")
        if not viewer.role.may(allow):
            return refusal(request, viewer, 403, "You may not do this", f"It is for the role {allow.value}.")
        form = await form_of(request)
        if is_from_elsewhere(request):
            return refusal(request, viewer, 403, "Nothing was changed", "The form was on another site's page.")
        if not hmac.compare_digest(str(form.get("form_token", "")).encode(), viewer.form_token.encode()):
            said = "The form was not one of ours, or you have logged in anew since. Load the page again."
            return refusal(request, viewer, 403, "Nothing was changed", said)
        return await run_in_threadpool(handler, request, viewer, form)

    return Route(path, _noted(answer), methods=["POST"], name=handler.__name__)


def _noted(answer: Callable[[Request, Viewer | None], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Asks who is there, answers them, and notes the access."""

    async def guarded(request: Request) -> Response:
        _make_readable(request)
        viewer = await run_in_threadpool(viewer_of, request)
        allowed = viewer is not None
        try:
            response = await answer(request, viewer)
            allowed = allowed and response.status_code not in REFUSALS
        finally:  # what failed inside was asked for all the same
            note(request, viewer, allowed)
        return response

    return guarded


def _make_readable(request: Request) -> None:
    """What no database can hold is gone before it is looked for: it is the name of nothing, and no failure."""
    scope = request.scope
    scope["path_params"] = {name: readable(value) for name, value in scope["path_params"].items()}
    scope["query_string"] = scope["query_string"].replace(b"%00", b"%20")


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
