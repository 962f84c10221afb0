"""Linking records: from what the systems list to accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ownership.linking.account_ids import account_ids
from ownership.linking.background import NOTHING_ELSE, Background
from ownership.linking.groups import Groups
from ownership.linking.joining import join_all
from ownership.linking.merging import fact_key, to_account, values_of
from ownership.linking.parents import with_parents
from ownership.linking.problems import Linked, Problem
from ownership.model import Account, AccountFact, AccountRecord, Ref

PRECEDENCE = ("salesforce", "hubspot", "stripe")


def link_records(
    records: Sequence[AccountRecord],
    facts: Sequence[AccountFact],
    known: Mapping[Ref, str],
    new_id: Callable[[Ref], str],
    owner_of: Mapping[tuple[str, str], str],
    precedence: Sequence[str] = PRECEDENCE,
    background: Background = NOTHING_ELSE,
) -> Linked:
    """Group the records of one company and merge what they say.

    `known` keeps accounts under the id they had (see `account_ids`). `owner_of` gives the rep behind a vendor's user
    id. `precedence` lists the systems whose word counts first, for each field.
    """
    by_ref = records_of(records, facts, background)
    held = _still_held(known, background)
    owner = {ref: held[known[ref]] for ref in background.founding(by_ref) if known.get(ref) in held}
    groups = Groups(by_ref, background.verdicts, owner, background.followers)
    problems = join_all(groups, background) + _unplaced(facts, by_ref)
    ids = account_ids(groups, known, new_id, background)
    values = values_of(facts, groups)

    def made(leader: Ref, account_id: str) -> Account:
        members = [(ref, by_ref[ref]) for ref in sorted(groups.members[leader])]
        return to_account(account_id, members, values.get(leader, {}), owner_of, precedence)

    accounts = [made(leader, account_id) for leader, account_id in sorted(ids.items())]
    unmatched = [made(leader, new_id(leader)) for leader in sorted(groups.members.keys() - ids.keys())]
    account_of = {ref: ids[leader] for ref, leader in groups.leader.items() if leader in ids}
    account_of |= {old: account_of[now] for old in background.merged if (now := background.now(old)) in account_of}
    accounts, of_parents = with_parents(accounts, by_ref, account_of, background.parents)
    return Linked(sorted(accounts, key=lambda account: account.id), problems + of_parents, unmatched)


def _still_held(known: Mapping[Ref, str], background: Background) -> dict[str, str]:
    """Owners by account. Who merged two records in their own system has said whose the company is: the one that is
    left there."""
    settled = {
        known[old]
        for old in background.merged
        if old in known and known.get(background.now(old), known[old]) != known[old]
    }
    return {account_id: owner for account_id, owner in background.held.items() if account_id not in settled}


def records_of(
    records: Sequence[AccountRecord], facts: Sequence[AccountFact], background: Background = NOTHING_ELSE
) -> dict[Ref, AccountRecord]:
    """The records by their refs. A fact of a system that lists no records stands for one."""
    by_ref = {Ref(r.source, r.object_type, r.external_id): r for r in records}
    listing = {ref.source for ref in by_ref} if background.listing is None else background.listing
    return by_ref | {
        Ref(fact.source, "workspace", fact.external_id): _as_record(fact)
        for fact in sorted(facts, key=fact_key)
        if fact.source not in listing
    }


def _as_record(fact: AccountFact) -> AccountRecord:
    return AccountRecord(
        source=fact.source,
        object_type="workspace",
        external_id=fact.external_id,
        name=fact.name,
        email=fact.email,
        links=fact.links,
    )


def _unplaced(facts: Sequence[AccountFact], by_ref: Mapping[Ref, AccountRecord]) -> list[Problem]:
    places = {(ref.source, ref.external_id) for ref in by_ref}
    lost = sorted({Ref(f.source, "fact", f.external_id) for f in facts if (f.source, f.external_id) not in places})
    return [
        Problem("unplaced_fact", (ref,), f"{ref.source} speaks of {ref.external_id}, which it does not list")
        for ref in lost
    ]
