"""Match: which canonical account each staged row belongs to, and which lead is whose.

The scheduled flow links everything, the triggered one what hangs together with the rows that changed; both come to the
same. What is read for it is in `tasks/identity_part.py`, what follows from it in `tasks/identity_changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from ownership.leads import link_leads
from ownership.linking import Linked, link_records
from ownership.linking.records import records_of
from ownership.model import ACCOUNT, LEAD, Account, Ref
from store.exceptions import RECORD_KINDS, record_key
from store.identity import MERGED
from store.likenesses import MATCH, Likeness
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.identity_changes import Aftermath, Changes, changes_of
from tasks.identity_component import MOST_CHANGED, read_component
from tasks.identity_likeness import Comparing, compared_leads
from tasks.identity_part import Part, alike_of, read_everything
from tasks.identity_problems import note_problems, review_problems
from tasks.steps import as_task


@dataclass(frozen=True, slots=True)
class Matched:
    """How many readable rows became how many accounts, over how many systems, and how many leads, with how many open
    questions. `unmatched` are companies that only engagement tools know. `changed` is how many rows said something new;
    `begun` are the accounts and leads that were none before, where not everything was linked."""

    rows: int = 0
    accounts: int = 0
    in_several_systems: int = 0
    problems: int = 0
    leads: int = 0
    unmatched: int = 0
    changed: int = 0
    begun: tuple[str, ...] = ()


def match_accounts(context: RunContext) -> Matched:
    """Link every readable staged row to an account and store the accounts, in one commit.

    Accounts keep their id from run to run: a row that was linked before stays where it was unless the evidence
    changed. What cannot be linked without doubt becomes an exception.
    """
    return context.store.run(lambda uow: _match(context, uow, everything=True))


def match_changed_accounts(context: RunContext) -> Matched:
    """The same for what hangs together with the rows that changed since they were matched; the rest stays as it is.

    What only comparing finds (accounts that share no key) is found by `match_accounts`.
    """
    return context.store.run(lambda uow: _match(context, uow, everything=False))


def _match(context: RunContext, uow: UnitOfWork, everything: bool) -> Matched:
    uow.keys.lock()
    everything = everything or uow.keys.is_empty()
    claimed = uow.staging.claim_unmatched()
    if everything or len(claimed) > MOST_CHANGED:
        part = read_everything(context, uow, claimed)
    elif claimed:
        part = read_component(context, uow, claimed)
    else:
        return Matched()
    linked, part = _link_accounts(context, uow, part)
    leads = _link_leads(context, uow, part, linked)
    _store(context, uow, part, linked, leads)
    return Matched(
        rows=len(part.values),
        accounts=len(linked.accounts),
        in_several_systems=sum(1 for account in linked.accounts if len({ref.source for ref in account.refs}) > 1),
        problems=len(linked.problems),
        leads=len(leads),
        unmatched=len(linked.unmatched),
        changed=part.claimed,
        begun=() if part.whole else _begun(part, [*linked.accounts, *leads]),
    )


def _begun(part: Part, after: Sequence[Account]) -> tuple[str, ...]:
    return tuple(account.id for account in after if account.id not in part.before)


def _link_accounts(context: RunContext, uow: UnitOfWork, part: Part) -> tuple[Linked, Part]:
    """Link by what records have in common; then, of everything, by what comparing finds beyond that."""
    linked = _link(context, uow, part)
    if not part.whole:
        return linked, part
    comparing = Comparing(context, uow, lambda: [*linked.accounts, *linked.unmatched])
    fresh = comparing.compare_accounts({each.ref: each for each in part.likenesses}, part.verdicts)
    if not fresh:
        return linked, part
    part.likenesses = _renewed(part.likenesses, fresh)
    part.background = replace(part.background, alike=alike_of(part.likenesses))
    return (_link(context, uow, part) if any(each.outcome == MATCH for each in fresh) else linked), part


def _link(context: RunContext, uow: UnitOfWork, part: Part) -> Linked:
    rep_of = load_identities(context, uow).rep_of
    known = _of_kind(part, ACCOUNT)
    return link_records(part.records, part.facts, known, new_account_id, rep_of, background=part.background)


def _link_leads(context: RunContext, uow: UnitOfWork, part: Part, linked: Linked) -> list[Account]:
    accounts = {account.id: account for account in (*linked.accounts, *part.others)}
    here = {ref for account in accounts.values() for ref in account.refs}
    known = {each.ref: each for each in part.likenesses}
    comparing = Comparing(context, uow, lambda: _everyone(uow, part, linked))
    fresh, found = comparing.compare_leads(part.leads, known, here, anew=part.claimed > 0)
    part.likenesses = _renewed(part.likenesses, fresh)
    accounts |= {account.id: account for account in found}
    rep_of, compared = load_identities(context, uow).rep_of, compared_leads(part.likenesses)
    known_leads, everybody = _of_kind(part, LEAD), list(accounts.values())
    return link_leads(part.leads, everybody, known_leads, new_lead_id, rep_of, part.background, compared)


def _everyone(uow: UnitOfWork, part: Part, linked: Linked) -> list[Account]:
    """All accounts: those just linked, and beside a part those that are stored."""
    stored = () if part.whole else uow.accounts.all()
    rest = (account for account in stored if account.kind == ACCOUNT and account.id not in part.before)
    return sorted((*linked.accounts, *rest), key=lambda account: account.id)


def _of_kind(part: Part, kind: str) -> dict[Ref, str]:
    return {ref: account.id for account in part.before.values() if account.kind == kind for ref in account.refs}


def _renewed(before: Sequence[Likeness], fresh: Sequence[Likeness]) -> list[Likeness]:
    return list({each.ref: each for each in (*before, *fresh)}.values())


def _store(context: RunContext, uow: UnitOfWork, part: Part, linked: Linked, leads: Sequence[Account]) -> None:
    now, after = context.now(), [*linked.accounts, *leads]
    records = records_of(part.records, part.facts, part.background)
    changes = changes_of(part.before, after, records, part.background)
    touched = {*changes.became, *changes.became.values(), *changes.left.values()}
    by_id = {account.id: account for account in after}
    current = uow.ledger.current(touched)
    follow = Aftermath(context, uow, part.before, by_id, changes, current).recordings()
    uow.accounts.save(after, now)
    uow.identity.are_back(by_id.keys() - part.before.keys())
    _end(context, uow, changes)
    uow.record(follow, context.run_id, now)
    after_of = {ref: account for account in after for ref in account.refs}
    _close_records(uow, part.known.keys() - after_of.keys(), now)
    leads_of = {ref: lead for lead in leads for ref in lead.refs}
    asked = {ref for each in part.likenesses for ref in (each.ref, each.other) if ref} - after_of.keys()
    asked -= {ref for each in linked.unmatched for ref in each.refs}
    account_of = uow.accounts.by_refs(asked) | {ref: account.id for ref, account in after_of.items()}
    doubts = review_problems(part.likenesses, account_of, leads_of, part.verdicts)
    note_problems(context, uow, part, [*linked.problems, *part.crowds, *doubts], after_of)


def _end(context: RunContext, uow: UnitOfWork, changes: Changes) -> None:
    """Accounts that are part of others, or in no system any more that founds them, need nobody's attention nor answer.
    Their history stays. So it is with a lead that was converted: it is part of an account now."""
    now, run_id = context.now(), context.run_id
    noted = uow.identity.note(changes.events, run_id, now)
    uow.close_accounts({each.account_id: each.event_id for each in noted if each.kind == MERGED}, run_id, now)
    ended = [*changes.became, *changes.gone]
    uow.accounts.mark_gone(ended, now)
    uow.offers.supersede(ended, now)
    uow.exceptions.close_of_accounts(
        changes.gone, "steward", "the account is in no CRM, billing or usage any more", now
    )
    uow.exceptions.close_of_accounts(changes.became, "steward", "the account is part of another one now", now)
    uow.identity.merge_accounts(changes.became, now)


def _close_records(uow: UnitOfWork, refs: Iterable[Ref], now: datetime) -> None:
    keys = [
        record_key(kind, ref.source, ref.object_type, ref.external_id) for ref in sorted(refs) for kind in RECORD_KINDS
    ]
    uow.exceptions.close(keys, "steward", "the record is not there any more", now)


def new_account_id(ref: Ref) -> str:
    """An account's id follows from the first record that showed it, so that a rerun from nothing gives the same."""
    return "acc_" + _digest(ref)


def new_lead_id(ref: Ref) -> str:
    """As for accounts."""
    return "lead_" + _digest(ref)


def _digest(ref: Ref) -> str:
    return sha256(f"{ref.source}/{ref.object_type}/{ref.external_id}".encode()).hexdigest()[:20]


match_accounts_task = as_task(match_accounts, "match")
match_changed_accounts_task = as_task(match_changed_accounts, "match")
