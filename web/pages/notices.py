"""What was told to whom, over which channel, and what did not get through."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from tasks.notices_shown import FAILED, SENT, WAITING, NoSuchNotice, notices_shown, send_again, send_all_again
from web.access.guard import act, read
from web.access.rules import looks_into
from web.access.viewer import Role, Viewer
from web.rendering import back, page, refusal
from web.surroundings import surroundings_of

STATES, CHANNELS = (FAILED, WAITING, SENT), ("slack", "email")
_ID = re.compile(r"[0-9a-f-]{36}")


def notices(request: Request, viewer: Viewer) -> Response:
    """GET /notices: to anybody for ops, to themselves and those below them for a manager."""
    here, asked = surroundings_of(request), request.query_params
    state = asked.get("state") if asked.get("state") in STATES else None
    channel = asked.get("channel") if asked.get("channel") in CHANNELS else None
    before = asked.get("before") if _ID.fullmatch(asked.get("before", "")) else None
    reps = looks_into(viewer, here.policy.roster)
    found = notices_shown(here.reading(), reps, state=state, channel=channel, before=before)
    chosen = {"state": state, "channel": channel}
    kept = {name: value for name, value in chosen.items() if value}
    more = f"/notices?{urlencode({**kept, 'before': found.more})}" if found.more else None
    values: dict[str, Any] = {"states": STATES, "channels": CHANNELS, "found": found, "chosen": chosen, "more": more}
    return page(request, viewer, "notices.html", **values)


def notice_again(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /notices/{notice_id}/again."""
    here = surroundings_of(request)
    reps = looks_into(viewer, here.policy.roster)
    try:
        with here.acting(viewer.actor, "send-notice-again") as context:
            said = send_again(context, request.path_params["notice_id"], reps)
    except NoSuchNotice:
        said = "It is not among the notices you see. Go back to Notices and choose one there."
        return refusal(request, viewer, 404, "There is no such notice", said)
    return back("/notices", said)


def notices_again(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /notices/again: all that failed."""
    with surroundings_of(request).acting(viewer.actor, "send-notices-again") as context:
        said = send_all_again(context)
    return back("/notices", said)


routes = [
    read("/notices", notices, Role.MANAGER),
    act("/notices/again", notices_again, Role.OPS),
    act("/notices/{notice_id}/again", notice_again, Role.MANAGER),
]
