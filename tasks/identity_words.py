"""What people say of records: that they are one company, or are not, or that a lead belongs to an account.

Their word is written down and holds from the next match on, whatever the evidence says then or later. What contradicts
the word of others is refused, with what to take back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from ownership.model import LEAD, Account, AccountRecord, Ref
from ownership.refusals import Refusal
from ownership.verdicts import SaidParent, Verdict, contradiction, name_of, standing
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identity_part import merged_refs, read_values


class Refused(Refusal):
    """Somebody's word cannot stand; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Word:
    """Who says it, and why."""

    by: str
    because: str = ""


def say_same(context: RunContext, names: Sequence[str], word: Word) -> str:
    """These records or accounts are one company. The first one named is kept. Raises `Refused`."""

    def say(uow: UnitOfWork) -> str:
        sides = _sides(context, uow, names)
        pairs = [(sides[0][0], side[0]) for side in sides[1:]]
        _say(context, uow, pairs, True, word)
        return f"{_list([name_of(side[0]) for side in sides])} are one company. {AT_THE_NEXT_MATCH}"

    return context.store.run(say)


def say_split(context: RunContext, names: Sequence[str], word: Word) -> str:
    """No two of these records or accounts are one company. Raises `Refused`."""

    def say(uow: UnitOfWork) -> str:
        sides = _sides(context, uow, names)
        pairs = [pair for at, side in enumerate(sides) for other in sides[at + 1 :] for pair in product(side, other)]
        _say(context, uow, pairs, False, word)
        return f"{_list(names)} are {len(sides)} companies. {AT_THE_NEXT_MATCH}"

    return context.store.run(say)


def withdraw(context: RunContext, names: Sequence[str], word: Word) -> str:
    """What was said of pairs of these is taken back, and evidence decides again. Raises `Refused` when nothing was."""

    def say(uow: UnitOfWork) -> str:
        sides = _sides(context, uow, names)
        now = standing(uow.identity.said())
        held = {verdict.pair for verdict in now.same} | set(now.split)
        pairs = [
            (a, b)
            for at, side in enumerate(sides)
            for other in sides[at + 1 :]
            for a, b in product(side, other)
            if (min(a, b), max(a, b)) in held
        ]
        if not pairs:
            raise Refused(f"nobody has said anything of {_list(names)} that could be taken back")
        _say(context, uow, pairs, None, word)
        return f"Taken back for {_list(names)}. {AT_THE_NEXT_MATCH}"

    return context.store.run(say)


def say_lead(context: RunContext, lead: str, account: str, word: Word, belongs: bool) -> str:
    """A lead belongs to an account, or does not. Raises `Refused`."""

    def say(uow: UnitOfWork) -> str:
        (leads, records) = (_refs_of(context, uow, lead, leads_too=True), _refs_of(context, uow, account))
        earlier = [(each.one, each.other) for each in standing(uow.identity.said()).same if set(each.pair) & set(leads)]
        if belongs:  # a lead belongs to one account: the word before takes its leave
            _say(context, uow, earlier, None, word)
        pairs = [(leads[0], records[0])] if belongs else list(product(leads, records))
        _say(context, uow, pairs, belongs, word)
        return f"{lead} {'belongs' if belongs else 'does not belong'} to {account}. {AT_THE_NEXT_MATCH}"

    return context.store.run(say)


def say_parent(context: RunContext, child: str, parent: str, word: Word, holds: bool = True) -> str:
    """The second company is above the first, whatever a system says; or that word is taken back. Raises `Refused`."""

    def say(uow: UnitOfWork) -> str:
        (below, *_), (above, *_) = _sides(context, uow, [child, parent])
        uow.identity.say_parents([SaidParent(below, above, holds, word.by, word.because, context.now())])
        uow.staging.to_match_again([(below.source, below.external_id), (above.source, above.external_id)])
        what = f"{parent} is above {child}" if holds else f"Taken back that {parent} is above {child}"
        return f"{what}. {AT_THE_NEXT_MATCH}"

    return context.store.run(say)


AT_THE_NEXT_MATCH = "This holds from the next match on."


def _say(context: RunContext, uow: UnitOfWork, pairs: Sequence[tuple[Ref, Ref]], same: bool | None, word: Word) -> None:
    """Write down a word on each pair, all or none."""
    said, now, merged = uow.identity.said(), context.now(), _merged(context, uow)
    words = [Verdict(one, other, same, word.by, word.because, now) for one, other in pairs]
    for each in words:
        if refusal := contradiction(each, standing(said, merged)):
            raise Refused(refusal)
        said.append(each)
    uow.identity.say(words)
    uow.staging.to_match_again((ref.source, ref.external_id) for pair in pairs for ref in pair)


def _merged(context: RunContext, uow: UnitOfWork) -> dict[Ref, Ref]:
    """What was said of a record that its system merged away since holds for the one that is left."""
    rows = uow.identity.merged_rows()
    if not rows:
        return {}
    keys = [row for row in uow.staging.keys_with_ids({id_ for _, _, *both in rows for id_ in both})]
    values = dict(read_values(context, uow.staging.get_many(keys)))
    return merged_refs(uow, values, None)


def _sides(context: RunContext, uow: UnitOfWork, names: Sequence[str]) -> list[list[Ref]]:
    sides = [_refs_of(context, uow, name) for name in names]
    if len(sides) < 2:
        raise Refused("name two records or accounts at least, as in: steward same salesforce/001… hubspot/77")
    for at, (name, side) in enumerate(zip(names, sides, strict=True)):
        for other, earlier in zip(names[:at], sides, strict=False):
            if set(side) & set(earlier):
                raise Refused(f"{other} and {name} are the same record; name two")
    return sides


def _refs_of(context: RunContext, uow: UnitOfWork, name: str, leads_too: bool = False) -> list[Ref]:
    """The record written as source/id, or all records of the account with this id. Raises `Refused`."""
    source, slash, external_id = name.partition("/")
    if slash:
        accounts = uow.accounts.live(uow.accounts.of_places([(source, external_id)]))
        refs = [
            ref
            for account in accounts
            for ref in account.refs
            if (ref.source, ref.external_id) == (source, external_id) and (account.kind == LEAD) == leads_too
        ]
        if not refs and not leads_too:
            refs = _of_no_account(context, uow, source, external_id)
        what = "lead" if leads_too else "record of an account"
        return refs or _refuse(
            f"{name} is no {what} that Steward knows; write it as system/id, as `steward matches` does"
        )
    account = current_account(uow, name)
    if account is None or (account.kind == LEAD) != leads_too or not account.refs:
        _refuse(f"'{name}' is no {'lead' if leads_too else 'account'}; write a record as system/id, or an account's id")
    return list(account.refs) if account else []


def _of_no_account(context: RunContext, uow: UnitOfWork, source: str, external_id: str) -> list[Ref]:
    """A record that only an engagement tool knows."""
    if source not in context.connectors.followers:
        return []
    rows = uow.staging.get_many(row for row in uow.staging.keys_with_ids({external_id}) if row.source == source)
    values = [value for _, value in read_values(context, rows) if isinstance(value, AccountRecord)]
    return [Ref(value.source, value.object_type, value.external_id) for value in values]


def _refuse(problem: str) -> list[Ref]:
    raise Refused(problem)


def current_account(uow: UnitOfWork, account_id: str) -> Account | None:
    """The account with this id, or what it has become."""
    now = uow.identity.now_ids([account_id]).get(account_id, account_id)
    return uow.accounts.get(now)


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
