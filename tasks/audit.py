"""Audit: prove that nothing was lost, from the outside in.

Completeness is counted over our own tables; truth is read from each CRM. What does not add up becomes an exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.base import RecordState
from ownership.model import Account, Ref
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task


@dataclass(frozen=True, slots=True)
class Completeness:
    """Every pulled row is in an account or an exception, and every account has an owner or an exception."""

    pulled: int
    linked: int
    excepted_rows: int
    accounts: int
    owned: int
    excepted_accounts: int
    without_either: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.without_either and self.pulled == self.linked + self.excepted_rows


@dataclass(frozen=True, slots=True)
class TargetTruth:
    """What one CRM really shows: records that agree with the ledger, that an open exception explains, and the rest."""

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
        streams = {name: source.streams[0] for name, source in context.connectors.sources.items()}
    records = [row for row in rows if row.stream == streams.get(row.source)]
    unreadable = [row for row in records if row.problem]
    return Completeness(
        pulled=len(records),
        linked=sum(1 for row in records if not row.problem and (row.source, row.external_id) in linked),
        excepted_rows=len(unreadable),
        accounts=len(accounts),
        owned=sum(1 for account in accounts if account.id in owned),
        excepted_accounts=sum(1 for account in accounts if account.id in excepted),
        without_either=tuple(sorted(a.id for a in accounts if a.id not in owned and a.id not in excepted)),
    )


def audit_target(context: RunContext, target: str) -> TargetTruth:
    """Read every record's owner from the system itself and compare it with the ledger.

    A difference that no open exception and no waiting push explains is opened as `owner_differs`.
    """
    system = context.connectors.targets[target]
    with context.store.transaction(readonly=True) as uow:
        identities = load_identities(context, uow)
        current = uow.ledger.current()
        pairs = list(_records_of(uow.accounts.all(), target))
        explained_accounts = uow.exceptions.open_accounts()
    observed = system.read_owners([ref.external_id for _, ref in pairs])
    agree, explained, unexplained = 0, 0, []
    for (account, ref), seen in zip(pairs, observed, strict=True):
        owner = current[account.id].owner_id if account.id in current else None
        shown = identities.label(target, seen.owner_id)
        if owner is not None and shown == owner and seen.state is RecordState.LIVE:
            agree += 1
        elif account.id in explained_accounts:
            explained += 1
        else:
            unexplained.append((account, ref, shown, owner))
    _open_differences(context, unexplained)
    names = tuple(f"{ref.source}/{ref.external_id}" for _, ref, _, _ in unexplained)
    return TargetTruth(target, len(pairs), agree, explained, names)


def _records_of(accounts: Iterator[Account], target: str) -> Iterator[tuple[Account, Ref]]:
    for account in accounts:
        for ref in account.refs:
            if ref.source == target:
                yield account, ref


def _open_differences(context: RunContext, found: Sequence[tuple[Account, Ref, str | None, str | None]]) -> None:
    def write(uow: UnitOfWork) -> None:
        for account, ref, shown, owner in found:
            detail = {"record": f"{ref.source}/{ref.external_id}", "shows": shown, "ledger": owner}
            key = f"owner_differs:{ref.source}/{ref.external_id}"
            uow.exceptions.open("owner_differs", key, account.id, detail, "error", context.run_id, context.now())

    if found:
        context.store.run(write)


def audit_ledger(context: RunContext) -> str | None:
    """Check the ledger's hash chain; the first altered position in words, None when all of it is as written."""
    with context.store.transaction(readonly=True) as uow:
        broken = uow.ledger.verify()
    return str(broken) if broken else None


audit_completeness_task = as_task(audit_completeness, "audit")
audit_ledger_task = as_task(audit_ledger, "audit")
audit_target_task = as_task(audit_target, "audit", "audit owners shown in {target}")
