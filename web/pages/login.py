"""Logging in and out. In production people come from the identity provider; on a laptop they say who they are."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ownership.model import QUEUE
from web.access.forms import form_of, is_from_elsewhere
from web.access.guard import act
from web.access.logins import log_in, log_out
from web.access.rules import role_of
from web.access.viewer import Role, Viewer
from web.pages.company_login import START, local_path
from web.rendering import page, refusal
from web.surroundings import surroundings_of

OPS_EMAIL, OPS_NAME = "ops@steward.example", "Sales operations"


def login_page(request: Request) -> Response:
    """GET /login."""
    here = surroundings_of(request)
    roster = here.policy.roster
    people = roster.present_on(here.reading().today()) if here.settings.web_login == "development" else ()
    reps = [rep for rep in roster.reps.values() if rep.id in people and rep.kind != QUEUE]
    managers = {rep.id for rep in reps if roster.is_manager(rep.id)}
    return page(
        request,
        None,
        "login.html",
        reps=[rep for rep in reps if rep.id not in managers],
        managers=[rep for rep in reps if rep.id in managers],
        start=START if here.identity_provider else "",
        next=local_path(request.query_params.get("next", "/")),
    )


async def development_login(request: Request) -> Response:
    """POST /login/development: say who you are. Only where the settings allow it."""
    here = surroundings_of(request)
    if here.settings.web_login != "development":
        return refusal(request, None, 404, "There is no such page", "Log in with your company's login instead.")
    if is_from_elsewhere(request):
        return refusal(request, None, 403, "You are not logged in", "The form was on another site's page.")
    form = await form_of(request)
    who = str(form.get("who", ""))
    roster = here.policy.roster
    rep = roster.reps.get(who)
    role = role_of(roster, here.reading().today(), rep.email) if rep else None
    response = RedirectResponse(local_path(str(form.get("next", "/"))), status_code=303)
    if who == "ops":
        await run_in_threadpool(log_in, request, response, OPS_EMAIL, OPS_NAME, Role.OPS)
    elif rep is not None and role is not None:
        await run_in_threadpool(log_in, request, response, rep.email, rep.name, role)
    else:
        return refusal(request, None, 400, "Nobody is called that", "Choose somebody from the list.")
    return response


def logout(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /logout."""
    response = RedirectResponse("/login", status_code=303)
    log_out(request, response)
    return response


routes = [
    Route("/login", login_page, methods=["GET"]),
    Route("/login/development", development_login, methods=["POST"]),
    act("/logout", logout, Role.REP),
]
