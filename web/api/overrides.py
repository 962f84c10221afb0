"""Overrides that are asked for and disputes about accounts: the operations and rules of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel

from ownership.placed_by_people import Person
from tasks.asked_and_claimed import dispute_for, disputes_for, override_for, overrides_for
from tasks.context import RunContext
from tasks.placed_by_people import (
    answer_dispute,
    answer_override,
    open_dispute,
    request_override,
    rule_on_dispute,
)
from tasks.taken_back import add_evidence, end_override, withdraw_dispute, withdraw_override
from web.access.viewer import Viewer
from web.api import models, showing
from web.api.access import AsManager, AsRep
from web.api.models import Id
from web.api.once import IdempotencyKey, answered_once
from web.api.problems import documented
from web.surroundings import surroundings_of

router = APIRouter()
OverrideId = Annotated[Id, Path(description="The override's `id`")]
DisputeId = Annotated[Id, Path(description="The dispute's `id`")]
Before = Annotated[Id | None, Query(description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
OVERRIDE: dict[int | str, Any] = {200: {"model": models.OverrideOut}, **documented(404, 409)}
DISPUTE: dict[int | str, Any] = {200: {"model": models.DisputeOut}, **documented(404, 409)}


@router.get("/overrides", tags=["Overrides"])
def overrides(request: Request, viewer: AsRep, before: Before = None, limit: Limit = 50) -> models.OverridePage:
    """What was asked for, the newest first: what the token's person asked for, is touched by, or may answer; ops see
    all."""
    here = surroundings_of(request)
    found = overrides_for(here.reading(), viewer.person, before, limit + 1)
    shown = [showing.override(each, here.policy.roster) for each in found[:limit]]
    return models.OverridePage(overrides=shown, next=shown[-1].id if len(found) > limit else None)


@router.post("/overrides", tags=["Overrides"], responses=OVERRIDE)
def ask_for_override(request: Request, viewer: AsRep, asked: models.OverrideIn, key: IdempotencyKey = None) -> Any:
    """Ask that somebody own an account against the rules. Somebody else approves it."""

    account_id = _account(request, asked.account_id)

    def ask(context: RunContext, person: Person) -> str:
        more = asked.until, asked.then, asked.since
        return request_override(context, account_id, person, asked.owner, asked.reason, *more).override_id

    return _once(request, viewer, key, asked, "override-request", ask, _override)


@router.get("/overrides/{override_id}", tags=["Overrides"], responses=documented(404))
def override(request: Request, viewer: AsRep, override_id: OverrideId) -> models.OverrideOut:
    """One override and what came of it."""
    return _override(request, viewer, override_id)


@router.post("/overrides/{override_id}/approve", tags=["Overrides"], responses=OVERRIDE)
def approve_override(
    request: Request, viewer: AsManager, override_id: OverrideId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Approve it: it holds at once, or from its first day on. Never by who asked or would own the account."""
    return _answer(request, viewer, key, override_id, because, "approved")


@router.post("/overrides/{override_id}/refuse", tags=["Overrides"], responses=OVERRIDE)
def refuse_override(
    request: Request, viewer: AsManager, override_id: OverrideId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Refuse it."""
    return _answer(request, viewer, key, override_id, because, "refused")


@router.post("/overrides/{override_id}/withdraw", tags=["Overrides"], responses=OVERRIDE)
def take_override_back(
    request: Request, viewer: AsRep, override_id: OverrideId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Take back a request that nobody has answered, by who asked."""

    def withdraw(context: RunContext, person: Person) -> str:
        withdraw_override(context, override_id, person, because.reason)
        return override_id

    return _once(request, viewer, key, because, "override-withdraw", withdraw, _override, override_id)


@router.post("/overrides/{override_id}/end", tags=["Overrides"], responses=OVERRIDE)
def end_it(
    request: Request, viewer: AsManager, override_id: OverrideId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """End it before its last day, by who approved it or ops; the account is decided without it at once."""

    def end(context: RunContext, person: Person) -> str:
        end_override(context, override_id, person, because.reason)
        return override_id

    return _once(request, viewer, key, because, "override-end", end, _override, override_id)


@router.get("/disputes", tags=["Disputes"])
def disputes(request: Request, viewer: AsRep, before: Before = None, limit: Limit = 50) -> models.DisputePage:
    """Claims, the newest first: those the token's person is part of or may rule on; ops see all."""
    here = surroundings_of(request)
    found = disputes_for(here.reading(), viewer.person, before, limit + 1)
    shown = [showing.dispute(each, here.policy.roster) for each in found[:limit]]
    return models.DisputePage(disputes=shown, next=shown[-1].id if len(found) > limit else None)


@router.post("/disputes", tags=["Disputes"], responses=DISPUTE)
def claim(request: Request, viewer: AsRep, claimed: models.DisputeIn, key: IdempotencyKey = None) -> Any:
    """Claim an account for who the token acts for; nothing moves it until there is a ruling."""

    account_id = _account(request, claimed.account_id)

    def open_(context: RunContext, person: Person) -> str:
        return open_dispute(context, account_id, person, claimed.reason, claimed.evidence).dispute_id

    return _once(request, viewer, key, claimed, "dispute-open", open_, _dispute)


@router.get("/disputes/{dispute_id}", tags=["Disputes"], responses=documented(404))
def dispute(request: Request, viewer: AsRep, dispute_id: DisputeId) -> models.DisputeOut:
    """One dispute and what came of it."""
    return _dispute(request, viewer, dispute_id)


@router.post("/disputes/{dispute_id}/approve", tags=["Disputes"], responses=DISPUTE)
def approve_claim(
    request: Request, viewer: AsManager, dispute_id: DisputeId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Rule for who claims the account: they get it at once."""
    return _rule(request, viewer, key, dispute_id, because, "approved")


@router.post("/disputes/{dispute_id}/refuse", tags=["Disputes"], responses=DISPUTE)
def refuse_claim(
    request: Request, viewer: AsManager, dispute_id: DisputeId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Rule for who has the account: it stays theirs."""
    return _rule(request, viewer, key, dispute_id, because, "refused")


@router.post("/disputes/{dispute_id}/rule", tags=["Disputes"], responses=DISPUTE)
def rule_on_claim(
    request: Request, viewer: AsManager, dispute_id: DisputeId, ruling: models.RulingIn, key: IdempotencyKey = None
) -> Any:
    """Say whose the account is, who may be somebody else than both."""

    def rule(context: RunContext, person: Person) -> str:
        rule_on_dispute(context, dispute_id, person, ruling.owner, ruling.reason)
        return dispute_id

    return _once(request, viewer, key, ruling, "dispute-rule", rule, _dispute, dispute_id)


@router.post("/disputes/{dispute_id}/withdraw", tags=["Disputes"], responses=DISPUTE)
def take_claim_back(
    request: Request, viewer: AsRep, dispute_id: DisputeId, because: models.Because, key: IdempotencyKey = None
) -> Any:
    """Take back a claim that has no ruling, by who made it."""

    def withdraw(context: RunContext, person: Person) -> str:
        withdraw_dispute(context, dispute_id, person, because.reason)
        return dispute_id

    return _once(request, viewer, key, because, "dispute-withdraw", withdraw, _dispute, dispute_id)


@router.post("/disputes/{dispute_id}/evidence", tags=["Disputes"], responses=DISPUTE)
def add_to_claim(
    request: Request, viewer: AsRep, dispute_id: DisputeId, added: models.EvidenceIn, key: IdempotencyKey = None
) -> Any:
    """Add a link or a sentence to an open dispute, for either side or who looks after the account."""

    def add(context: RunContext, person: Person) -> str:
        add_evidence(context, dispute_id, person, added.evidence)
        return dispute_id

    return _once(request, viewer, key, added, "dispute-add", add, _dispute, dispute_id)


def _answer(
    request: Request, viewer: Viewer, key: str | None, override_id: str, because: models.Because, state: str
) -> Any:
    def answer(context: RunContext, person: Person) -> str:
        answer_override(context, override_id, person, state, because.reason)
        return override_id

    return _once(request, viewer, key, because, f"override-{state}", answer, _override, override_id)


def _rule(
    request: Request, viewer: Viewer, key: str | None, dispute_id: str, because: models.Because, state: str
) -> Any:
    def rule(context: RunContext, person: Person) -> str:
        answer_dispute(context, dispute_id, person, state, because.reason)
        return dispute_id

    return _once(request, viewer, key, because, "dispute-rule", rule, _dispute, dispute_id)


def _once(
    request: Request,
    viewer: Viewer,
    key: str | None,
    body: BaseModel,
    what: str,
    do: Callable[[RunContext, Person], str],
    show: Callable[[Request, Viewer, str], BaseModel],
    about: str | None = None,
) -> Any:
    """Do it in a run that says who did, and answer with what came of it. `about` is what they must be able to see."""

    def work() -> BaseModel:
        if viewer.rep_id is None:
            raise HTTPException(403, "This token acts for nobody who could answer for it; use one made with --as.")
        if about is not None:  # before a run is kept for it
            show(request, viewer, about)
        with surroundings_of(request).acting(viewer.actor, f"{what}-by-api") as context:
            id_ = do(context, viewer.person)
        return show(request, viewer, id_)

    return answered_once(request, key, body.model_dump(), work)


def _override(request: Request, viewer: Viewer, override_id: str) -> models.OverrideOut:
    here = surroundings_of(request)
    found = override_for(here.reading(), viewer.person, override_id)
    if not found.is_theirs:
        raise HTTPException(403, "That is between others; only they, who may answer it, and ops see it.")
    return showing.override(found, here.policy.roster)


def _dispute(request: Request, viewer: Viewer, dispute_id: str) -> models.DisputeOut:
    here = surroundings_of(request)
    found = dispute_for(here.reading(), viewer.person, dispute_id)
    if not found.is_theirs:
        raise HTTPException(403, "That is between others; only they, who may rule on it, and ops see it.")
    return showing.dispute(found, here.policy.roster)


def _account(request: Request, account_id: str) -> str:
    """The account with exactly this id, or one it had before: no name is guessed at."""
    with surroundings_of(request).store.transaction(readonly=True) as uow:
        found = uow.accounts.get(uow.identity.now_ids([account_id]).get(account_id, account_id))
    if found is None:
        raise HTTPException(404, "There is no account with this id; look it up with GET /accounts?q=")
    return found.id
