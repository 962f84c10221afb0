"""Say in words which records an account has, why each is linked, who confirmed it, what is in review, and what is of no
account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ownership.linking import Background, domains_of
from ownership.linking.evidence import evidence
from ownership.linking.records import records_of
from ownership.model import LEAD, Account, AccountFact, AccountRecord, Ref
from ownership.verdicts import name_of, standing
from store.identity import MERGED, MOVED, IdentityEvent
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account
from tasks.identity_part import alike_of, merged_refs, read_values


def match_lines(context: RunContext, query: str) -> Iterator[str]:
    """The records of the account or lead that `query` finds, line by line."""
    with context.store.transaction(readonly=True) as uow:
        account = find_account(uow, query)
        if account is None:
            yield unknown_account(query)
            return
        yield from lines_of_matches(context, uow, account)


def unmatched_lines(context: RunContext, system: str | None = None) -> Iterator[str]:
    """Records of engagement tools (of `system`) that are of no account, with what they say of themselves. Raises
    `LookupError` when that is no engagement tool."""
    followers = context.connectors.followers
    if system is not None and system not in followers:
        there = ", ".join(sorted(followers)) or "none"
        raise LookupError(f"{system} is no engagement tool that is connected; there are: {there}")
    some = sorted(followers if system is None else {system})
    with context.store.transaction(readonly=True) as uow:
        linked = {(ref.source, ref.external_id) for account in uow.accounts.all() for ref in account.refs}
        rows = [row for row in uow.staging.live() if row.source in some]
        values = [value for _, value in read_values(context, rows) if isinstance(value, AccountRecord)]
    alone = [value for value in values if (value.source, value.external_id) not in linked]
    for value in sorted(alone, key=lambda each: (each.source, each.external_id)):
        says = [value.name, *domains_of(value), *(f"names {'/'.join(link)}" for link in sorted(value.links.items()))]
        yield f"{value.source}/{value.external_id}: {', '.join(word for word in says if word) or 'says nothing'}"
    yield f"{len(alone)} of {len(values)} records are of no account."


def lines_of_matches(context: RunContext, uow: UnitOfWork, account: Account) -> Iterator[str]:
    """What `match_lines` says of this account."""
    yield f"{account.name} ({account.id}) has {len(account.refs)} record{'s' if len(account.refs) != 1 else ''}."
    places = {(ref.source, ref.external_id) for ref in account.refs}
    ids = {id_ for _, id_ in places} | {
        id_ for row in uow.identity.merged_rows({i for _, i in places}) for id_ in row[2:]
    }
    values = dict(read_values(context, uow.staging.get_many(uow.staging.keys_with_ids(ids))))
    merged = merged_refs(uow, values, places)
    verdicts = standing(uow.identity.said(), merged)
    background = Background(verdicts, merged=merged, alike=alike_of(uow.likenesses.about(places)))
    records = records_of(
        [value for value in values.values() if isinstance(value, AccountRecord)],
        [value for value in values.values() if isinstance(value, AccountFact)],
    )
    for ref in account.refs:
        yield f"  {name_of(ref)}: {_why(account, ref, records, background)}"
    if account.kind == LEAD:
        yield from _account_of_lead(uow, account)
    for verdict in verdicts.on(account.refs):
        if not verdict.same:
            yield f"  {verdict}."
    yield from _review(uow, account)
    for event in uow.identity.events(account.id):
        yield _event(event, account.id)


def _why(account: Account, ref: Ref, records: dict[Ref, AccountRecord], background: Background) -> str:
    if account.kind == LEAD:
        return "the person's e-mail address" if len(account.refs) > 1 else "its only record"
    found = evidence(ref, account.refs, records, background)
    return "; ".join(found) or ("its only record" if len(account.refs) == 1 else "linked by what it said before")


def _account_of_lead(uow: UnitOfWork, lead: Account) -> Iterator[str]:
    parent = uow.accounts.get(lead.parent_id) if lead.parent_id else None
    yield f"  It belongs to {parent.name} ({parent.id})." if parent else "  It belongs to no account."


def _review(uow: UnitOfWork, account: Account) -> Iterator[str]:
    names = {name_of(ref) for ref in account.refs}
    for kind in ("doubtful_match", "conflicting_owners", "parent_conflict", "parent_cycle"):
        for item in uow.exceptions.open_items(kind):
            records = item.detail.get("records", ())
            if names & set(records):
                others = ", ".join(record for record in records if record not in names)
                yield f"  In review ({kind}), with {others}: {item.detail['because']}"
                yield from (f"    {way}" for way in item.detail.get("ways_out", ()))


def _event(event: IdentityEvent, account_id: str) -> str:
    records, on = ", ".join(event.records), _day(event.recorded_at)
    if event.kind == MERGED:
        if event.other_id == account_id:
            return f"  On {on} {event.account_id} ({records}) became part of it: {event.because}."
        return f"  On {on} it became part of {event.other_id}: {event.because}."
    if event.kind == MOVED:
        way = f"came from {event.account_id}" if event.other_id == account_id else f"went to {event.other_id}"
        return f"  On {on} {records} {way}: {event.because}."
    if event.account_id == account_id:
        return f"  On {on} it began with {records}, which were of {event.other_id}: {event.because}."
    return f"  On {on} {records} left for {event.account_id}: {event.because}."


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "?"
