"""The outside as we know it: what each CRM record shows as its owner, and what we last proved it to show."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ownership.case import Edit
from ownership.model import Account, Ref
from ownership.writeback import owner_set_by_hand
from store.exceptions import record_key
from store.remote import RemoteState
from store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Outside:
    """Owners of the records of some accounts: those `shown`, by account, and those `confirmed`.

    `held` are records of which we have never proved anything, and which somebody changed before we could write to them.
    """

    shown: Mapping[str, Mapping[Ref, str | None]]
    confirmed: Mapping[Ref, str]
    held: frozenset[Ref]


def outside_of(uow: UnitOfWork, accounts: Sequence[Account], targets: Container[str]) -> Outside:
    """What is known of the records that these accounts have in the systems `targets`."""
    records = {account.id: [ref for ref in account.refs if ref.source in targets] for account in accounts}
    refs = [ref for some in records.values() for ref in some]
    states = uow.remote.get(refs)
    confirmed = {ref: state.confirmed_owner for ref, state in states.items() if state.confirmed_owner}
    newer = _confirmed_since_pulled(uow, states)
    shown = {
        account.id: {ref: newer.get(ref, account.crm_owners.get(ref)) for ref in records[account.id]}
        for account in accounts
    }
    confirmed |= _written_unheard(
        uow, {ref: owner for some in shown.values() for ref, owner in some.items()}, confirmed
    )
    return Outside(shown, confirmed, _held(uow, (ref for ref in refs if ref not in confirmed)))


def edits_of(
    uow: UnitOfWork,
    accounts: Sequence[Account],
    owners: Mapping[str, str],
    targets: Container[str],
    has_integrations: bool = False,
) -> dict[str, Edit]:
    """Who a person has set as the owner of an account in a CRM since it showed what we wanted.

    Where the policy names integrations, an edit is a person's once the drift guard has seen whose it is.
    """
    owned = [account for account in accounts if account.id in owners]
    outside = outside_of(uow, owned, targets)
    found = {
        account.id: owner_set_by_hand(owners[account.id], outside.shown[account.id], outside.confirmed, outside.held)
        for account in owned
    }
    edits = {id_: Edit(*edit) for id_, edit in found.items() if edit is not None}
    if not has_integrations or not edits:
        return edits
    by_persons = uow.drift.set_by_persons(edits)
    return {id_: edit for id_, edit in edits.items() if (id_, edit.owner) in by_persons}


def _held(uow: UnitOfWork, refs: Iterable[Ref]) -> frozenset[Ref]:
    by_key = {record_key("owner_drift", ref.source, ref.object_type, ref.external_id): ref for ref in refs}
    return frozenset(by_key[key] for key in uow.exceptions.open_among(by_key))


def _written_unheard(uow: UnitOfWork, shown: Mapping[Ref, str | None], confirmed: Mapping[Ref, str]) -> dict[Ref, str]:
    """Records that show an owner of ours whose write got no answer: it was done, and is nobody's edit."""
    moved = {ref: owner for ref, owner in shown.items() if owner and owner != confirmed.get(ref, owner)}
    sent = uow.drift.sent_to(moved)
    return {ref: owner for ref, owner in moved.items() if ref in sent and owner in sent[ref].unanswered}


def _confirmed_since_pulled(uow: UnitOfWork, states: Mapping[Ref, RemoteState]) -> dict[Ref, str]:
    """Owners we proved to be shown after their records were pulled last: what was pulled then is older than our push,
    and no drift."""
    confirmed = {ref: state for ref, state in states.items() if state.confirmed_owner and state.confirmed_at}
    pulled = uow.staging.pulled_at(confirmed)
    return {
        ref: str(state.confirmed_owner)
        for ref, state in confirmed.items()
        if (at := pulled.get((ref.source, ref.external_id))) and state.confirmed_at and at < state.confirmed_at
    }
