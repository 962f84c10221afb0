"""Acceptance: offers whose deadline has passed are decided again, one step further along the policy's chain."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from ownership.acceptance import Escalate, check_answer, next_step
from ownership.model import Account, Outcome, Step
from ownership.plan import OwnerMove, move_of
from ownership.rotation import PoolTurns
from store.offers import Offer
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned, Desk, desk_for
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account
from tasks.notices import add_owner_notices
from tasks.steps import as_task

BATCH = 1000


def escalate_due(context: RunContext) -> Assigned:
    """Move on every offer that is due. Each offer ends once; a killed pass is finished by the next one.

    The account gets the next owner as a new decision with reason `escalated`. When nobody is left to ask, it keeps its
    provisional owner and the exception `unaccepted` is opened.
    """
    total = Assigned()
    while (batch := context.store.run(lambda uow: _escalate_batch(context, uow))).looked_at:
        total = total.plus(batch)
    return total


def accept_account(context: RunContext, query: str, by: str) -> str:
    """Answer the open offer of the account that `query` finds, for the rep `by`; returns what to tell them.

    Raises `NotYours` when the offer is somebody else's. Without an open offer, says who holds the account.
    """
    roster = context.policy.roster

    def answer(uow: UnitOfWork) -> str:
        account = find_account(uow, query)
        if account is None:
            return unknown_account(query)
        uow.accounts.lock([account.id])
        offer = uow.offers.of_account(account.id)
        if offer is None:
            holder = uow.ledger.current([account.id]).get(account.id)
            who = roster.reps[holder.owner_id].name if holder else "nobody"
            return f"{account.name} waits for no answer; it belongs to {who}."
        check_answer(offer.owner_id, by, roster)
        uow.offers.answer(offer.offer_id, "accepted", by, context.now())
        return f"{account.name} is accepted for {roster.reps[offer.owner_id].name}."

    return context.store.run(answer)


def _escalate_batch(context: RunContext, uow: UnitOfWork) -> Assigned:
    offers = uow.offers.due(context.now(), BATCH)
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    uow.accounts.lock(accounts)
    desk = desk_for(context, uow, list(accounts.values()))
    recordings: list[Recording] = []
    moves: list[OwnerMove] = []
    for offer in offers:
        if not uow.offers.answer(offer.offer_id, "expired", "steward", context.now()):
            continue  # answered while we waited for the lock
        recording = _escalation(context, uow, offer, accounts[offer.account_id], desk)
        if recording is not None:
            recordings.append(recording)
            if move := move_of(accounts[offer.account_id], recording.decision, offer.owner_id):
                moves.append(move)
    recorded = uow.record(recordings, context.run_id, context.now())
    add_owner_notices(uow, context, moves, "escalated")
    by_reason = dict(Counter(recording.decision.reason for recording in recordings))
    return Assigned(len(offers), recorded.decided, by_reason, recorded.pushed, 0, tuple(moves))


def _escalation(context: RunContext, uow: UnitOfWork, offer: Offer, account: Account, desk: Desk) -> Recording | None:
    """The decision that follows a missed offer; None when a person has to look, which an exception then says."""
    last = uow.decisions.explanation(offer.account_id)
    if last is None:
        return None
    policy, roster = context.policy.policy, context.policy.roster
    pool = last.decision.turn
    stored = uow.turns.load([pool], lock=False).get(pool) if pool else None
    step = next_step(
        offer.owner_id,
        offer.escalation_level,
        _asked(uow, offer),
        last.decision.turn,
        policy,
        roster,
        PoolTurns.from_json(stored) if stored else PoolTurns(),
        context.today(),
    )
    if not isinstance(step, Escalate):
        detail = {"owner": offer.owner_id, "problem": step.because}
        key = f"unaccepted:{account.id}"
        uow.exceptions.open("unaccepted", key, account.id, detail, "warning", context.run_id, context.now())
        return None
    decision = replace(
        last.decision,
        outcome=Outcome.OWNER,
        reason="escalated",
        owner_id=step.to,
        path=(*last.decision.path, Step("acceptance", True, step.because)),
        candidates=(),
    )
    return Recording(
        decision=decision,
        snapshot=last.snapshot or {},
        pushes=desk.pushes(account, step.to),
        offer_due_by=context.now() + timedelta(hours=policy.acceptance_hours),
        event_type="escalated",
        escalation_level=step.level,
    )


def _asked(uow: UnitOfWork, offer: Offer) -> list[str]:
    """Everybody this account was offered to since it was last accepted or placed by a rule."""
    history = [row for row in uow.ledger.history(offer.account_id) if row.owner_id]
    asked: list[str] = []
    for row in reversed(history):
        asked.append(str(row.owner_id))
        if row.event_type != "escalated":
            break
    return asked


escalate_due_task = as_task(escalate_due, "acceptance")
