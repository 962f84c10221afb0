"""Handing over an account to who accepted it, or took it; and what is said to who comes too late."""

from __future__ import annotations

from dataclasses import replace

from ownership.crm_tasks import Happening, change_of_owner
from ownership.model import Account, Outcome, Step
from ownership.plan import move_of
from store.decisions import Explanation
from store.offers import Offer
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.desk import Desk, unaccepted_key


def hand_over(desk: Desk, account: Account, last: Explanation, owner_id: str, because: str) -> list[Happening]:
    """Make this rep, who has accepted it, the owner of record, if they are not yet, by a decision that goes on from the
    last one. Returns what tasks may follow from."""
    context, uow = desk.context, desk.uow
    owner = uow.ledger.current([account.id]).get(account.id)
    path = (*last.decision.path, Step("acceptance", True, because))
    decision = replace(last.decision, outcome=Outcome.OWNER, owner_id=owner_id, path=path)
    made = Recording(decision, last.snapshot or {}, desk.pushes(account, owner_id), event_type="accepted")
    uow.record([made], context.run_id, context.now())
    uow.offers.show_accepted(account.id)
    move = move_of(account, decision, owner.owner_id if owner else None)
    if move is None:
        return []
    team = uow.ledger.teams([account.id]).get(account.id, {})
    return [replace(change_of_owner(account, decision, move), team=team)]


def said_too_late(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer) -> str:
    """What became of an offer that had its one answer, whose the account is now, and what comes next."""
    roster, holder = context.policy.roster, uow.ledger.current([account.id]).get(account.id)
    who = roster.name(holder.owner_id) if holder and holder.owner_id else "nobody"
    became = _became(context, uow.offers.get(offer.offer_id) or offer)
    return f"Too late: the offer of {account.name} {became}. It belongs to {who}.{_follows(context, uow, account.id)}"


def _became(context: RunContext, offer: Offer) -> str:
    if offer.state == "expired":
        return f"ran out at {offer.due_by:%Y-%m-%d %H:%M} UTC"
    by = offer.answered_by
    given = "" if by in (None, "steward") else f" by {context.policy.roster.name(str(by))}"
    return f"was {offer.state}{given}"


def _follows(context: RunContext, uow: UnitOfWork, account_id: str) -> str:
    if asked := uow.offers.of_account(account_id):
        return f" {context.policy.roster.name(asked.owner_id)} is asked until {asked.due_by:%Y-%m-%d %H:%M} UTC."
    if unaccepted_key(account_id) in uow.exceptions.open_among([unaccepted_key(account_id)]):
        return " Nobody is left to be asked: whoever of those asked wants it can take it on their offer's page."
    return ""
