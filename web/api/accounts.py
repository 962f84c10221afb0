"""Accounts: whose they are and were, why, and what would be decided if something were different. Nothing is written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from ownership.conditions import vocabulary
from ownership.counterfactual import NoSuchValue, Situation, to_value, what_if, why_not
from ownership.model import Account
from store.unit_of_work import UnitOfWork
from tasks.counterfactual import find_rep, read_situation
from tasks.history import owned_on
from tasks.look_up import as_typed, find_accounts
from web.access.rules import sees_details
from web.api import models, showing
from web.api.access import AsRep
from web.api.models import ID, Id, Instant
from web.api.once import IdempotencyKey, answered_once
from web.api.problems import documented
from web.api.unchanged import UNCHANGED, IfNoneMatch, unless_unchanged
from web.surroundings import surroundings_of

STEWARD = "steward"
router = APIRouter(tags=["Accounts"])
AccountId = Annotated[Id, Path(description="Steward's id of the account, or one it had before", examples=["acc-1041"])]


@router.get("/accounts")
def look_up(
    request: Request,
    viewer: AsRep,
    q: Annotated[str, Query(min_length=1, max_length=200, pattern=ID, description="Company, web domain, id or person")],
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> list[models.AccountSummary]:
    """Who owns this? Accounts and leads by name, web domain, outside id or a person's address, best first."""
    context = surroundings_of(request).reading()
    with context.store.transaction(readonly=True) as uow:
        found = find_accounts(uow, as_typed(q), limit)
        ids = [each.id for each in found]
        owners = uow.ledger.current(ids)
        reasons = uow.ledger.reasons(owner.ledger_id for owner in owners.values())
    roster = context.policy.roster
    return [models.AccountSummary(**showing.summary(each, roster, owners.get(each.id), reasons)) for each in found]


@router.get("/accounts/{account_id}", responses={**UNCHANGED, **documented(404)}, response_model=models.AccountOut)
def account(request: Request, viewer: AsRep, account_id: AccountId, known: IfNoneMatch = None) -> Response:
    """One account: owner, team, since when and why, records, open offer."""
    context = surroundings_of(request).reading()
    roster = context.policy.roster
    with context.store.transaction(readonly=True) as uow:
        found = _account(uow, account_id)
        current = uow.ledger.current([found.id]).get(found.id)
        reasons = uow.ledger.reasons([current.ledger_id] if current else [])
        team, offer = uow.ledger.teams([found.id]).get(found.id, {}), uow.offers.of_account(found.id)
    is_theirs = sees_details(viewer, roster, current.owner_id if current else None)
    answer = models.AccountOut(
        **showing.summary(found, roster, current, reasons),
        parent_id=found.parent_id,
        team=showing.team(roster, team),
        records=showing.records(found) if is_theirs else None,
        open_offer=showing.offer(offer, roster) if offer and sees_details(viewer, roster, offer.owner_id) else None,
        fields=dict(found.fields) if is_theirs else None,
    )
    return unless_unchanged(answer, known)


@router.get("/accounts/{account_id}/timeline", responses=documented(404))
def timeline(request: Request, viewer: AsRep, account_id: AccountId) -> list[models.ChangeOut]:
    """Every change of owner, of the account and of those that became part of it, oldest first."""
    context = surroundings_of(request).reading()
    with context.store.transaction(readonly=True) as uow:
        found = _account(uow, account_id)
        rows = [row for id_ in (found.id, *uow.identity.parts_of(found.id)) for row in uow.ledger.history(id_)]
    rows.sort(key=lambda row: (row.recorded_at, row.account_id, row.seq))
    return [showing.change(row, context.policy.roster) for row in rows]


@router.get("/accounts/{account_id}/explanation", responses=documented(404))
def explanation(request: Request, viewer: AsRep, account_id: AccountId) -> models.ExplanationOut:
    """The last decision: every rule looked at, everybody considered and the first gate each failed."""
    context = surroundings_of(request).reading()
    with context.store.transaction(readonly=True) as uow:
        found = _account(uow, account_id)
        last = uow.decisions.explanation(found.id)
    if last is None:
        raise HTTPException(404, f"{found.name} has not been decided yet; the next run of assign-owners will.")
    return models.ExplanationOut(
        decision_id=last.decision_id,
        decided_at=last.recorded_at,
        run_id=last.run_id,
        decision=showing.decision(last.decision, found, context.policy.roster),
    )


@router.get("/accounts/{account_id}/why-not", responses=documented(404))
def why_not_them(
    request: Request,
    viewer: AsRep,
    account_id: AccountId,
    rep: Annotated[Id, Query(description="Id, name or e-mail address of somebody on the roster")],
) -> models.WhyNotOut:
    """Why somebody is not given the account, and the single changes that would give it to them."""
    roster = surroundings_of(request).policy.roster
    them = find_rep(roster, rep)
    if them is None:
        raise HTTPException(404, "Nobody on the roster has this id, name or address.")
    situation = _situation(request, account_id)
    answer = why_not(situation, them.id)
    return models.WhyNotOut(
        is_given=answer.gate is None,
        gate=answer.gate,
        changes=[each.what for each in answer.changes],
        decision=showing.decision(answer.decision, situation.account, roster),
    )


@router.post("/accounts/{account_id}/what-if", responses={200: {"model": models.WhatIfOut}, **documented(404, 409)})
def what_if_it_were(
    request: Request, viewer: AsRep, account_id: AccountId, asked: models.WhatIfIn, key: IdempotencyKey = None
) -> Any:
    """Decide the account as if some of its fields were different. Writes nothing, and takes nobody's turn."""
    return answered_once(request, key, asked.model_dump(), lambda: _what_if(request, account_id, asked))


@router.get("/owner", tags=["History"], responses=documented(404))
def owner_on(
    request: Request,
    viewer: AsRep,
    id: Annotated[Id, Query(description="Id of the account in that system")],
    system: Annotated[Id, Query(description="`steward`, or the system whose id it is, as in salesforce")] = STEWARD,
    on: Annotated[Instant | None, Query(description="When; now if left out", examples=["2026-03-03T12:00:00Z"])] = None,
    known: Annotated[Instant | None, Query(description="As it was known when; now if left out")] = None,
) -> models.OwnedOnOut:
    """Who owned an account at an instant, as it was known at another. What was recorded later is not told."""
    context = surroundings_of(request).reading()
    with context.store.transaction(readonly=True) as uow:
        ids = {id} if system == STEWARD and _account(uow, id) else uow.accounts.of_places([(system, id)])
    asked = owned_on(context, min(ids), on, known) if ids else None
    if asked is None:
        raise HTTPException(404, "No account has a record with this id in that system.")
    roster = context.policy.roster
    return models.OwnedOnOut(
        account_id=asked.account.id,
        name=asked.name,
        on=asked.on,
        known=asked.known_on,
        owner=showing.maybe(roster, asked.row.owner_id) if asked.row else None,
        change=showing.change(asked.row, roster) if asked.row else None,
    )


def _what_if(request: Request, account_id: str, asked: models.WhatIfIn) -> models.WhatIfOut:
    context = surroundings_of(request).reading()
    now = _situation(request, account_id)
    known = vocabulary(context.policy.policy.fields)
    try:
        changed = {name: to_value(name, _text(value), known) for name, value in asked.fields.items()}
    except NoSuchValue as problem:
        raise HTTPException(422, f"{problem}.") from None
    then = what_if(now, changed)
    before, after, roster = now.decide(), then.decide(), context.policy.roster
    return models.WhatIfOut(
        now=showing.decision(before, now.account, roster),
        then=showing.decision(after, then.account, roster),
        differs=(before.owner_id, before.reason) != (after.owner_id, after.reason),
    )


def _text(value: Any) -> str:
    """The value as a person would type it."""
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)


def _situation(request: Request, account_id: str) -> Situation:
    context = surroundings_of(request).reading()
    with context.store.transaction(readonly=True) as uow:
        found = _account(uow, account_id)
    situation = read_situation(context, found.id)
    if situation is None:
        raise _unknown()
    return situation


def _account(uow: UnitOfWork, account_id: str) -> Account:
    found = uow.accounts.get(uow.identity.now_ids([account_id]).get(account_id, account_id))
    if found is None:
        raise _unknown()
    return found


def _unknown() -> HTTPException:
    return HTTPException(404, "There is no account with this id; look it up with GET /accounts?q=")
