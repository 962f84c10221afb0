"""What is noted of a request: who asked, for what by its route's name, about which object, and whether it was refused.

Never what was searched for, nor what a form said.
"""

from __future__ import annotations

from starlette.requests import Request

from store.access_log import ALLOWED, REFUSED, Access
from web.access.viewer import Viewer
from web.surroundings import Surroundings, surroundings_of

REFUSALS = (401, 403, 429)
NOBODY = "nobody"
LONGEST = 200  # characters of an id: anybody can make an address of any length


def note(
    request: Request,
    viewer: Viewer | None,
    allowed: bool,
    route: str = "",
    *,
    who: str = "",
    token_id: str | None = None,
) -> None:
    """Note a request that has been through the router. `route` is the name of what it asked for, `who` the address of
    somebody who is known and not let in."""
    here = surroundings_of(request)
    here.journal.note(
        Access(
            at=here.clock(),
            who=viewer.actor if viewer else who,
            role=viewer.role.value if viewer else NOBODY,
            route=route or request.scope["route"].name,
            object_id=_object_id(request, here),
            outcome=ALLOWED if allowed else REFUSED,
            token_id=token_id,
        )
    )


def _object_id(request: Request, here: Surroundings) -> str | None:
    """What the address names: ids of the path, or whose book was opened."""
    if request.path_params:
        return "/".join(str(value) for value in request.path_params.values())[:LONGEST]
    rep_id = request.query_params.get("rep")
    return rep_id if rep_id in here.policy.roster.reps else None
