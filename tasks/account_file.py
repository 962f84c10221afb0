"""Everything known of one account, read at once for its page. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ownership.model import Account, Ref
from store.decisions import Explanation
from store.drift import DriftEvent
from store.exceptions import ExceptionItem
from store.ledger import CurrentOwner, LedgerRow
from store.lineage import Sent
from store.offers import Offer
from store.overrides import OpenedDispute, OverrideRequest
from store.remote import RemoteState
from store.runs import Run
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identity_lines import lines_of_matches


@dataclass(frozen=True, slots=True)
class RecordShown:
    """One record of the account outside: what it shows, and the last push to it. `state` is None where Steward never
    read or wrote it on its own, and `last_push` where it never had to."""

    ref: Ref
    owner_pulled: str | None
    state: RemoteState | None
    last_push: Sent | None


@dataclass(frozen=True, slots=True)
class AccountFile:
    """One account. `history`, `offers`, `drift`, `overrides` and `disputes` are the latest first, those of accounts
    that became part of it with them; `runs` are those the history names, by id."""

    account: Account
    owner: CurrentOwner | None
    team: Mapping[str, str]
    last: Explanation | None
    history: Sequence[LedgerRow]
    runs: Mapping[str, Run]
    records: Sequence[RecordShown]
    matches: Sequence[str]
    parent: Account | None
    below: Sequence[Account]
    offers: Sequence[Offer]
    drift: Sequence[DriftEvent]
    overrides: Sequence[OverrideRequest]
    disputes: Sequence[OpenedDispute]
    exceptions: Sequence[ExceptionItem]

    @property
    def open_offer(self) -> Offer | None:
        return next((offer for offer in self.offers if offer.state == "offered"), None)


def now_id_of(context: RunContext, account_id: str) -> str:
    """What the account with this id has become; the id itself for one that is still its own."""
    with context.store.transaction(readonly=True) as uow:
        return uow.identity.now_ids([account_id]).get(account_id, account_id)


def read_account_file(context: RunContext, account_id: str) -> AccountFile | None:
    """The account with this id, gone or not; None when there is none."""
    with context.store.transaction(readonly=True) as uow:
        account = uow.accounts.get(account_id)
        return _read(context, uow, account) if account else None


def _read(context: RunContext, uow: UnitOfWork, account: Account) -> AccountFile:
    ids = [account.id, *uow.identity.parts_of(account.id)]
    history = [row for id_ in ids for row in uow.ledger.history(id_)]
    history.sort(key=lambda row: (row.recorded_at, row.seq), reverse=True)
    drift = [event for events in uow.drift.of_records(account.refs).values() for event in events]
    return AccountFile(
        account=account,
        owner=uow.ledger.current([account.id]).get(account.id),
        team=uow.ledger.teams([account.id]).get(account.id, {}),
        last=uow.decisions.explanation(account.id),
        history=history,
        runs=uow.runs.get_many({row.run_id for row in history}),
        records=_records(uow, account, ids),
        matches=tuple(lines_of_matches(context, uow, account)),
        parent=uow.accounts.get(account.parent_id) if account.parent_id else None,
        below=uow.accounts.below(account.id),
        offers=[offer for id_ in ids for offer in uow.offers.asked_of(id_)],
        drift=sorted(drift, key=lambda event: event.detected_at, reverse=True),
        overrides=uow.overrides.about(ids),
        disputes=uow.disputes.about(ids),
        exceptions=uow.exceptions.open_of(account.id),
    )


def _records(uow: UnitOfWork, account: Account, ids: Sequence[str]) -> list[RecordShown]:
    states = uow.remote.get(account.refs)
    last = {sent.ref: sent for id_ in reversed(ids) for sent in uow.lineage.sent(id_)}
    return [RecordShown(ref, account.crm_owners.get(ref), states.get(ref), last.get(ref)) for ref in account.refs]
