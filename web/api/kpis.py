"""The key figures of ownership, as the page Health shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request

from ownership.kpis.catalogue import KPIS
from tasks.kpis import Board, history
from web.access.viewer import Viewer
from web.api import models, showing
from web.api.access import AsManager
from web.api.models import Id
from web.api.problems import documented
from web.figures import NotForYou, board_for, kpi_called, may_name, scopes_for
from web.rendering import run_url
from web.surroundings import surroundings_of

router = APIRouter(tags=["Figures"])
Of = Annotated[
    Id | None, Query(description="`key` of a scope; by default a manager's reports", examples=["territory:emea"])
]
Over = Annotated[Literal["30", "90", "365"], Query(description="Over how many days what happened is counted")]


@router.get("/kpis", responses=documented(404))
def kpis(request: Request, viewer: AsManager, scope: Of = None, period: Over = "90") -> models.KpisOut:
    """Every key figure of the company, a manager's reports, a team or a territory, as last taken. A manager sees those
    of the company, of territories, and of their own people."""
    on = _board(request, viewer, scope, period)
    figures = [showing.figure(kpi, on.figures[kpi.id]) for kpi in KPIS if kpi.id in on.figures]
    scopes = [showing.scope(each) for each in scopes_for(surroundings_of(request), viewer).values()]
    return models.KpisOut(scope=showing.scope(on.scope), period=on.period, day=on.day, figures=figures, scopes=scopes)


@router.get("/kpis/{kpi_id}", responses=documented(404))
def kpi(
    request: Request,
    viewer: AsManager,
    kpi_id: Annotated[Id, Path(description="`id` of a figure", examples=["coverage"])],
    scope: Of = None,
    period: Over = "90",
) -> models.KpiOut:
    """One key figure night by night, each with the run that took it, and what it is made of."""
    here = surroundings_of(request)
    try:
        asked = kpi_called(kpi_id)
    except NotForYou as problem:
        raise HTTPException(problem.status, str(problem)) from None
    on = _board(request, viewer, scope, period)
    roster, taken = here.policy.roster, on.figures.get(asked.id)
    names = may_name(viewer, on.scope, roster)
    parts = [each for each in taken.figure.parts if names or each.owner_id is None] if taken else []
    return models.KpiOut(
        scope=showing.scope(on.scope),
        period=on.period,
        figure=showing.figure(asked, taken) if taken else None,
        parts=[
            models.PartOut(label=each.label, value=each.value, n=each.n, person=showing.maybe(roster, each.owner_id))
            for each in parts
        ],
        nights=[
            models.NightOut(
                day=each.day,
                value=each.value,
                run_id=each.run_id,
                prefect_url=run_url(here.settings.prefect_ui_url, each.flow_run_id),
            )
            for each in history(here.reading(), asked, on)
        ],
    )


def _board(request: Request, viewer: Viewer, scope: str | None, period: str) -> Board:
    try:
        return board_for(surroundings_of(request), viewer, scope, period)
    except NotForYou as problem:
        raise HTTPException(problem.status, str(problem)) from None
