"""Who owned an account on a day, as it was known on another; and all its changes of owner. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ownership.explain import REASON_WORDS
from store.ledger import LedgerRow
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account


def owner_lines(
    context: RunContext, query: str, on: datetime | None = None, known_on: datetime | None = None
) -> Iterator[str]:
    """The owner at `on` as known at `known_on`, both now when None, and under it every change known then.

    A change that was recorded later than `known_on` is not told, even where it says that it holds from before.
    """
    now = context.now()
    on, known_on = on or now, known_on or now
    with context.store.transaction(readonly=True) as uow:
        account = find_account(uow, query)
        if account is None:
            yield unknown_account(query)
            return
        parts = uow.accounts.get_many(uow.identity.parts_of(account.id))
        histories = {id_: uow.ledger.history(id_) for id_ in (account.id, *parts)}
        # Asked for by the id it had before: until it became part of this account it was owned by itself.
        before = uow.ledger.as_of(query, on, known_on) if query in parts else None
        then = before if before and before.owner_id else uow.ledger.as_of(account.id, on, known_on)
    who = _who(context, then.owner_id) if then else "nobody"
    name = parts[query].name if then and then is before else account.name
    yield f"{name} was owned by {who} on {_at(on)}, as known on {_at(known_on)}."
    for id_, rows in histories.items():
        if id_ != account.id:
            yield f"  {parts[id_].name} ({id_}), which is part of it now:"
        for row in rows:
            if row.recorded_at <= known_on:
                yield f"  #{row.seq} {_change(context, row)}"


def _change(context: RunContext, row: LedgerRow) -> str:
    late = f", recorded {_at(row.recorded_at)}" if row.recorded_at != row.valid_from else ""
    why = REASON_WORDS.get(row.reason, row.reason.replace("_", " "))
    return f"from {_at(row.valid_from)} {_who(context, row.owner_id)}: {why}, by {row.actor}{late}"


def _who(context: RunContext, owner_id: str | None) -> str:
    return context.policy.roster.name(owner_id) if owner_id else "nobody"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
