"""Moving on: offers that were missed or declined end, and whoever is asked next is asked, in one transaction.

The rule is `ownership/acceptance.py`, the decisions are `tasks/next_asked.py`; who calls this is `tasks/acceptance.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ownership.crm_tasks import ESCALATED, Happening, change_of_owner, filled_roles
from ownership.model import Account
from ownership.plan import OwnerMove, move_of, offer_of
from store.ledger import CurrentOwner
from store.offers import Offer
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import desk_for
from tasks.next_asked import NextAsked
from tasks.notices import add_offer_notices, add_owner_notices
from tasks.queue_notices import add_queue_notices
from tasks.state import promised_sizes
from tasks.turns import load_turns, save_turns


def move_on(
    context: RunContext,
    uow: UnitOfWork,
    offers: Sequence[Offer],
    accounts: Mapping[str, Account],
    answer: str,
    by: str,
    declined: str | None,
) -> Assigned:
    """End these offers with `answer` and make those that follow, in as many reads and writes whatever their number.

    Pools are locked before accounts, as everywhere. What was decided last, and whose the account is, is read only then:
    nobody else changes it any more.
    """
    before = load_turns(uow, context.policy.policy, lock=True)
    uow.accounts.lock(accounts)
    load = promised_sizes(uow, context.policy.policy)  # what these offers promise is in it until they are moved on
    ended = uow.offers.answer_many((offer.offer_id for offer in offers), answer, by, context.now())
    offers = [offer for offer in offers if offer.offer_id in ended]  # others were answered while we waited
    accounts = {offer.account_id: accounts[offer.account_id] for offer in offers}
    owners = uow.ledger.current(accounts)
    step = NextAsked(
        desk_for(context, uow, list(accounts.values())),
        *(dict(before), load, owners, uow.offers.asked_before(accounts), declined),
    )
    last = uow.decisions.explanations(accounts)
    found = ((offer, step.after(offer, accounts[offer.account_id], last.get(offer.account_id))) for offer in offers)
    recordings = {offer.offer_id: recording for offer, recording in found if recording is not None}
    recorded = uow.record(list(recordings.values()), context.run_id, context.now())
    uow.exceptions.open_many(step.to_people, context.run_id, context.now())
    save_turns(uow, before, step.turns, context.now())
    follows = _Follows.of([(each, accounts[each.account_id]) for each in offers], recordings, owners)
    key = f"escalated-{offers[0].offer_id}" if offers else "escalated"
    add_owner_notices(uow, context, follows.moves, key)
    add_offer_notices(uow, context, follows.asked, key)
    add_queue_notices(uow, context, step.to_people, accounts)
    by_reason = dict(Counter(recording.decision.reason for recording in recordings.values()))
    tasks = queue_tasks(uow, context, step.desk.day, follows.happened)
    told = tuple(follows.moves), tuple(follows.asked), tasks
    return Assigned(len(offers), recorded.decided, by_reason, recorded.pushed, 0, *told)


@dataclass(frozen=True, slots=True)
class _Follows:
    """What people and CRMs are to be told of the offers that follow others."""

    moves: list[OwnerMove] = field(default_factory=list)
    asked: list[OwnerMove] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)

    @staticmethod
    def of(
        ended: Sequence[tuple[Offer, Account]], recordings: Mapping[str, Recording], owners: Mapping[str, CurrentOwner]
    ) -> _Follows:
        """`recordings` are those that follow, by the id of the offer that ended."""
        found = _Follows()
        for offer, account in ended:
            if recording := recordings.get(offer.offer_id):
                owner = owners.get(account.id)
                found._add(offer, account, recording, owner.owner_id if owner else None)
        return found

    def _add(self, offer: Offer, account: Account, recording: Recording, held_by: str | None) -> None:
        if move := move_of(account, recording.decision, held_by):
            self.moves.append(move)
            self.happened.append(change_of_owner(account, recording.decision, move))
        if next_asked := offer_of(account, recording.decision):
            self.asked.append(next_asked)
        if recording.offer_due_by:
            self.happened.append(_escalated(account, recording, offer))


def _escalated(account: Account, recording: Recording, offer: Offer) -> Happening:
    """Somebody else is asked, whether or not the account is theirs until they answer."""
    decision = recording.decision
    return Happening(
        ESCALATED, account, decision.owner_id, offer.owner_id, filled_roles(decision), occasion=offer.offer_id
    )
