"""What ops look after: exceptions, pushes, drift, runs and the policy."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request

from connectors.errors import ConnectorError
from ownership.placed_by_people import MayNot
from tasks.breaker import state_of
from tasks.identity_words import Refused
from tasks.pushes import standing
from tasks.resolving import resolve as take
from web.access.rules import looks_after, looks_into
from web.access.viewer import Viewer
from web.api import models, showing
from web.api.access import AsManager, AsRep
from web.api.models import Id
from web.api.once import IdempotencyKey, answered_once
from web.api.problems import documented
from web.surroundings import surroundings_of

router = APIRouter(tags=["Operations"])
Limit = Annotated[int, Query(ge=1, le=200)]
RESOLVED: dict[int | str, Any] = {200: {"model": models.ResolvedOut}, **documented(404, 409)}


@router.get("/exceptions")
def exceptions(
    request: Request,
    viewer: AsManager,
    kind: Annotated[Id | None, Query(description="Only of this kind", examples=["no_rule"])] = None,
    after: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> models.ExceptionPage:
    """What needs a person, the oldest first. A manager sees that of accounts their people own."""
    here = surroundings_of(request)
    owners = looks_after(viewer, here.policy.roster)
    with here.store.transaction(readonly=True) as uow:
        found = uow.listings.exceptions(kind, owners, after, limit + 1)
    shown = [showing.exception(each, here.policy.policy.exception_hours) for each in found[:limit]]
    return models.ExceptionPage(exceptions=shown, next=shown[-1].id if len(found) > limit else None)


@router.post("/exceptions/{exception_id}/resolve", responses=RESOLVED)
def resolve(
    request: Request,
    viewer: AsManager,
    exception_id: Annotated[Id, Path(description="The exception's `id`")],
    wanted: models.Resolve,
    key: IdempotencyKey = None,
) -> Any:
    """Take a way out of an exception, as on the page. What may not be done changes nothing (409)."""
    return answered_once(
        request, key, wanted.model_dump(mode="json"), lambda: _resolve(request, viewer, exception_id, wanted)
    )


def _resolve(request: Request, viewer: Viewer, exception_id: str, wanted: models.Resolve) -> models.ResolvedOut:
    here = surroundings_of(request)
    if _state(request, viewer, exception_id) is None:
        raise HTTPException(404, "There is no exception with this id; GET /exceptions lists those there are.")
    until = wanted.until.isoformat() if wanted.until else None
    try:
        with here.acting(viewer.actor, "resolve-by-api") as context:
            said = take(context, exception_id, wanted.way, viewer.person, wanted.reason, until)
    except (MayNot, Refused, ConnectorError) as refused:
        raise HTTPException(409, f"{str(refused).rstrip('.')}.") from None
    return models.ResolvedOut(said=said, state=_state(request, viewer, exception_id) or "closed")


def _state(request: Request, viewer: Viewer, exception_id: str) -> Literal["open", "closed"] | None:
    """Whether it is open; None when there is none, or none that this viewer sees."""
    here = surroundings_of(request)
    with here.store.transaction(readonly=True) as uow:
        shown = uow.exception_pages.get(exception_id)
    owners = looks_after(viewer, here.policy.roster)
    if shown is None or (owners is not None and shown.owner_id not in owners):
        return None
    return "open" if shown.item.state == "open" else "closed"


@router.get("/pushes")
def pushes(request: Request, viewer: AsManager) -> models.Pushes:
    """Whether each system is written to, and its owner changes by state."""
    context = surroundings_of(request).reading()
    counts: dict[str, dict[str, int]] = defaultdict(dict, {name: {} for name in context.connectors.targets})
    with context.store.transaction(readonly=True) as uow:
        for (target, state), count in uow.outbox.counts().items():
            counts[target][state] = count
    return models.Pushes(
        systems=[
            models.PushState(system=name, standing=standing(state_of(context, name)), records=by_state)
            for name, by_state in sorted(counts.items())
        ]
    )


@router.get("/drift")
def drift(
    request: Request,
    viewer: AsRep,
    system: Annotated[Id | None, Query(description="Only in this system", examples=["salesforce"])] = None,
    before: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> models.DriftPage:
    """Owners that others wrote over ours, the newest first. A rep sees their own, a manager their people's."""
    here = surroundings_of(request)
    roster = here.policy.roster
    with here.store.transaction(readonly=True) as uow:
        found = uow.listings.drift(system, looks_into(viewer, roster), before, limit + 1)
    shown = [showing.drift(each, roster) for each in found[:limit]]
    return models.DriftPage(events=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/runs/{run_id}", responses=documented(404))
def run(request: Request, viewer: AsManager, run_id: Annotated[Id, Path()]) -> models.RunOut:
    """One run: what started it, with which code and policy, and what it counted."""
    here = surroundings_of(request)
    with here.store.transaction(readonly=True) as uow:
        found = uow.runs.get(run_id)
    if found is None:
        raise HTTPException(404, "There is no run with this id; rows of the ledger name theirs.")
    return showing.run(found, here.settings.prefect_ui_url)


@router.get("/policy")
def policy(request: Request, viewer: AsManager) -> models.PolicyOut:
    """The policy in force, whole, and its hash."""
    loaded = surroundings_of(request).policy
    return models.PolicyOut(
        name=loaded.policy.name, hash=loaded.policy_hash, reps=len(loaded.roster.reps), canonical=loaded.canonical
    )
