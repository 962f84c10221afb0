"""A part of all staged rows that is linked at once: all of them, or what hangs together with the rows that changed.

What is read for it is read here; which rows a part has is found in `tasks/identity_component.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.base import SourceRow, Value
from ownership.linking import Alike, Background
from ownership.linking.keys import keys_of
from ownership.linking.problems import Problem
from ownership.model import ACCOUNT, Account, AccountFact, AccountRecord, LeadRecord, Ref
from ownership.verdicts import Verdicts, said_parents, standing
from store.likenesses import MATCH, Likeness
from store.match_keys import FACT, LEAD, RECORD, Keyed
from store.staging import RowKey, StagedRow
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

Place = tuple[str, str]
"""A source and the id of a record in it."""


@dataclass(slots=True)
class Part:
    """Rows to link, and what is known of them.

    `before` are the accounts and leads that had these records, by id; `others` further accounts that leads of the part
    may belong to. `places` are all records it is about, gone ones too, and `keys` what they share: of a part that is
    `whole` they are not listed, as it is about everything. `crowds` are problems with keys that too many share.
    """

    whole: bool
    values: list[Value] = field(default_factory=list)
    before: dict[str, Account] = field(default_factory=dict)
    others: list[Account] = field(default_factory=list)
    background: Background = field(default_factory=Background)
    likenesses: list[Likeness] = field(default_factory=list)
    places: set[Place] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    crowds: list[Problem] = field(default_factory=list)
    claimed: int = 0

    @property
    def records(self) -> list[AccountRecord]:
        return [value for value in self.values if isinstance(value, AccountRecord)]

    @property
    def facts(self) -> list[AccountFact]:
        return [value for value in self.values if isinstance(value, AccountFact)]

    @property
    def leads(self) -> list[LeadRecord]:
        return [value for value in self.values if isinstance(value, LeadRecord)]

    @property
    def known(self) -> dict[Ref, str]:
        """The account or lead each record was of."""
        return {ref: account.id for account in self.before.values() for ref in account.refs}

    @property
    def verdicts(self) -> Verdicts:
        return self.background.verdicts


def read_values(context: RunContext, rows: Iterable[StagedRow]) -> Iterator[tuple[RowKey, Value]]:
    """What the readable rows of systems that are connected say."""
    for row in rows:
        source = context.connectors.sources.get(row.source)
        if source is None or row.deleted or row.problem:
            continue
        value = source.to_value(
            SourceRow(row.source, row.stream, row.external_id, row.modified_at, row.fields, merged_into=row.merged_into)
        )
        if value is not None:
            yield row.key, value


def to_keyed(row: RowKey, value: Value) -> Keyed:
    """The row with the keys of what it says."""
    says = FACT if isinstance(value, AccountFact) else LEAD if isinstance(value, LeadRecord) else RECORD
    return Keyed(row, says, value.external_id, keys_of(value))


def read_everything(context: RunContext, uow: UnitOfWork, claimed: Sequence[RowKey]) -> Part:
    """All rows, and the keys of those that changed brought up to date."""
    values = dict(read_values(context, uow.staging.live()))
    uow.keys.put(claimed, [to_keyed(row, values[row]) for row in claimed if row in values])
    uow.likenesses.forget((row.source, row.external_id) for row in claimed)
    before = {account.id: account for account in uow.accounts.all()}
    likenesses = list(uow.likenesses.all().values())
    part = Part(True, list(values.values()), before, likenesses=likenesses, claimed=len(claimed))
    part.background = read_background(context, uow, part, merged_refs(uow, values, None))
    return part


def read_background(context: RunContext, uow: UnitOfWork, part: Part, merged: Mapping[Ref, Ref]) -> Background:
    """What people said, who owns what, and what was merged."""
    since = uow.identity.first_seen(None if part.whole else part.before)
    ordered = sorted(part.before, key=lambda id_: (since[id_], id_))
    return Background(
        verdicts=standing(uow.identity.said(), merged),
        held=present_owners(context, uow, part) if context.policy.policy.conflicting_owners == "exception" else {},
        oldest={account_id: position for position, account_id in enumerate(ordered)},
        merged=merged,
        alike=alike_of(part.likenesses),
        parents=said_parents(uow.identity.said_parents(), merged),
        followers=context.connectors.followers,
    )


def alike_of(likenesses: Iterable[Likeness]) -> tuple[Alike, ...]:
    """The pairs that are one company by likeness alone."""
    return tuple(
        Alike(each.ref, each.other, each.score, "; ".join(each.because))
        for each in likenesses
        if each.outcome == MATCH and each.other
    )


def present_owners(context: RunContext, uow: UnitOfWork, part: Part) -> dict[str, str]:
    """Who owns the part's accounts, as far as it is a person who is there."""
    roster, here = context.policy.roster, context.policy.roster.present_on(context.today())
    current = uow.ledger.current(None if part.whole else part.before)
    return {
        id_: owner.owner_id
        for id_, owner in current.items()
        if owner.owner_id in here
        and not roster.is_queue(owner.owner_id)
        and id_ in part.before
        and part.before[id_].kind == ACCOUNT
    }


def merged_refs(uow: UnitOfWork, values: Mapping[RowKey, Value], places: set[Place] | None) -> dict[Ref, Ref]:
    """Each record that its system merged away, with the one of these rows that is left of it."""
    into = {
        RowKey(source, stream, old): RowKey(source, stream, new)
        for source, stream, old, new in uow.identity.merged_rows(None if places is None else {id_ for _, id_ in places})
    }
    found = {}
    for row in into:
        end, seen = row, {row}
        while end in into and into[end] not in seen:
            end = into[end]
            seen.add(end)
        left = values.get(end)
        if isinstance(left, AccountRecord | LeadRecord):
            now = Ref(left.source, left.object_type, left.external_id)
            found[replace(now, external_id=row.external_id)] = now
    return found
