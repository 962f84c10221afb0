"""Which accounts are decided one by one: those of which something is said by name.

Ids that come twice, overrides, claims, disputes, rules that remember, teams that take turns, what the last run left,
owners who are not there or may have lost the account. All others are decided by situation
(`tasks/bulk/situations.py`). An account decided by itself without need costs time and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from ownership.day import Day
from tasks.account_rows import day_of
from tasks.bulk.answers import Answers
from tasks.bulk.fields import always, by_value
from tasks.bulk.reading import Reading, has_any
from tasks.memory import Memory


def alone(reading: Reading, answers: Answers, memory: Memory) -> pl.Series:
    """Marks these rows of the table."""
    found = always(False, reading.table.height, pl.Boolean)
    for some in (
        _read_or_remembered(reading, memory),
        _named(reading, answers),
        _not_simply_kept(reading, answers),
        *_remembered(reading.day, answers),
        *_with_turns_beside(reading.day, answers),
    ):
        found |= some
    return found


def _read_or_remembered(reading: Reading, memory: Memory) -> pl.Series:
    ids = reading.table["id"]
    rows = [row for row in reading.subjects if row < len(ids)]
    remembered = [*memory.marks, *memory.teams, *memory.lent]
    return ids.is_in(remembered).fill_null(False).scatter(pl.Series(rows, dtype=pl.UInt32), True)


def _named(reading: Reading, answers: Answers) -> pl.Series:
    index = reading.day.index
    names = {*index.disputes, *index.overrides, *index.named, *index.registrations}
    return reading.table["id"].is_in(list(names)) | has_any(
        answers.field("domains", pl.String), names, reading.table.height
    )


def _not_simply_kept(reading: Reading, answers: Answers) -> pl.Series:
    """Their owner is not there, or may have forfeited them: there can have been no more idle days than days."""
    owners, day = reading.owners, reading.day
    is_gone = owners.is_not_null() & ~owners.is_in(list(day.present))
    most = day.policy.keeping.forfeit_after_days
    if most is None:
        return is_gone
    idle = pl.select(
        pl.min_horizontal(answers.field("days_since_activity", pl.Int64), _days_owned(reading))
    ).to_series()
    return is_gone | (owners.is_not_null() & (idle > most).fill_null(False))


def _days_owned(reading: Reading) -> pl.Series:
    """For how many days the owners have their accounts, as far as the rows say."""
    if "owned_since" not in reading.table.columns:
        return always(None, reading.table.height, pl.Int64)
    today = date.fromisoformat(reading.day.date)

    def days(cell: str) -> int | None:
        since = day_of(cell)
        return (today - date.fromisoformat(since)).days if since else None

    return by_value(reading.table["owned_since"], days, pl.Int64)


def _remembered(day: Day, answers: Answers) -> Iterator[pl.Series]:
    """A rule that remembers holds."""
    for rule in day.index.remembering:
        yield answers.holding(rule.when)


def _with_turns_beside(day: Day, answers: Answers) -> Iterator[pl.Series]:
    """A role of their team is filled by a pool."""
    for role in day.policy.team:
        if role.assign.pool:
            yield answers.holding(role.when)
