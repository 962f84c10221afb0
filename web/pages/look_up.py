"""Who owns this? Search by company, web domain, outside id or person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ownership.explain import why
from tasks.look_up import AT_ONCE, look_up
from web.access.guard import read
from web.access.viewer import Role, Viewer
from web.rendering import page
from web.surroundings import surroundings_of


def show_found(request: Request, viewer: Viewer) -> Response:
    """GET /: with `q`, what may be meant by it. live.js asks for it with every pause in typing."""
    found = look_up(surroundings_of(request).reading(), request.query_params.get("q", ""))
    return page(
        request,
        viewer,
        "look_up.html",
        found=found,
        at_once=AT_ONCE,
        why=why,
    )


routes = [read("/", show_found, Role.REP)]
