"""What ops look after: exceptions, pushes, drift, runs and the policy."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request

from tasks.breaker import state_of
from tasks.notices_shown import notices_shown
from tasks.pushes import standing
from web.access.rules import looks_into
from web.api import models, showing
from web.api.access import AsManager, AsRep
from web.api.models import Id
from web.api.problems import documented
from web.surroundings import surroundings_of

router = APIRouter(tags=["Operations"])
Limit = Annotated[int, Query(ge=1, le=200)]
NoticeState = Literal["waiting", "sent", "failed"]
Channel = Literal["slack", "email"]


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
    owners = looks_into(viewer, here.policy.roster)
    with here.store.transaction(readonly=True) as uow:
        found = uow.listings.exceptions(kind, owners, after, limit + 1)
    shown = [showing.exception(each) for each in found[:limit]]
    return models.ExceptionPage(exceptions=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/notices")
def notices(
    request: Request,
    viewer: AsManager,
    state: Annotated[NoticeState | None, Query(description="Only in this state")] = None,
    channel: Annotated[Channel | None, Query(description="Only over this channel")] = None,
    before: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> models.NoticePage:
    """What people are told and whether it got through, the newest first. A manager sees that of their people."""
    here = surroundings_of(request)
    roster = here.policy.roster
    reps = looks_into(viewer, roster)
    found = notices_shown(here.reading(), reps, state=state, channel=channel, before=before, limit=limit)
    shown = [showing.notice(each, roster) for each in found.notices]
    return models.NoticePage(notices=shown, waiting=found.waiting, failed=found.failed, next=found.more)


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
