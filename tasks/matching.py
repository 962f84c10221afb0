"""Match: which canonical account each staged row belongs to, and which lead is whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from connectors.base import SourceRow
from ownership.leads import link_leads
from ownership.linking import PROBLEM_KINDS, Linked, link_records
from ownership.model import Account, AccountFact, AccountRecord, LeadRecord, Ref
from store.exceptions import RECORD_KINDS, record_key
from store.staging import StagedRow
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task


@dataclass(frozen=True, slots=True)
class Matched:
    """How many readable rows became how many accounts, over how many systems, and how many leads, with how many open
    questions."""

    rows: int
    accounts: int
    in_several_systems: int
    problems: int
    leads: int = 0


def match_accounts(context: RunContext) -> Matched:
    """Link every readable staged row to an account and store the accounts, in one commit.

    Accounts keep their id from run to run: a row that was linked before stays where it was unless the evidence
    changed. What cannot be linked without doubt becomes an exception.
    """
    return context.store.run(lambda uow: _match(context, uow))


def _match(context: RunContext, uow: UnitOfWork) -> Matched:
    staged = _read_staged(context, uow)
    known = {ref: account.id for account in uow.accounts.all() for ref in account.refs}
    rep_of = load_identities(context, uow).rep_of
    linked = link_records(staged.records, staged.facts, known, new_account_id, rep_of)
    leads = link_leads(staged.leads, linked.accounts, known, new_lead_id, rep_of)
    now = context.now()
    uow.accounts.save([*linked.accounts, *leads], now)
    _forget_what_is_gone(uow, known, [*linked.accounts, *leads], now)
    _note_problems(context, uow, linked)
    return Matched(
        rows=len(staged.records) + len(staged.facts) + len(staged.leads),
        accounts=len(linked.accounts),
        in_several_systems=sum(1 for account in linked.accounts if len({ref.source for ref in account.refs}) > 1),
        problems=len(linked.problems),
        leads=len(leads),
    )


def new_account_id(ref: Ref) -> str:
    """An account's id follows from the first record that showed it, so that a rerun from nothing gives the same."""
    return "acc_" + _digest(ref)


def new_lead_id(ref: Ref) -> str:
    """As for accounts."""
    return "lead_" + _digest(ref)


def _digest(ref: Ref) -> str:
    return sha256(f"{ref.source}/{ref.object_type}/{ref.external_id}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class _Staged:
    """What the readable staged rows say."""

    records: list[AccountRecord] = field(default_factory=list)
    facts: list[AccountFact] = field(default_factory=list)
    leads: list[LeadRecord] = field(default_factory=list)


def _read_staged(context: RunContext, uow: UnitOfWork) -> _Staged:
    found = _Staged()
    for staged in uow.staging.live():
        if staged.problem or staged.source not in context.connectors.sources:
            continue
        value = context.connectors.sources[staged.source].to_value(_to_row(staged))
        if isinstance(value, AccountRecord):
            found.records.append(value)
        elif isinstance(value, AccountFact):
            found.facts.append(value)
        elif isinstance(value, LeadRecord):
            found.leads.append(value)
    return found


def _to_row(staged: StagedRow) -> SourceRow:
    return SourceRow(staged.source, staged.stream, staged.external_id, staged.modified_at, staged.fields)


def _forget_what_is_gone(uow: UnitOfWork, known: Mapping[Ref, str], accounts: Sequence[Account], now: datetime) -> None:
    """Accounts and records that are in no system any more need nobody's attention nor answer. Their history stays.

    So it is with a lead that was converted: it is part of an account now.
    """
    gone = sorted(set(known.values()) - {account.id for account in accounts})
    uow.accounts.mark_gone(gone, now)
    uow.offers.supersede(gone, now)
    uow.exceptions.close_of_accounts(gone, "steward", "the account is in no system any more", now)
    left = sorted(known.keys() - {ref for account in accounts for ref in account.refs})
    keys = [record_key(kind, ref.source, ref.object_type, ref.external_id) for ref in left for kind in RECORD_KINDS]
    uow.exceptions.close(keys, "steward", "the record is not there any more", now)


def _note_problems(context: RunContext, uow: UnitOfWork, linked: Linked) -> None:
    now = context.now()
    account_of = {ref: account.id for account in linked.accounts for ref in account.refs}
    found = set()
    for problem in linked.problems:
        key = f"{problem.kind}:" + ",".join(f"{ref.source}/{ref.external_id}" for ref in sorted(problem.refs))
        found.add(key)
        detail = {"records": [f"{ref.source}/{ref.external_id}" for ref in problem.refs], "because": problem.because}
        account_id = next((account_of[ref] for ref in sorted(problem.refs) if ref in account_of), None)
        uow.exceptions.open(problem.kind, key, account_id, detail, "warning", context.run_id, now)
    solved = [
        item.dedup_key
        for kind in PROBLEM_KINDS
        for item in uow.exceptions.open_items(kind)
        if item.dedup_key not in found
    ]
    uow.exceptions.close(solved, by="steward", resolution="no longer found", now=now)


match_accounts_task = as_task(match_accounts, "match")
