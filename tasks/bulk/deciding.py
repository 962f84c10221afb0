"""Deciding a large file: what `tasks/headless.py` does row by row, done mostly by columns. The same decisions, to the
last letter.

1. `fields`: cells become fields, whole columns at a time.
2. `reading`: the few rows that must be read first are, and how things stand is counted.
3. `alone` says which accounts are decided one by one. Of the others, `kinds` are those that no condition tells apart
   (`answers` asks conditions of columns), and `situations` those that the steps of the policy decide alike.
4. `sequence` and `levers`: one pass over the accounts decides them, because each decision may fill a book or take a
   turn that the next one finds.
5. `outcomes` and `inputs`: what was decided becomes columns again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from config.policy_files import LoadedPolicy
from ownership.conditions import vocabulary
from ownership.model import Outcome
from tasks.account_files import OUTPUT, REQUIRED
from tasks.account_rows import BadRecord, day_of
from tasks.bulk.alone import alone
from tasks.bulk.answers import Answers
from tasks.bulk.fields import Fields, always, by_value, fields_of
from tasks.bulk.inputs import Inputs
from tasks.bulk.outcomes import Outcomes
from tasks.bulk.reading import Reading, read_first
from tasks.bulk.sequence import Pass
from tasks.bulk.situations import situations_of
from tasks.headless import day_of_files, notices, owner_reader, refusal
from tasks.memory import Memory


@dataclass(frozen=True, slots=True)
class DecidedTable:
    """The columns `OUTPUT` with a row for each row of the accounts and then of the leads, in their order; what is to be
    remembered; and `notices`: sentences about cells and parents that were passed over."""

    decisions: pl.DataFrame
    memory: Memory
    notices: tuple[str, ...] = ()


def decide_table(
    table: pl.DataFrame, loaded: LoadedPolicy, memory: Memory, now: datetime, inbound: pl.DataFrame | None = None
) -> DecidedTable:
    """As `tasks.headless.decide_sheet`, for the frames of `tasks.account_files.Table`."""
    day = day_of_files(loaded, now)
    leads = pl.DataFrame(schema=dict.fromkeys(REQUIRED, pl.String)) if inbound is None else inbound
    fields = fields_of(table, day)
    reading = read_first(table, leads, fields, day, memory)
    alike = ~alone(reading, Answers(fields.columns, table.height), memory)
    outcomes = Outcomes()
    deciding = Pass(reading, situations_of(reading, fields.columns, alike), outcomes)
    numbers = deciding.run()
    refused = _refuse(reading, loaded.policy_hash, outcomes)
    numbers.scatter(pl.Series(list(refused), dtype=pl.UInt32), pl.Series(list(refused.values()), dtype=pl.UInt32))
    hashes = _hashes(_inputs(reading, fields, alike), alike, deciding.hashes | dict.fromkeys(refused, ""))
    ids = pl.concat([table["id"], leads["id"]]).fill_null("").alias("account_id")
    decisions = pl.DataFrame([ids, *outcomes.columns(numbers), hashes.alias("inputs_hash")]).select(OUTPUT)
    cells = {column: _cells(column, table, leads) for column in ("country", "owner")}
    said = notices(cells, owner_reader(day.roster), sorted(reading.in_cycles))
    return DecidedTable(decisions, memory.after(reading.state, day), said)


def _refuse(reading: Reading, policy_hash: str, outcomes: Outcomes) -> dict[int, int]:
    """The outcome of each row that cannot be read."""
    bad = {row: subject for row, subject in reading.subjects.items() if isinstance(subject, BadRecord)}
    return {row: outcomes.number(refusal(reading.rows[row], why, policy_hash)) for row, why in bad.items()}


def _inputs(reading: Reading, fields: Fields, alike: pl.Series) -> Inputs:
    """What the rules read of the accounts that were decided by situation."""
    policy, table = reading.day.policy, reading.table.filter(alike)
    since = by_value(table["owned_since"], day_of, pl.String) if "owned_since" in table.columns else None
    return Inputs(
        ids=table["id"],
        owners=reading.owners.filter(alike),
        fields={name: column.filter(alike) for name, column in fields.columns.items()},
        several=frozenset(name for name, field in vocabulary(policy.fields).items() if field.kind == "texts"),
        since=since if policy.keeping.forfeit_after_days is not None else None,
        parents=_parents(reading).filter(alike),
        named_by_id=bool(policy.overrides or policy.disputes),
    )


def _parents(reading: Reading) -> pl.Series:
    """The parents, each with its owner, as JSON."""
    owners, said = reading.state.owners, always(None, reading.table.height)
    parents = {row: parent for row, parent in reading.parents.items() if row < reading.table.height}
    told = [json.dumps([parent, owners.get(parent)], separators=(",", ":")) for parent in parents.values()]
    return said.scatter(pl.Series(list(parents), dtype=pl.UInt32), pl.Series(told, dtype=pl.String))


def _hashes(inputs: Inputs, alike: pl.Series, others: Mapping[int, str]) -> pl.Series:
    """The inputs hashes by row: of the accounts that are alike, and of the others."""
    texts = pl.Series([*inputs.hashes(), *others.values()], dtype=pl.String)
    rows = pl.concat([alike.arg_true().cast(pl.UInt32), pl.Series(list(others), dtype=pl.UInt32)])
    return texts.gather(rows.arg_sort())


def _cells(column: str, *tables: pl.DataFrame) -> Counter[str]:
    found = Counter[str]()
    for table in tables:
        if column in table.columns:
            found.update(dict(table[column].drop_nulls().value_counts().iter_rows()))
    return found


def summary_lines(decided: DecidedTable) -> list[str]:
    """What a person wants to know at the end."""
    counts = decided.decisions.group_by("outcome", "reason").len().rows()
    by_outcome = {each: Counter({why: n for what, why, n in counts if what == each.value}) for each in Outcome}
    owned, open_ = by_outcome[Outcome.OWNER], by_outcome[Outcome.EXCEPTION]
    total = f"{decided.decisions.height:,} accounts: {owned.total():,} have an owner, {open_.total():,} need a person"
    by_reason = {"owners": owned, "exceptions": open_}
    said = [f"  {what} by reason: {_counts(counter)}" for what, counter in by_reason.items() if counter]
    return [*decided.notices, total, *said]


def _counts(counter: Mapping[str, int]) -> str:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered)
