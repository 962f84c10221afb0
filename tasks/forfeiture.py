"""Warnings of forfeiture: an owner is told of what they are about to lose for want of activity, while they can mend it.

Days are what counts, so that this is looked at once a day, and again when the policy changed. When an account is lost
is `ownership/inactivity.py`; the rules themselves say whether it then goes to somebody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from ownership.assignment import decide_on, family_order
from ownership.conditions import fold_fields
from ownership.day import Day
from ownership.inactivity import Idle, about_to_forfeit
from ownership.notices import FORFEITURE
from ownership.plan import move_of
from ownership.worktime import local_day
from store.errors import CursorMoved
from store.kept import Kept
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.notices import About, add_notices
from tasks.rules_in_effect import rules_in_effect
from tasks.state import load_state, with_missed_offers
from tasks.steps import as_task

READ = 5000
CURSOR = ("steward", "forfeiture_warnings")


@dataclass(frozen=True, slots=True)
class _Warning:
    """What an owner is to be told of."""

    account_id: str
    name: str
    owner_id: str
    idle: Idle


def warn_of_forfeiture(context: RunContext) -> int:
    """Tell owners of the accounts they forfeit soon, once for each time that nothing happens on one; returns of how
    many. A killed pass is done again, and tells nobody twice."""
    keeping, seen = context.policy.policy.keeping, (context.today(), context.policy.policy_hash)
    if keeping.forfeit_after_days is None or not keeping.warn_days_before:
        return 0
    with context.store.transaction(readonly=True) as uow:
        last = uow.cursors.get(*CURSOR)
        if last is not None and (last.high_water, last.tie_break) == seen:
            return 0
        warnings = [each for due in _by_day(context, uow).items() for each in _lost_then(context, uow, *due)]
    generation = last.generation if last else 0

    def warn(uow: UnitOfWork) -> None:
        add_notices(uow, context, FORFEITURE, [_about(context, each) for each in warnings], "")
        uow.cursors.advance(*CURSOR, *seen, generation, context.run_id, context.now())

    with suppress(CursorMoved):  # another run has just told them
        context.store.run(warn)
    return len(warnings)


def _by_day(context: RunContext, uow: UnitOfWork) -> dict[date, dict[str, Idle]]:
    """The accounts that are to be warned of, by the day on which they would be lost."""
    roster, today = context.policy.roster, context.today()
    people = {rep for rep in roster.present_on(today) if not roster.is_queue(rep)}
    found = defaultdict[date, dict[str, Idle]](dict)
    for kept in _kept(context, uow):
        if kept.owner_id in people and (idle := _idle(context, kept, today)):
            found[idle.lost_on][kept.account_id] = idle
    return found


def _kept(context: RunContext, uow: UnitOfWork) -> Iterator[Kept]:
    """Every account that has been somebody's long enough; days that count are never more than those that passed."""
    keeping, after = context.policy.policy.keeping, ""
    days = (keeping.forfeit_after_days or 0) - keeping.warn_days_before
    before = context.now() - timedelta(days=max(days, 0))
    while some := uow.kept.since(before, after, READ):
        yield from some
        after = some[-1].account_id


def _idle(context: RunContext, kept: Kept, today: str) -> Idle | None:
    policy = context.policy.policy
    quiet = fold_fields({name: kept.fields.get(name) for name in ACTIVITY}, today).get("days_since_activity")
    rep = context.policy.roster.reps[kept.owner_id]
    return about_to_forfeit(policy.keeping, rep, quiet, local_day(policy.timezone, kept.since), today)


def _lost_then(context: RunContext, uow: UnitOfWork, lost_on: date, idle: Mapping[str, Idle]) -> Iterator[_Warning]:
    """Those of these accounts that the rules would give to somebody else on that day: what leadership has placed, say,
    stays where it is."""
    ahead = lost_on - date.fromisoformat(context.today())
    day = Day.of(rules_in_effect(uow, context.policy.policy), context.policy.roster, context.now() + ahead)
    accounts = with_missed_offers(uow, day, family_order(list(uow.accounts.get_many(idle).values())))
    state = load_state(uow, day, accounts, lock=False)
    owners = dict(state.owners)
    decisions, _ = decide_on(day, accounts, state)
    for account, decision in zip(accounts, decisions, strict=True):
        if move_of(account, decision, owners[account.id]):
            yield _Warning(account.id, account.name, owners[account.id], idle[account.id])


def _about(context: RunContext, warned: _Warning) -> About:
    name, idle = context.policy.roster.name(warned.owner_id), warned.idle
    quiet = f"{warned.name}: nothing has happened on it since {idle.since}"
    line = f"{quiet}; it goes to somebody else on {idle.lost_on} unless something happens on it"
    others = f"{quiet}; {name} loses it on {idle.lost_on} unless something happens on it"
    spell = f"{warned.account_id}:{warned.owner_id}:{idle.since}"
    return About(warned.account_id, warned.owner_id, line, others, spell)


ACTIVITY = ("activity_on", "days_since_activity")
warn_of_forfeiture_task = as_task(warn_of_forfeiture, "acceptance")
