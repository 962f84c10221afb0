"""Acceptance: offers whose deadline has passed are decided again, one step further along the policy's chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ownership.acceptance import Escalate, Offered, check_answer, due_by, next_step, remind_at
from ownership.conditions import fold_fields
from ownership.crm_tasks import ACCEPTED, ESCALATED, Happening, happening_of
from ownership.day import Day
from ownership.model import ACCOUNT, Account, Afterwards, Decision, Outcome, Step
from ownership.plan import OwnerMove, move_of
from ownership.rotation import PoolTurns
from store.decisions import Explanation
from store.notifications import NewNotification
from store.offers import Offer
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import Desk, desk_for, unaccepted_key
from tasks.explanation import find_account, unknown_account
from tasks.notices import add_owner_notices
from tasks.steps import as_task
from tasks.turns import load_turns, save_turns

BATCH = 1000
REMINDER = "{count} waits for your answer"


def escalate_due(context: RunContext) -> Assigned:
    """Move on every offer that is due. Each offer ends once; a killed pass is finished by the next one.

    The account gets the next owner as a new decision with reason `escalated`. When nobody is left to ask, it keeps its
    provisional owner and the exception `unaccepted` is opened.
    """
    done = []
    while (batch := context.store.run(lambda uow: _escalate_batch(context, uow))).looked_at:
        done.append(batch)
    return Assigned.together(done)


def remind_owners(context: RunContext) -> int:
    """Remind everybody of offers that run out soon, once each; returns how many offers that were."""
    return context.store.run(lambda uow: _remind(context, uow))


def _remind(context: RunContext, uow: UnitOfWork) -> int:
    offers = uow.offers.to_remind(context.now())
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    reps = context.policy.roster.reps
    messages = [
        NewNotification(
            dedup_key=f"reminder:{offer.offer_id}",
            email=reps[offer.owner_id].email,
            subject=REMINDER,
            lines=(
                f"{accounts[offer.account_id].name}: please accept or decline by {offer.due_by:%Y-%m-%d %H:%M} UTC",
            ),
        )
        for offer in offers
        if offer.owner_id in reps
    ]
    uow.notifications.add(messages, context.now())
    uow.offers.reminded(offer.offer_id for offer in offers)
    return len(offers)


def accept_account(context: RunContext, query: str, by: str) -> str:
    """Answer the open offer of the account that `query` finds, for the rep `by`; returns what to tell them.

    Raises `NotYours` when the offer is somebody else's. Without an open offer, says who holds the account.
    """
    roster = context.policy.roster

    def answer(uow: UnitOfWork) -> str:
        account, offer = _open_offer(uow, query)
        if account is None or offer is None:
            return _nothing_open(context, uow, query, account)
        check_answer(offer.owner_id, by, roster)
        uow.offers.answer(offer.offer_id, "accepted", by, context.now())
        team = uow.ledger.teams([account.id]).get(account.id, {})
        day = Day.of(context.policy.policy, roster, context.now())
        queue_tasks(uow, context, day, [Happening(ACCEPTED, account, offer.owner_id, None, team)])
        return f"{account.name} is accepted for {roster.reps[offer.owner_id].name}."

    return context.store.run(answer)


def decline_account(context: RunContext, query: str, by: str, reason: str) -> str:
    """Decline the open offer of the account that `query` finds; it goes to the next of the chain at once.

    Returns what to tell the rep. Raises `NotYours` when the offer is somebody else's.
    """

    def answer(uow: UnitOfWork) -> str:
        account, offer = _open_offer(uow, query)
        if account is None or offer is None:
            return _nothing_open(context, uow, query, account)
        check_answer(offer.owner_id, by, context.policy.roster)
        moved = _move_on(context, uow, [offer], {account.id: account}, "declined", by, reason)
        after = moved.moves[0].after if moved.moves else None
        whom = context.policy.roster.reps[after].name if after else None
        return f"{account.name} is declined. " + (f"{whom} is asked next." if whom else "A person has to look at it.")

    return context.store.run(answer)


def _open_offer(uow: UnitOfWork, query: str) -> tuple[Account | None, Offer | None]:
    account = find_account(uow, query)
    return account, uow.offers.of_account(account.id) if account else None


def _nothing_open(context: RunContext, uow: UnitOfWork, query: str, account: Account | None) -> str:
    if account is None:
        return unknown_account(query)
    holder = uow.ledger.current([account.id]).get(account.id)
    who = context.policy.roster.reps[holder.owner_id].name if holder else "nobody"
    return f"{account.name} waits for no answer; it belongs to {who}."


def _escalate_batch(context: RunContext, uow: UnitOfWork) -> Assigned:
    offers = uow.offers.due(context.now(), BATCH)
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    return _move_on(context, uow, offers, accounts, "expired", "steward", None)


def _move_on(
    context: RunContext,
    uow: UnitOfWork,
    offers: Sequence[Offer],
    accounts: Mapping[str, Account],
    answer: str,
    by: str,
    declined: str | None,
) -> Assigned:
    """End these offers with `answer` and make those that follow. Pools are locked before accounts, as everywhere."""
    last = {offer.account_id: uow.decisions.explanation(offer.account_id) for offer in offers}
    before = load_turns(uow, context.policy.policy, lock=True)
    uow.accounts.lock(accounts)
    lent = {id_: owner.afterwards for id_, owner in uow.ledger.current(accounts).items()}
    load = uow.ledger.book_sizes()
    step = _Step(context, uow, desk_for(context, uow, list(accounts.values())), dict(before), load, lent, declined)
    recordings: list[Recording] = []
    moves: list[OwnerMove] = []
    happened: list[Happening] = []
    for offer in offers:
        if not uow.offers.answer(offer.offer_id, answer, by, context.now()):
            continue  # answered while we waited for the lock
        recording = step.after(offer, accounts[offer.account_id], last[offer.account_id])
        if recording is not None:
            recordings.append(recording)
            if move := move_of(accounts[offer.account_id], recording.decision, offer.owner_id):
                moves.append(move)
                happened += _escalated(accounts[offer.account_id], recording.decision, move)
    recorded = uow.record(recordings, context.run_id, context.now())
    save_turns(uow, before, step.turns, context.now())
    add_owner_notices(uow, context, moves, f"escalated-{offers[0].offer_id}" if offers else "escalated")
    by_reason = dict(Counter(recording.decision.reason for recording in recordings))
    tasks = queue_tasks(uow, context, step.desk.day, happened)
    return Assigned(len(offers), recorded.decided, by_reason, recorded.pushed, 0, tuple(moves), tasks)


def _escalated(account: Account, decision: Decision, move: OwnerMove) -> list[Happening]:
    """An offer that moved on is both: another owner, and an escalation."""
    moved = happening_of(account, decision, move, move.before)
    return [moved, replace(moved, event=ESCALATED)] if moved else []


@dataclass(frozen=True, slots=True)
class _Step:
    """The next step of many offers; `turns` move on with each."""

    context: RunContext
    uow: UnitOfWork
    desk: Desk
    turns: dict[str, PoolTurns]
    load: dict[str, int]
    lent: Mapping[str, Afterwards | None]
    declined: str | None

    def after(self, offer: Offer, account: Account, last: Explanation | None) -> Recording | None:
        """The decision that follows an offer; None when a person has to look, which an exception then says."""
        if last is None:
            return None
        pool, day = last.decision.turn, self.desk.day
        asked = _asked(self.uow, offer)
        offered = Offered(
            *(offer.owner_id, offer.escalation_level, asked, pool, self.declined),
            offered_at=offer.offered_at,
            held_because=_held_because(last.decision),
            skills=day.index.skills_of.get(last.decision.rule, frozenset()),
        )
        step = next_step(offered, day, self.turns.get(pool or "", PoolTurns()), self.load)
        if pool:
            self.turns[pool] = step.turns
        if not isinstance(step, Escalate):
            self._to_a_person(offer, step.because)
            return None
        _moved(self.load, offer.owner_id, step.to, account)
        decision = replace(
            last.decision,
            outcome=Outcome.OWNER,
            reason="escalated",
            owner_id=step.to,
            path=(*last.decision.path, Step("acceptance", True, step.because)),
            candidates=(),
            afterwards=self.lent.get(account.id),
        )
        fields = fold_fields(account.fields, day.date, day.days)
        return Recording(
            decision=decision,
            snapshot=last.snapshot or {},
            pushes=self.desk.pushes(account, step.to),
            offer_due_by=due_by(day.policy, day.roster, step.to, fields, day.now),
            remind_at=remind_at(day.policy, day.roster, step.to, day.now),
            event_type="escalated",
            escalation_level=step.level,
        )

    def _to_a_person(self, offer: Offer, because: str) -> None:
        context = self.context
        detail = {"owner": offer.owner_id, "problem": because}
        key = unaccepted_key(offer.account_id)
        self.uow.exceptions.open("unaccepted", key, offer.account_id, detail, "warning", context.run_id, context.now())


def _held_because(last: Decision) -> str:
    """Why an account whose last decision left it to a person is given to nobody meanwhile, "" when it was decided."""
    if last.outcome is Outcome.OWNER:
        return ""
    return next((step.because for step in reversed(last.path) if step.matched), last.reason)


def _moved(load: dict[str, int], before: str, after: str, account: Account) -> None:
    if account.kind == ACCOUNT:
        load[before] = load.get(before, 0) - 1
        load[after] = load.get(after, 0) + 1


def _asked(uow: UnitOfWork, offer: Offer) -> list[str]:
    """Everybody this account was offered to since it was last accepted or placed by a rule."""
    history = [row for row in uow.ledger.history(offer.account_id) if row.owner_id]
    asked: list[str] = []
    for row in reversed(history):
        asked.append(str(row.owner_id))
        if row.event_type != "escalated":
            break
    return asked


remind_owners_task = as_task(remind_owners, "acceptance")
escalate_due_task = as_task(escalate_due, "acceptance")
