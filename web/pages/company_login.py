"""Logging in through the company's identity provider: off to it by a link, and back from it with a proof."""

from __future__ import annotations

import hmac
import logging

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from config.settings import Settings
from connectors.errors import ConnectorError
from connectors.identity_provider import Identity, NotProved
from web.access import started_logins
from web.access.logins import log_in
from web.access.noting import note
from web.access.rules import role_of
from web.access.viewer import Role, Viewer
from web.rendering import refusal
from web.surroundings import surroundings_of

START, CALLBACK = "/login/start", "/login/callback"
LONGEST_PATH = 1000  # bytes
AGAIN = "Nothing was changed. Begin again from the login page."
log = logging.getLogger("steward.web")


def login_start(request: Request) -> Response:
    """GET /login/start?next=: off to the identity provider. A link and no form, as our pages send no form elsewhere."""
    provider = surroundings_of(request).identity_provider
    if provider is None:
        return _not_set_up(request)
    try:
        started = provider.begin()
        response = RedirectResponse(provider.login_url(started), status_code=303)
    except ConnectorError as problem:
        return _away(request, problem)
    started_logins.keep(request, response, started, local_path(request.query_params.get("next", "/")))
    return response


def login_callback(request: Request) -> Response:
    """GET /login/callback: back from it. Whoever has no role here is told whom to ask."""
    here = surroundings_of(request)
    provider, under_way = here.identity_provider, started_logins.kept(request)
    if provider is None:
        return _not_set_up(request)
    if under_way is None:
        said = "The login took longer than ten minutes, or was begun in another browser."
        return _refused(request, 400, "You are not logged in", f"{said} {AGAIN}")
    started, on_to = under_way
    asked = request.query_params
    if not hmac.compare_digest(asked.get("state", "").encode(), started.state.encode()):
        return _refused(request, 400, "You are not logged in", f"This is not the login you began. {AGAIN}")
    if "code" not in asked:
        return _refused(request, 403, "You are not logged in", f"Your company's login said no. {AGAIN}")
    try:
        who = provider.identify(started, asked["code"], here.clock())
    except NotProved as problem:
        log.warning("a login was refused: %s", problem)
        return _refused(
            request, 403, "You are not logged in", f"Your company's login did not prove who you are. {AGAIN}"
        )
    except ConnectorError as problem:
        return _away(request, problem)
    return _let_in(request, who, on_to)


def _let_in(request: Request, who: Identity, on_to: str) -> Response:
    here = surroundings_of(request)
    roster = here.policy.roster
    role = role_of(roster, here.reading().today(), who.email, given_roles(here.settings, who.groups))
    if role is None:
        said = (
            f"You are logged in at your company as {who.email}. That address is not on Steward's roster, and none of "
            "its groups may use Steward. Ask sales operations to put you on the roster."
        )
        return _refused(request, 403, "Steward does not know you", said, who.email)
    response = RedirectResponse(on_to, status_code=303)
    log_in(request, response, who.email, who.name, role)
    started_logins.forget(request, response)
    note(request, Viewer(who.email, who.name, role, roster.with_address(who.email)), True)
    return response


def given_roles(settings: Settings, groups: tuple[str, ...]) -> list[Role]:
    """The roles that somebody's groups give them."""
    by_group = ((settings.web_oidc_ops_group, Role.OPS), (settings.web_oidc_manager_group, Role.MANAGER))
    return [role for group, role in by_group if group and group in groups]


def local_path(to: str) -> str:
    """A path of ours to go on to, never another site's address, and short enough for a cookie."""
    return to if to.startswith("/") and len(to.encode()) <= LONGEST_PATH and not to.startswith(("//", "/\\")) else "/"


def _refused(request: Request, status: int, title: str, said: str, email: str = "") -> Response:
    note(request, None, False, who=email)
    response = refusal(request, None, status, title, said)
    started_logins.forget(request, response)
    return response


def _away(request: Request, problem: ConnectorError) -> Response:
    log.error("nobody can log in: %s", problem)
    said = "Your company's login does not answer. Try again in a minute; if it stays so, tell sales operations."
    return refusal(request, None, 503, "You are not logged in", said)


def _not_set_up(request: Request) -> Response:
    return refusal(request, None, 404, "There is no such page", "Log in from the login page instead.")


routes = [Route(START, login_start, methods=["GET"]), Route(CALLBACK, login_callback, methods=["GET"])]
