"""How things stand, between the store and the rules: owners, books, turns, marks and teams, read and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from ownership.case import Holding, State
from ownership.day import Day
from ownership.model import LEAD, Account
from ownership.worktime import local_day
from store.ledger import CurrentOwner
from store.unit_of_work import UnitOfWork
from tasks.turns import load_turns, save_turns


def load_state(
    uow: UnitOfWork, day: Day, accounts: Sequence[Account], load: Mapping[str, int] | None = None, *, lock: bool
) -> State:
    """What the rules need to know of these accounts and their parents, and of everybody's books (`load`).

    With `lock`, nobody else takes a turn, and nobody else decides these accounts, until the transaction ends. Pools
    are locked before accounts, everywhere, so that two runs wait for each other instead of deadlocking.
    """
    turns = load_turns(uow, day.policy, lock=lock)
    if lock:
        uow.accounts.lock(account.id for account in accounts)
    mine = [account.id for account in accounts]
    current = uow.ledger.current({*mine, *(account.parent_id for account in accounts if account.parent_id)})
    zone, went_on = day.policy.timezone, _went_on(uow, current)
    return State(
        owners={id_: owner.owner_id for id_, owner in current.items()},
        load=dict(uow.ledger.book_sizes() if load is None else load),
        turns=turns,
        holdings={
            id_: Holding(local_day(zone, owner.valid_from), owner.afterwards, went_on.get(id_, ""))
            for id_, owner in current.items()
        },
        marks=uow.marks.get(mine) if day.index.remembering else {},
        teams=uow.ledger.teams(mine) if day.policy.team or day.policy.pods else {},
        recent=_recent(uow, day) if any(account.kind == LEAD for account in accounts) else {},
    )


def _went_on(uow: UnitOfWork, current: Mapping[str, CurrentOwner]) -> dict[str, str]:
    """The rule from whose choices each account went on to its present owner; others are missing."""
    escalated = uow.decisions.latest(current, reason="escalated")
    return {id_: last.rule for id_, last in escalated.items() if last.owner_id == current[id_].owner_id}


def with_missed_offers(uow: UnitOfWork, day: Day, accounts: Sequence[Account]) -> list[Account]:
    """The accounts with how often offers of them came to nothing, if the policy asks for it."""
    if "missed_offers" not in day.index.asked:
        return list(accounts)
    missed = uow.offers.missed(account.id for account in accounts)
    return [
        replace(account, fields={**account.fields, "missed_offers": missed.get(account.id, 0)}) for account in accounts
    ]


def save_state(uow: UnitOfWork, day: Day, before: State, after: State) -> None:
    """Store the turns that were taken and the marks that are new. Owners are recorded with their decisions."""
    save_turns(uow, before.turns, after.turns, day.now)
    if after.marks:
        uow.marks.put(before.marks, after.marks)


def _recent(uow: UnitOfWork, day: Day) -> dict[str, str]:
    """Who got the last lead of each web domain, as far back as the policy asks."""
    days = day.policy.leads.sticky_days
    if not days:
        return {}
    owners = uow.ledger.leads_since(day.now - timedelta(days=days))
    leads = uow.accounts.get_many(owners)
    return {domain: owner for id_, owner in owners.items() for domain in leads[id_].fields.get("domains") or ()}
