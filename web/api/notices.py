"""What people are told, and what did not get through."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from tasks.notices_shown import notices_shown
from web.access.rules import looks_into
from web.api import models, showing
from web.api.access import AsManager
from web.api.models import Id
from web.surroundings import surroundings_of

router = APIRouter(tags=["Operations"])
State = Literal["waiting", "sent", "failed"]
Channel = Literal["slack", "email"]


@router.get("/notices")
def notices(
    request: Request,
    viewer: AsManager,
    state: Annotated[State | None, Query(description="Only in this state")] = None,
    channel: Annotated[Channel | None, Query(description="Only over this channel")] = None,
    before: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.NoticePage:
    """What people are told and whether it got through, the newest first. A manager sees that of their people."""
    here = surroundings_of(request)
    roster = here.policy.roster
    reps = looks_into(viewer, roster)
    found = notices_shown(here.reading(), reps, state=state, channel=channel, before=before, limit=limit)
    shown = [showing.notice(each, roster) for each in found.notices]
    return models.NoticePage(notices=shown, waiting=found.waiting, failed=found.failed, next=found.more)
