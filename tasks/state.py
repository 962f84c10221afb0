"""How things stand, between the store and the rules: owners, books, turns, marks and teams, read and written back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from config.setting_files import CRMS
from ownership.case import Edit, Holding, LastLead, State, Waiting
from ownership.day import Day
from ownership.model import LEAD, Account
from ownership.policy import Policy
from ownership.worktime import local_day
from store.ledger import CurrentOwner
from store.unit_of_work import UnitOfWork
from tasks.outside import edits_of
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
    families = {*mine, *(account.parent_id for account in accounts if account.parent_id)}
    current = uow.ledger.current(families)
    zone, how = day.policy.timezone, _how_they_got_it(uow, current)
    owners = {id_: owner.owner_id for id_, owner in current.items()}
    return State(
        owners=owners,
        load=dict(promised_sizes(uow, day.policy) if load is None else load),
        turns=turns,
        holdings={
            id_: Holding(local_day(zone, owner.valid_from), owner.afterwards, *how.get(id_, ("", False)))
            for id_, owner in current.items()
        },
        marks=uow.marks.get(mine) if day.index.remembering else {},
        teams=uow.ledger.teams(mine) if day.policy.team or day.policy.pods else {},
        recent=_recent(uow, day) if any(account.kind == LEAD for account in accounts) else {},
        edits=_edits(uow, day.policy, accounts, owners),
        waiting=_waiting(uow, day.policy, families),
    )


def promised_sizes(uow: UnitOfWork, policy: Policy) -> dict[str, int]:
    """How many accounts each owner of record has; what somebody is asked to take over counts as theirs already, or
    they would be asked for more than they may have."""
    sizes = Counter(uow.ledger.book_sizes())
    if policy.acceptance.meanwhile != "offered":
        for asked, owner, accounts in uow.offers.promised():
            sizes[asked] += accounts
            sizes[owner] -= accounts
    return dict(sizes)


def _edits(uow: UnitOfWork, policy: Policy, accounts: Sequence[Account], owners: Mapping[str, str]) -> dict[str, Edit]:
    """Owners that people set in a CRM, where the policy accepts that."""
    drift = policy.drift
    return edits_of(uow, accounts, owners, CRMS, bool(drift.integrations)) if drift.human_edit == "accept" else {}


def _waiting(uow: UnitOfWork, policy: Policy, account_ids: Collection[str]) -> dict[str, Waiting]:
    """Who is asked to accept which of these accounts, and by what rule, though it is somebody else's until then."""
    if policy.acceptance.meanwhile == "offered":
        return {}
    offers = {account_id: asked for account_id, asked, _ in uow.offers.before_acceptance(account_ids)}
    placed = {account_id: uow.decisions.placing(account_id, asked) for account_id, asked in offers.items()}
    return {id_: Waiting(offers[id_], by.rule, by.reason, by.turn) for id_, by in placed.items() if by is not None}


def _how_they_got_it(uow: UnitOfWork, current: Mapping[str, CurrentOwner]) -> dict[str, tuple[str, bool]]:
    """The rule from whose choices each account went on to its present owner ("": none), and whether a person made them
    owner in a CRM; accounts that came to their owner otherwise are missing."""
    last = uow.decisions.latest(current, reasons=("escalated", "crm_edit"))
    still = {id_: each for id_, each in last.items() if each.owner_id == current[id_].owner_id}
    return {id_: (each.rule, False) if each.reason == "escalated" else ("", True) for id_, each in still.items()}


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


def _recent(uow: UnitOfWork, day: Day) -> dict[str, LastLead]:
    """Who got the last lead of each web domain, as far back as the policy asks."""
    days = day.policy.leads.sticky_days
    if not days:
        return {}
    given = uow.ledger.leads_since(day.now - timedelta(days=days))
    leads = uow.accounts.get_many(given)
    return {domain: LastLead(*given[id_]) for id_ in given for domain in leads[id_].fields.get("domains") or ()}
