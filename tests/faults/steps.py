"""The steps of the job, each ready to be done on its own: what comes before it, the step, and what it leaves behind.

A fault is played on one step at a time (`test_each_step.py`): the step is done, disturbed, done again, and must leave
what it leaves undisturbed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.unit_of_work import UnitOfWork
from tasks.acceptance import accept_account, escalate_due
from tasks.assignment import assign_accounts
from tasks.audit import audit_target
from tasks.inbox import ChangeNote, take_in
from tasks.matching import match_accounts
from tasks.notices import deliver_notices
from tasks.pull import pull_people, pull_stream
from tasks.push import push_target
from tasks.rehearsal import Rehearsal

DACH = {"country": "Germany", "employees": 300}
FIRMS = ("0010", "0011", "0012", "0013", "0014")


@dataclass(frozen=True)
class Step:
    """`letter` is that of the fault matrix. `run` does the step; `left` is what can be seen of it afterwards."""

    letter: str
    name: str
    prepare: Callable[[Rehearsal], None]
    run: Callable[[Rehearsal], object]
    left: Callable[[Rehearsal, UnitOfWork], Any]


def founded(company: Rehearsal) -> None:
    """Five firms in Salesforce, nobody's, and the users of both CRMs known."""
    company.salesforce.page_size = 2
    for id_ in FIRMS:
        company.account("salesforce", id_, name=f"Firma {id_}", website=f"firma{id_}.de", owner=None, **DACH)
    company.new_run()
    for target in company.targets:
        pull_people(company.context, target)


def pulled(company: Rehearsal) -> None:
    founded(company)
    _pull(company)
    match_accounts(company.context)


def assigned(company: Rehearsal) -> None:
    pulled(company)
    assign_accounts(company.context)


def pushed(company: Rehearsal) -> None:
    assigned(company)
    push_target(company.context, "salesforce")


def unanswered(company: Rehearsal) -> None:
    """Nobody has answered within a day."""
    assigned(company)
    company.pass_time(hours=25)


def edited_outside(company: Rehearsal) -> None:
    """Somebody has changed an owner in Salesforce."""
    pushed(company)
    company.account("salesforce", FIRMS[0], owner="dana-whitfield")


NOTES = [ChangeNote(f"04l{number}", id_, datetime(2026, 11, 23, tzinfo=UTC), "") for number, id_ in enumerate(FIRMS, 1)]


def _pull(company: Rehearsal) -> object:
    return pull_stream(company.context, "salesforce", "accounts")


def _take_in(company: Rehearsal) -> object:
    return take_in(company.context.store, "salesforce", NOTES, company.context.now())


def _push(company: Rehearsal) -> object:
    company.pass_time(minutes=3)  # what a disturbed push has claimed is free again
    return push_target(company.context, "salesforce")


def _accept(company: Rehearsal) -> object:
    owner = company.owner("salesforce", FIRMS[0])
    return accept_account(company.context, f"Firma {FIRMS[0]}", str(owner))


def _staged(_company: Rehearsal, work: UnitOfWork) -> Any:
    cursor = work.cursors.get("salesforce", "accounts")
    return [row.external_id for row in work.staging.live()], cursor.high_water if cursor else None


def _kept(_company: Rehearsal, work: UnitOfWork) -> Any:
    return work.inbox.waiting("salesforce")


def owners(company: Rehearsal, work: UnitOfWork) -> Any:
    """What a decision leaves: owners with their history, the chain, rows to be sent, offers, exceptions, turns."""
    current = work.ledger.current()
    pools = [pool.id for pool in company.context.policy.policy.pools]
    return {
        "history": {id_: [(row.seq, row.owner_id) for row in work.ledger.history(id_)] for id_ in current},
        "chain": work.ledger.verify(),
        "current": work.ledger.rebuild_current() == current,
        "outbox": work.outbox.counts(),
        "asked": sorted(id_ for id_ in current if work.offers.of_account(id_)),
        "exceptions": sorted(item.dedup_key for item in work.exceptions.open_items()),
        "turns": work.turns.load(pools, lock=False),
        "to be told": sorted(message.email for message in work.notifications.pending()),
    }


def _shown(company: Rehearsal, work: UnitOfWork) -> Any:
    shown = {id_: company.shown("salesforce", id_) for id_ in FIRMS}
    written = sorted(change.remote_id for change in company.targets["salesforce"].written)
    return owners(company, work), shown, written


def _told(company: Rehearsal, work: UnitOfWork) -> Any:
    return sorted(notice.email for notice in company.notifier.delivered.values()), owners(company, work)["to be told"]


PULL = Step("P", "pull and cursor", founded, _pull, _staged)
INBOX = Step("W", "webhook inbox", founded, _take_in, _kept)
RECORD = Step("L", "decide and record", pulled, lambda company: assign_accounts(company.context), owners)
PUSH = Step("X", "claim, write and confirm", assigned, _push, _shown)
NOTIFY = Step("N", "notify", assigned, lambda company: deliver_notices(company.context), _told)
ACCEPT = Step("A", "accept", assigned, _accept, owners)
ESCALATE = Step("T", "escalate", unanswered, lambda company: escalate_due(company.context), owners)
AUDIT = Step("R", "audit", edited_outside, lambda company: audit_target(company.context, "salesforce"), _shown)
STEPS = (PULL, INBOX, RECORD, PUSH, NOTIFY, ACCEPT, ESCALATE, AUDIT)
