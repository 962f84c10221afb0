"""Say in plain words who owns an account and why, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator

from ownership.exception_kinds import due_by, said_of, ways_of, who_acts
from ownership.explain import explain
from ownership.model import Account
from store.exceptions import ExceptionItem
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
        problems = uow.exceptions.open_of(account.id)
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


def exception_lines(context: RunContext, kind: str | None = None) -> Iterator[str]:
    """Open exceptions, one a line, by kind, each with since when, who has to act, and the commands that settle it."""
    with context.store.transaction(readonly=True) as uow:
        items = sorted(uow.exceptions.open_items(kind), key=lambda item: (item.kind, item.dedup_key))
        ids = {item.account_id for item in items if item.account_id}
        names = {account.id: account.name for account in uow.accounts.get_many(ids).values()}
        owners = {id_: current.owner_id for id_, current in uow.ledger.current(ids).items()}
    if not items:
        yield "Nothing needs a person."
    for item in items:
        name = names.get(item.account_id or "", "") or item.dedup_key
        yield f"{item.kind:<22} {name:<40} {said_of(item.detail)}"
        yield f"{'':<22} {_standing(context, item, owners.get(item.account_id or ''))}"
        ways = "|".join(ways_of(item.kind, item.detail))
        yield f"{'':<22} steward resolve {item.exception_id} {ways} --as WHO --reason WHY"
        for way in item.detail.get("ways_out", ()):
            yield f"{'':<22} {way}"


def _standing(context: RunContext, item: ExceptionItem, owner: str | None) -> str:
    """Since when it is open, who has to act and by when, and whether it is snoozed."""
    acts, manager = who_acts(item.kind, owner, context.policy.roster)
    who = context.policy.roster.name(manager) if manager else acts.value
    due = due_by(item.kind, item.first_seen_at, context.policy.policy.exception_hours)
    is_late = ", overdue" if due < context.now() else ""
    asleep = item.snoozed_until is not None and item.snoozed_until > context.now()
    hidden = f", snoozed until {item.snoozed_until:%Y-%m-%d}" if asleep else ""
    days = (context.now() - item.first_seen_at).days
    return f"open for {days} days, for {who} by {due:%Y-%m-%d %H:%M} UTC{is_late}{hidden}"
