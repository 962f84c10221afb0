"""Who owns this? Search by company, web domain, outside id or person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.access.guard import read
from web.access.viewer import Role, Viewer
from web.rendering import page


def look_up(request: Request, viewer: Viewer) -> Response:
    """GET /."""
    return page(request, viewer, "look_up.html", query=request.query_params.get("q", ""))


routes = [read("/", look_up, Role.REP)]
