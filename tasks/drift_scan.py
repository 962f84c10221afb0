"""The scan: read the owners a system shows and compare them with the ledger. Nothing is written here, in or out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.base import ObservedOwner, OwnerHistory, OwnerTarget, RecordState
from ownership.model import Ref
from store.ledger import CurrentOwner
from store.remote import RemoteState
from store.statements import chunks
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task

DRIFT = "owner_drift"


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that showed something else than its account's owner, with what was known of it when it was read."""

    account_id: str
    ref: Ref
    owner: CurrentOwner
    known: RemoteState | None
    shown: str | None
    observed: ObservedOwner


@dataclass(frozen=True, slots=True)
class Found:
    """What one system shows: how many records were read, those that differ, and those about which a person was asked
    and that show their owner again."""

    target: str
    read: int = 0
    differing: tuple[Seen, ...] = ()
    back: tuple[Ref, ...] = ()


def find_differences(context: RunContext, target: str, lately_minutes: int | None = None) -> Found:
    """Read the owners of every record of `target` we ever confirmed, in pages of what it gives at once.

    With `lately_minutes`, only records of accounts of which one was confirmed, or found changed, so lately: enough to
    find a write of ours that came late, and cheap enough for every few minutes. Raises `RetryLater`,
    `ConnectorStopped`.
    """
    connector = context.connectors.targets[target]
    pages = _whole_book(context, connector) if lately_minutes is None else _lately(context, connector, lately_minutes)
    with context.store.transaction(readonly=True) as uow:
        waiting = uow.drift.waiting_for_persons(target)
    found = [_look_at(context, connector, refs, waiting) for refs in pages]
    return Found(
        target,
        sum(each.read for each in found),
        tuple(seen for each in found for seen in each.differing),
        tuple(ref for each in found for ref in each.back),
    )


def _whole_book(context: RunContext, target: OwnerTarget) -> Iterator[list[Ref]]:
    after: Ref | None = None
    while page := _page_after(context, target, after):
        yield page
        after = page[-1]
    with context.store.transaction(readonly=True) as uow:
        held = [ref for ref in _in_question(uow) if ref.source == target.name]
        known = uow.remote.get(held)
    never_confirmed = [ref for ref in held if ref not in known or known[ref].confirmed_owner is None]
    yield from chunks(never_confirmed, target.read_batch)


def _page_after(context: RunContext, target: OwnerTarget, after: Ref | None) -> list[Ref]:
    with context.store.transaction(readonly=True) as uow:
        return uow.remote.confirmed_page(target.name, after, target.read_batch)


def _lately(context: RunContext, target: OwnerTarget, minutes: int) -> Iterator[list[Ref]]:
    since = context.now() - timedelta(minutes=minutes)
    with context.store.transaction(readonly=True) as uow:
        held = set(_in_question(uow))
        touched = {*uow.remote.confirmed_since(since), *_in_question(uow, since)}
        accounts = uow.accounts.get_many(set(uow.accounts.by_refs(touched).values()))
        refs = {ref for account in accounts.values() for ref in account.refs if ref.source == target.name}
        known = uow.remote.get(refs)
    wanted = [ref for ref in sorted(refs) if ref in held or (ref in known and known[ref].confirmed_owner)]
    yield from chunks(wanted, target.read_batch)


def _in_question(uow: UnitOfWork, since: datetime | None = None) -> list[Ref]:
    """The records a person is asked about, those alone since an instant when given."""
    items = [item for item in uow.exceptions.open_items(DRIFT) if since is None or item.first_seen_at >= since]
    return [Ref(*item.dedup_key.removeprefix(f"{DRIFT}:").split("/", 2)) for item in items]


def _look_at(context: RunContext, target: OwnerTarget, refs: Sequence[Ref], waiting: set[Ref]) -> Found:
    """Compare a page of records with the ledger as it was just before they were read."""
    with context.store.transaction(readonly=True) as uow:
        identities = load_identities(context, uow)
        belongs, known = uow.accounts.by_refs(refs), uow.remote.get(refs)
        owners = uow.ledger.current(set(belongs.values()))
    owned = [ref for ref in refs if belongs.get(ref) in owners]
    differing, back = [], []
    for ref, observed in _read(target, owned):
        account_id, owner, shown = belongs[ref], owners[belongs[ref]], identities.label(target.name, observed.owner_id)
        state = known.get(ref)
        if observed.state is not RecordState.LIVE:
            continue
        if shown == owner.owner_id:
            back += [ref] if ref in waiting else []
        elif state is None or shown != state.confirmed_owner:
            differing.append(Seen(account_id, ref, owner, state, shown, observed))
    return Found(target.name, len(owned), tuple(_by_who_set_it(target, differing)), tuple(back))


def _by_who_set_it(target: OwnerTarget, differing: Sequence[Seen]) -> Iterator[Seen]:
    """The same, changed by whoever set the owner, where the system keeps that: an integration that touches other
    fields after a person's edit must not pass for who made it."""
    if not isinstance(target, OwnerHistory):
        yield from differing
        return
    for kind in sorted({each.ref.object_type for each in differing}):
        same = [each for each in differing if each.ref.object_type == kind]
        setters = target.who_set([each.observed for each in same], kind)
        for each in same:
            last = setters.get(each.observed.remote_id)
            observed = replace(each.observed, modified_by=last.by, modified_at=last.at) if last else each.observed
            yield replace(each, observed=observed)


def _read(target: OwnerTarget, refs: Sequence[Ref]) -> Iterator[tuple[Ref, ObservedOwner]]:
    for kind in sorted({ref.object_type for ref in refs} & set(target.object_types)):
        same = [ref for ref in refs if ref.object_type == kind]
        yield from zip(same, target.read_owners([ref.external_id for ref in same], kind), strict=True)


find_differences_task = as_task(find_differences, "drift", "read the owners shown in {target}")
