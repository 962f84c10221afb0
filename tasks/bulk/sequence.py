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
from tasks.bulk.levers import Lever, lever_of
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
        day, state = self._reading.day, self._reading.state
        levers = [lever_of(each, day, state, self._outcomes) for each in self._known]
        numbers = self._settled(levers)
        rows = in_family_order(self._reading, self._unsettled(levers))
        numbers.scatter(pl.Series(rows, dtype=pl.UInt32), pl.Series(self._decide_all(rows, levers), dtype=pl.UInt32))
        state.settle_turns()
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
        for row, situation in zip(rows, situations, strict=True):
            lever = None if situation is None else levers[situation]
            outcome = None if lever is None else lever.take()
            found.append(self._decide_and_learn(row, lever) if outcome is None else outcome)
        return found

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
    """Rows of accounts and leads as `ownership.assignment.family_order` has them."""
    table, subjects = reading.table, reading.subjects
    of_leads = [row for row in rows.filter(rows >= table.height)]
    leads = {account.id: row for row in of_leads if isinstance(account := subjects[row], Account)}
    rows = rows.filter(rows < table.height)
    ids = table["id"].gather(rows)
    order = [*rows.gather(ids.arg_sort()), *(leads[id_] for id_ in sorted(leads))]
    if not reading.parents:
        return order
    parents = ids.is_in(list(reading.parents.values()))
    row_of = dict(zip(ids.filter(parents), rows.filter(parents), strict=True)) | leads
    return parents_first(order, {row: row_of[parent] for row, parent in reading.parents.items() if parent in row_of})
