"""Reading: the rows that have to be read before any is decided, and how things stand then.

These are rows that cannot be read, ids that come twice, leads, and the accounts that leads may belong to. Every other
row stays a row of the table until its turn comes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from ownership.case import State
from ownership.conditions import Field, fold
from ownership.day import Day
from ownership.model import Account
from tasks.account_files import Row, without_empty
from tasks.account_rows import to_account, to_lead
from tasks.bulk.fields import Fields, always, by_value
from tasks.headless import (
    Subject,
    holding_of,
    holdings_of,
    ids_in_cycles,
    is_lead,
    owner_reader,
    place_leads,
    present_owners,
    read_rows,
    state_of,
)
from tasks.memory import Lent, Memory


@dataclass(frozen=True, slots=True)
class Reading:
    """Accounts and leads before the first is decided. Rows of leads are numbered on from those of the accounts.

    `owners` has the present owner by row of the table, null when that is nobody on the roster. `rows` and `subjects`
    are those that were read, leads included. `parents` has the id of the parent by row; accounts `in_cycles` have none.
    `state` knows the owners of those that were read and of `heads`, the parents.
    """

    table: pl.DataFrame
    day: Day
    owners: pl.Series
    rows: Mapping[int, Row]
    subjects: Mapping[int, Subject]
    parents: Mapping[int, str]
    heads: Collection[str]
    in_cycles: Collection[str]
    state: State
    lent: Mapping[str, Lent]

    def account(self, row: int) -> Account:
        """The account or lead of a row that can be read. The state knows its owner from now on."""
        if isinstance(subject := self.subjects.get(row), Account):
            return subject
        cells = without_empty(self.table.row(row, named=True))
        account = to_account(cells, self.day.policy.fields)
        if (owner := self.owners[row]) is not None:
            self.state.owners[account.id] = owner
        if (holding := holding_of(cells, owner, self.lent.get(account.id))) is not None:
            self.state.holdings[account.id] = holding
        return replace(account, parent_id=None) if account.id in self.in_cycles else account

    def below(self) -> pl.Series:
        """Marks the rows of the table that have a parent."""
        rows = [row for row in self.parents if row < self.table.height]
        return always(False, self.table.height, pl.Boolean).scatter(pl.Series(rows, dtype=pl.UInt32), True)


def read_first(table: pl.DataFrame, inbound: pl.DataFrame, fields: Fields, day: Day, memory: Memory) -> Reading:
    """Read what has to be read of a table of accounts, and the leads `inbound`."""
    custom, taken = day.policy.fields, set[str]()
    apart = fields.doubtful | table["id"].is_duplicated() | table["id"].is_in(inbound["id"].drop_nulls().to_list())
    account_rows = {row: without_empty(table.row(row, named=True)) for row in apart.arg_true()}
    lead_rows = dict(enumerate(map(without_empty, inbound.iter_rows(named=True)), table.height))
    accounts = read_rows(account_rows.values(), partial(to_account, custom=custom), taken)
    leads = read_rows(lead_rows.values(), partial(to_lead, custom=custom), taken)
    rows = account_rows | lead_rows
    below = _parents(table, apart) | _own_parents(dict(zip(account_rows, accounts, strict=True)))
    in_cycles = frozenset(ids_in_cycles(dict(below.values())))
    hosts = [*accounts, *_hosts(table, apart, leads, fields, custom)]
    placed = place_leads(leads, {each.id: each for each in hosts if isinstance(each, Account)})
    read = [_as_it_counts(subject, placed, in_cycles) for subject in (*accounts, *leads)]
    subjects = dict(zip(rows, read, strict=True))
    parents = {row: parent for row, (id_, parent) in (below | _own_parents(subjects)).items() if id_ not in in_cycles}
    owner_of = owner_reader(day.roster)
    owners = by_value(table["owner"], owner_of, pl.String) if "owner" in table.columns else always(None, table.height)
    state = _state(rows, subjects, owners.filter(~apart), owner_of, memory)
    heads = frozenset(parents.values())
    others = table["id"].is_in(list(heads)) & owners.is_not_null() & ~apart
    state.owners.update(zip(table["id"].filter(others), owners.filter(others), strict=True))
    return Reading(table, day, owners, rows, subjects, parents, heads, in_cycles, state, memory.lent)


def _parents(table: pl.DataFrame, apart: pl.Series) -> dict[int, tuple[str, str]]:
    """The id and the parent's id of the accounts below others that were not read, by row."""
    if "parent_id" not in table.columns:
        return {}
    below = table.select("id", "parent_id").with_row_index().filter(~apart & table["parent_id"].is_not_null())
    return {row: (id_, parent) for row, id_, parent in below.iter_rows()}


def _own_parents(subjects: Mapping[int, Subject]) -> dict[int, tuple[str, str]]:
    read = {row: subject for row, subject in subjects.items() if isinstance(subject, Account)}
    return {row: (account.id, account.parent_id) for row, account in read.items() if account.parent_id}


def _hosts(
    table: pl.DataFrame, apart: pl.Series, leads: Iterable[Subject], fields: Fields, custom: Mapping[str, Field]
) -> list[Account]:
    """The accounts, of those not read before, that leads name or that have a web domain of one."""
    read = [lead for lead in leads if isinstance(lead, Account)]
    domains = {fold(domain) for lead in read for domain in lead.fields.get("domains") or ()}
    hosts = table["id"].is_in([lead.parent_id for lead in read if lead.parent_id])
    hosts |= has_any(fields.columns.get("domains"), domains, table.height)
    rows = table.filter(hosts & ~apart).iter_rows(named=True)
    return [to_account(without_empty(row), custom) for row in rows]


def has_any(domains: pl.Series | None, names: Collection[str], height: int) -> pl.Series:
    """Which of so many accounts have one of these names among their web domains."""
    if domains is None or not names:
        return always(False, height, pl.Boolean)
    return domains.str.contains_any([json.dumps(name) for name in names]).fill_null(False)


def _as_it_counts(subject: Subject, placed: Mapping[str, Account], in_cycles: Collection[str]) -> Subject:
    if not isinstance(subject, Account):
        return subject
    if is_lead(subject):
        return placed[subject.id]
    return replace(subject, parent_id=None) if subject.id in in_cycles else subject


def _state(
    rows: Mapping[int, Row],
    subjects: Mapping[int, Subject],
    other_owners: pl.Series,
    owner_of: Callable[[str], str | None],
    memory: Memory,
) -> State:
    """How things stand: all books, and of those that were read who has them."""
    cells, read = list(rows.values()), list(subjects.values())
    owners = present_owners(cells, read, owner_of)
    leads = {subject.id for subject in read if isinstance(subject, Account) and is_lead(subject)}
    load = Counter(owner for id_, owner in owners.items() if id_ not in leads)
    load.update(dict(other_owners.drop_nulls().value_counts().iter_rows()))
    state = state_of(memory, owners, load)
    state.holdings = holdings_of(cells, read, owners, memory.lent)
    return state
