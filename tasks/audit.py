"""Audit: prove that nothing was lost, from the outside in.

Completeness is counted over our own tables; truth is read from each CRM. What does not add up becomes an exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.base import ObservedOwner, OwnerTarget, RecordState, SourceRow
from ownership.model import Account, LeadRecord, Ref
from store.exceptions import RECORD_KINDS, record_key
from store.seals import Seal
from store.staging import StagedRow
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task


@dataclass(frozen=True, slots=True)
class Completeness:
    """Every pulled row is in an account or an exception, and every account has an owner or an exception.

    `unmatched` are rows of engagement tools that are of no account. `waiting` are the accounts without an owner for
    which an exception is open.
    """

    pulled: int
    linked: int
    excepted_rows: int
    unmatched: int
    accounts: int
    owned: int
    waiting: int
    without_either: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.without_either and self.pulled == self.linked + self.excepted_rows + self.unmatched


@dataclass(frozen=True, slots=True)
class TargetTruth:
    """What one CRM really shows: records that agree with the ledger, those known to differ, and the rest.

    A record is known to differ when its account waits for an owner, when a push to it waits, when the drift guard is
    to act on it or was stopped, or when an exception about this very record is open.
    """

    target: str
    records: int
    agree: int
    explained: int
    unexplained: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.unexplained


def audit_completeness(context: RunContext) -> Completeness:
    """Count what came in against what was decided."""
    with context.store.transaction(readonly=True) as uow:
        accounts = list(uow.accounts.all())
        owned = uow.ledger.current()
        excepted = uow.exceptions.open_accounts()
        rows = list(uow.staging.live())
        linked = {(ref.source, ref.external_id) for account in accounts for ref in account.refs}
    records = [row for row in rows if _is_counted(context, row)]
    unreadable = [row for row in records if row.problem]
    alone = [row for row in records if not row.problem and (row.source, row.external_id) not in linked]
    return Completeness(
        pulled=len(records),
        linked=len(records) - len(unreadable) - len(alone),
        excepted_rows=len(unreadable),
        unmatched=sum(1 for row in alone if row.source in context.connectors.followers),
        accounts=len(accounts),
        owned=sum(1 for account in accounts if account.id in owned),
        waiting=sum(1 for account in accounts if account.id not in owned and account.id in excepted),
        without_either=tuple(sorted(a.id for a in accounts if a.id not in owned and a.id not in excepted)),
    )


def _is_counted(context: RunContext, row: StagedRow) -> bool:
    """Whether a row must be found in an account, a lead or an exception. Contacts that are no leads, and leads that
    were converted, are nobody's to decide."""
    source = context.connectors.sources.get(row.source)
    if source is None or row.stream not in (source.streams[0], "leads"):
        return False
    if row.stream == source.streams[0] or row.problem:
        return True
    value = source.to_value(SourceRow(row.source, row.stream, row.external_id, row.modified_at, row.fields))
    return isinstance(value, LeadRecord) and not value.converted


def audit_target(context: RunContext, target: str) -> TargetTruth:
    """Read every record's owner from the system itself and compare it with the ledger.

    A difference nobody knows of yet is opened as `owner_differs`.
    """
    with context.store.transaction(readonly=True) as uow:
        identities = load_identities(context, uow)
        owners = {account_id: current.owner_id for account_id, current in uow.ledger.current().items()}
        pairs = list(_records_of(uow.accounts.all(), target))
        known = _Known(uow, target)
    agree, explained = 0, 0
    found: list[Difference] = []
    for account, ref, seen in _observed(context.connectors.targets[target], pairs):
        owner, shown = owners.get(account.id), identities.label(target, seen.owner_id)
        if owner is not None and shown == owner and seen.state is RecordState.LIVE:
            agree += 1
        elif known.explains(account.id, ref, owner):
            explained += 1
        else:
            found.append(Difference(account.id, ref, shown, owner))
    _open_differences(context, found)
    return TargetTruth(target, len(pairs), agree, explained, tuple(str(each.ref.external_id) for each in found))


def _observed(
    target: OwnerTarget, pairs: Sequence[tuple[Account, Ref]]
) -> Iterator[tuple[Account, Ref, ObservedOwner]]:
    """What the system shows for each record, read by kind of record."""
    for kind in sorted({ref.object_type for _, ref in pairs}):
        some = [(account, ref) for account, ref in pairs if ref.object_type == kind]
        seen = target.read_owners([ref.external_id for _, ref in some], kind)
        yield from ((account, ref, each) for (account, ref), each in zip(some, seen, strict=True))


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that shows another owner than the ledger, and nobody knows why."""

    account_id: str
    ref: Ref
    shown: str | None
    owner: str | None


class _Known:
    """What is already known to be different outside, and why."""

    def __init__(self, uow: UnitOfWork, target: str) -> None:
        items = uow.exceptions.open_items(explained_too=True)
        self._waiting_accounts = {item.account_id for item in items if item.account_id}
        self._keys = {item.dedup_key for item in items}
        self._pushes = uow.outbox.waiting(target)
        self._noted = uow.drift.noted(target)

    def explains(self, account_id: str, ref: Ref, owner: str | None) -> bool:
        if owner is None:
            return account_id in self._waiting_accounts
        keys = {record_key(kind, ref.source, ref.object_type, ref.external_id) for kind in RECORD_KINDS}
        return ref.external_id in self._pushes or ref in self._noted or not keys.isdisjoint(self._keys)


def _records_of(accounts: Iterator[Account], target: str) -> Iterator[tuple[Account, Ref]]:
    for account in accounts:
        for ref in account.refs:
            if ref.source == target:
                yield account, ref


def _open_differences(context: RunContext, found: Sequence[Difference]) -> None:
    def write(uow: UnitOfWork) -> None:
        for each in found:
            problem = f"{each.ref.source} shows {each.shown or 'nobody'}, the ledger says {each.owner or 'nobody'}"
            detail = {"target": each.ref.source, "record": each.ref.external_id, "problem": problem}
            key = record_key("owner_differs", each.ref.source, each.ref.object_type, each.ref.external_id)
            uow.exceptions.open("owner_differs", key, each.account_id, detail, "error", context.run_id, context.now())

    if found:
        context.store.run(write)


def audit_ledger(context: RunContext, kept_roots: Sequence[tuple[int, str]] = ()) -> str | None:
    """The first thing in words that is not as it was written: a position of the ledger, a text, a seal.

    `kept_roots` are roots of seals that were kept elsewhere, by the seal's number. None when all is as written.
    """
    with context.store.transaction(readonly=True) as uow:
        if broken := uow.ledger.verify():
            return str(broken)
        if altered := uow.seals.altered_texts():
            return f"{len(altered)} texts that decisions refer to, the first under {altered[0]}"
        key = context.settings.seal_key.get_secret_value()
        broken_seal = uow.seals.verify(key, kept_roots)
    return str(broken_seal) if broken_seal else None


def seal_ledger(context: RunContext, broken_at: str | None) -> Seal | None:
    """Seal what was recorded until an hour ago; None when that is nothing new, or `broken_at` says what is wrong."""
    if broken_at is not None:
        return None
    key = context.settings.seal_key.get_secret_value()
    return context.store.run(lambda uow: uow.seals.add(key, context.run_id, context.now()))


audit_completeness_task = as_task(audit_completeness, "audit")
audit_ledger_task = as_task(audit_ledger, "audit")
seal_ledger_task = as_task(seal_ledger, "audit")
audit_target_task = as_task(audit_target, "audit", "audit owners shown in {target}")
