"""Who owned an account on a day, as it was known on another; and all its changes of owner. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ownership.explain import why
from ownership.model import Account
from store.ledger import LedgerRow
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account


@dataclass(frozen=True, slots=True)
class OwnedOn:
    """Who owned an account at `on`, as known at `known_on`: the change of owner that held then, None before the first.

    `name` is what it was called by the id that was asked for. `histories` are all changes of owner, by id, of the
    account and of its `parts`, the accounts that became part of it.
    """

    account: Account
    name: str
    row: LedgerRow | None
    on: datetime
    known_on: datetime
    histories: Mapping[str, Sequence[LedgerRow]]
    parts: Mapping[str, Account]


def owner_lines(
    context: RunContext, query: str, on: datetime | None = None, known_on: datetime | None = None
) -> Iterator[str]:
    """The owner at `on` as known at `known_on`, both now when None, and under it every change known then.

    A change that was recorded later than `known_on` is not told, even where it says that it holds from before.
    """
    asked = owned_on(context, query, on, known_on)
    if asked is None:
        yield unknown_account(query)
        return
    who = _who(context, asked.row.owner_id) if asked.row else "nobody"
    known_on = asked.known_on
    yield f"{asked.name} was owned by {who} on {_at(asked.on)}, as known on {_at(known_on)}."
    for id_, rows in asked.histories.items():
        if id_ != asked.account.id:
            yield f"  {asked.parts[id_].name} ({id_}), which is part of it now:"
        for row in rows:
            if row.recorded_at <= known_on:
                yield f"  #{row.seq} {_change(context, row)}"


def owned_on(
    context: RunContext, query: str, on: datetime | None = None, known_on: datetime | None = None
) -> OwnedOn | None:
    """What the ledger said, at `known_on`, of the account that `query` finds at `on`; None when it finds none."""
    now = context.now()
    on, known_on = on or now, known_on or now
    with context.store.transaction(readonly=True) as uow:
        account = find_account(uow, query)
        if account is None:
            return None
        parts = uow.accounts.get_many(uow.identity.parts_of(account.id))
        histories = {id_: uow.ledger.history(id_) for id_ in (account.id, *parts)}
        # Asked for by the id it had before: until it became part of this account it was owned by itself.
        before = uow.ledger.as_of(query, on, known_on) if query in parts else None
        then = before if before and before.owner_id else uow.ledger.as_of(account.id, on, known_on)
    name = parts[query].name if then and then is before else account.name
    return OwnedOn(account, name, then, on, known_on, histories, parts)


def _change(context: RunContext, row: LedgerRow) -> str:
    late = f", recorded {_at(row.recorded_at)}" if row.recorded_at != row.valid_from else ""
    return f"from {_at(row.valid_from)} {_who(context, row.owner_id)}: {why(row.reason)}, by {row.actor}{late}"


def _who(context: RunContext, owner_id: str | None) -> str:
    return context.policy.roster.name(owner_id) if owner_id else "nobody"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
