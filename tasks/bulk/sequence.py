"""The sequence: one pass over the accounts and leads in family order, which moves books and turns on as it decides.

An account whose situation depends on nothing is not even looked at: what was decided of the first one holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ownership.assignment import decide_owner, parents_first
from ownership.case import Case
from ownership.model import Account, Decision
from tasks.bulk.fields import always
from tasks.bulk.levers import Lever, levers_of
from tasks.bulk.outcomes import Outcomes
from tasks.bulk.reading import Reading
from tasks.bulk.situations import Situations


class Pass:
    """Decides everything that can be read. `hashes` are the inputs hashes of what was decided one by one, by row."""

    def __init__(self, reading: Reading, situations: Situations, outcomes: Outcomes) -> None:
        self.hashes: dict[int, str] = {}
        self._reading, self._outcomes, self._known = reading, outcomes, situations.known
        leads = sum(row >= reading.table.height for row in reading.rows)
        no_situation = always(None, leads, situations.numbers.dtype)
        self._situations = pl.concat([situations.numbers, no_situation])  # by row, null for who goes one by one

    def run(self) -> pl.Series:
        """The number of each outcome, by row; null for rows that cannot be read."""
        levers = levers_of(self._known, self._reading, self._outcomes)
        numbers = self._settled(levers)
        rows = in_family_order(self._reading, self._unsettled(levers))
        numbers.scatter(pl.Series(rows, dtype=pl.UInt32), pl.Series(self._decide_all(rows, levers), dtype=pl.UInt32))
        self._reading.state.settle_turns()
        return numbers

    def _settled(self, levers: Sequence[Lever | None]) -> pl.Series:
        """The outcomes that depend on nothing."""
        situations = zip(self._known, levers, strict=True)
        outcomes = [None if lever else self._outcomes.number(self._decide(each.first)[1]) for each, lever in situations]
        return pl.Series(outcomes, dtype=pl.UInt32).gather(self._situations)

    def _unsettled(self, levers: Sequence[Lever | None]) -> pl.Series:
        """The rows that are yet to be decided."""
        waits = pl.Series([lever is not None for lever in levers], dtype=pl.Boolean)
        waiting = waits.gather(self._situations).fill_null(True)
        unreadable = [row for row, each in self._reading.subjects.items() if not isinstance(each, Account)]
        return waiting.scatter(pl.Series(unreadable, dtype=pl.UInt32), False).arg_true()

    def _decide_all(self, rows: Sequence[int], levers: Sequence[Lever | None]) -> list[int]:
        found = []
        situations = self._situations.gather(pl.Series(rows, dtype=pl.UInt32)).to_list()
        heads = self._heads()
        for row, situation in zip(rows, situations, strict=True):
            lever = None if situation is None else levers[situation]
            outcome = None if lever is None else lever.take(row)
            if outcome is None:
                outcome = self._decide_and_learn(row, lever)
            elif row in heads and (owner := self._outcomes.owner(outcome)) is not None:
                self._reading.state.owners[heads[row]] = owner
            found.append(outcome)
        return found

    def _heads(self) -> dict[int, str]:
        """The ids of the accounts that are parents, by row."""
        ids = self._reading.table["id"]
        rows = ids.is_in(list(self._reading.heads)).arg_true()
        return dict(zip(rows, ids.gather(rows), strict=True))

    def _decide_and_learn(self, row: int, lever: Lever | None) -> int:
        case, decision = self._decide(row)
        outcome = self._outcomes.number(decision)
        if lever is None:
            self.hashes[row] = decision.inputs_hash
        else:
            lever.learn(case, decision, outcome)
        return outcome

    def _decide(self, row: int) -> tuple[Case, Decision]:
        case = Case.of(self._reading.account(row), self._reading.day, self._reading.state)
        return case, decide_owner(case)


def in_family_order(reading: Reading, rows: pl.Series) -> list[int]:
    """Rows of accounts and leads as `ownership.assignment.family_order` has them among all that can be read."""
    table, subjects = reading.table, reading.subjects
    leads = {each.id: row for row, each in subjects.items() if row >= table.height and isinstance(each, Account)}
    accounts = rows.filter(rows < table.height)
    if reading.parents:  # a family is kept together by members who have been settled, too
        members = table["id"].is_in(list(reading.heads)) | reading.below()
        unreadable = [row for row, each in subjects.items() if row < table.height and not isinstance(each, Account)]
        members.scatter(pl.Series(unreadable, dtype=pl.UInt32), False)
        accounts = members.scatter(accounts, True).arg_true()
    ids = table["id"].gather(accounts)
    order = accounts.gather(ids.arg_sort()).to_list() + [leads[id_] for id_ in sorted(leads)]
    if not reading.parents:
        return order
    heads = ids.is_in(list(reading.heads))
    row_of = dict(zip(ids.filter(heads), accounts.filter(heads), strict=True)) | leads
    parent_of = {row: row_of[parent] for row, parent in reading.parents.items() if parent in row_of}
    wanted = frozenset(rows.to_list())
    return [row for row in parents_first(order, parent_of) if row in wanted]
