"""Say in plain words who owns an account and why, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator

from ownership.explain import explain
from ownership.model import Account
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext


def why_lines(context: RunContext, query: str) -> Iterator[str]:
    """The owner of the account that `query` finds, and the decision behind it, line by line."""
    with context.store.transaction(readonly=True) as uow:
        account = find_account(uow, query)
        if account is None:
            yield unknown_account(query)
            return
        decision = uow.decisions.explanation(account.id)
        problems = [item for item in uow.exceptions.open_items() if item.account_id == account.id]
    if decision is None:
        yield f"{account.name} has not been decided yet; the next run of assign-owners will."
    else:
        yield from explain(decision.decision, account, context.policy.roster).splitlines()
    for item in problems:
        yield f"Open exception: {item.kind}, since {item.first_seen_at:%Y-%m-%d %H:%M} UTC."


def find_account(uow: UnitOfWork, query: str) -> Account | None:
    """The account with this id or outside id, now or before it became part of another, else the best match of name or
    web domain."""
    now = uow.identity.now_ids([query]).get(query, query)
    if account := uow.accounts.get(now):
        return account
    outside = uow.identity.accounts_of(query.partition("/")[2] or query)
    return next(iter([*uow.accounts.live(outside), *uow.accounts.find(query, 1)]), None)


def unknown_account(query: str) -> str:
    return f"No account is called or known as '{query}'. Try its web domain or an id from the CRM."


def exception_lines(context: RunContext) -> Iterator[str]:
    """Open exceptions, one a line, by reason, each with the commands that settle it."""
    with context.store.transaction(readonly=True) as uow:
        items = sorted(uow.exceptions.open_items(), key=lambda item: (item.kind, item.dedup_key))
        names = {account.id: account.name for account in uow.accounts.all()}
    if not items:
        yield "Nothing needs a person."
    for item in items:
        said = item.detail.get("problem") or item.detail.get("because") or ""
        yield f"{item.kind:<22} {names.get(item.account_id or '', '') or item.dedup_key:<40} {said}"
        for way in item.detail.get("ways_out", ()):
            yield f"{'':<22} {way}"
