"""Cells to fields: what `tasks/account_rows.py` makes of a row and `fold_fields` of its fields, made of whole columns.

What is asked of a word (a country, a date, a flag) is asked of every different word once, by the same functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from ownership.conditions import DATES, FIELDS, Field, fold, fold_fields
from ownership.day import Day
from ownership.linking import segment_of
from ownership.model import ACCOUNT
from ownership.names import country_code
from tasks.account_files import BLANKS, OVERFLOW, without_empty
from tasks.account_rows import DOMAIN_CELLS, FLAGS_UNSAID, day_of, domains_of, flag_of, is_live

Dtype = pl.DataType | type[pl.DataType]
WHOLE = r"^([0-9]{1,15})(?:\.0+)?$"
"""As `tasks.account_rows.NUMBER`."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of many accounts, folded as conditions read them: a column each, null where one is unknown.

    Several texts stand as the JSON text of their sorted list. `doubtful` are the rows that cannot be read.
    """

    columns: Mapping[str, pl.Series]
    doubtful: pl.Series


def fields_of(table: pl.DataFrame, day: Day) -> Fields:
    """The fields of the accounts that the rows of a `tasks.account_files.Table` describe."""
    custom = day.policy.fields
    known: dict[str, Field] = {**FIELDS, **DATES, **custom}
    cells = {name: known[name].kind for name in table.columns if name in known and name != "domains"}
    columns = {name: READ[kind](table[name]) for name, kind in cells.items()}
    doubtful = _unreadable(table, [name for name, kind in cells.items() if kind in ("number", "date", "flag")], columns)
    _add_what_follows(columns, table)
    folded = {name: folded_text(each) if known[name].kind == "text" else each for name, each in columns.items()}
    return Fields(_with_days(folded, day), doubtful)


def always(value: Any, height: int, dtype: Dtype = pl.String) -> pl.Series:
    """A column of the same throughout."""
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def by_value(column: pl.Series, means: Callable[[Any], Any], dtype: Dtype) -> pl.Series:
    """What each value means, asked once for every different one; null stays null."""
    values = column.drop_nulls().unique()
    meanings = pl.Series([means(value) for value in values], dtype=dtype)
    if values.is_empty():
        return always(None, len(column), dtype)
    return column.replace_strict(values, meanings, default=None, return_dtype=dtype)


def folded_text(texts: pl.Series) -> pl.Series:
    """As `fold` does it, which for all but plain text does it here."""
    plain = texts.str.to_lowercase().str.strip_chars(BLANKS)
    odd = texts.str.len_bytes() != texts.str.len_chars()
    if not odd.any():
        return plain
    return plain.zip_with(~odd, by_value(texts.set(~odd, None), fold, pl.String))


def texts_json(texts: list[str]) -> str:
    """Several texts as one value, which conditions and hashes read again."""
    return json.dumps(sorted({fold(text) for text in texts}), separators=(",", ":"))


def _unreadable(table: pl.DataFrame, checked: Sequence[str], columns: Mapping[str, pl.Series]) -> pl.Series:
    """The rows that lack what every account needs, or of which a cell says nothing that its column could say."""
    bad = table["id"].is_null() | table["name"].is_null()
    if OVERFLOW in table.columns:
        bad |= table[OVERFLOW].is_not_null()
    for name in checked:
        bad |= table[name].is_not_null() & columns[name].is_null()
    if "owned_since" in table.columns:
        bad |= table["owned_since"].is_not_null() & _days(table["owned_since"]).is_null()
    return bad


def _whole_numbers(cells: pl.Series) -> pl.Series:
    return cells.str.extract(WHOLE).cast(pl.Int64)


def _days(cells: pl.Series) -> pl.Series:
    return by_value(cells, day_of, pl.String)


def _flags(cells: pl.Series) -> pl.Series:
    return by_value(cells, flag_of, pl.Boolean)


def _several(cells: pl.Series) -> pl.Series:
    return by_value(cells, lambda cell: texts_json(cell.split(";")), pl.String)


READ: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "text": lambda cells: cells,
    "number": _whole_numbers,
    "date": _days,
    "flag": _flags,
    "texts": _several,
}


def _add_what_follows(columns: dict[str, pl.Series], table: pl.DataFrame) -> None:
    """Fields that are not simply what their cell says."""
    columns["subject"] = always(ACCOUNT, table.height)
    unsaid = {name: always(said, table.height, pl.Boolean) for name, said in FLAGS_UNSAID.items()}
    unsaid["paying"] = always(False, table.height, pl.Boolean)
    if "subscription_status" in table.columns:
        unsaid["paying"] = by_value(table["subscription_status"], is_live, pl.Boolean).fill_null(False)
    for name, flags in unsaid.items():
        columns[name] = _or(columns[name], flags) if name in columns else flags
    if "country" in table.columns:
        columns["country"] = by_value(table["country"], country_code, pl.String)
    if "segment" in table.columns:
        columns["segment"] = by_value(table["segment"], lambda said: segment_of(said, None), pl.String)
    if "employees" in columns:
        by_size = by_value(columns["employees"], lambda number: segment_of(None, number), pl.String)
        columns["segment"] = _or(columns["segment"], by_size) if "segment" in columns else by_size
    if cells := [name for name in DOMAIN_CELLS if name in table.columns]:
        columns["domain"], columns["domains"] = _domains(table.select(cells))


def _or(column: pl.Series, instead: pl.Series) -> pl.Series:
    """The column, and where it is null the other one."""
    return column.zip_with(column.is_not_null(), instead)


def _domains(cells: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The main domain, and all of them."""
    found = [domains_of(without_empty(row)) for row in cells.iter_rows(named=True)]
    main = pl.Series([domains[0] if domains else None for domains in found], dtype=pl.String)
    return main, pl.Series([texts_json(domains) if domains else None for domains in found], dtype=pl.String)


def _with_days(columns: Mapping[str, pl.Series], day: Day) -> dict[str, pl.Series]:
    """The days to and since the dates as well, which count before what a cell says of them."""
    found = dict(columns)
    for name, (date, sign) in day.days.items():
        if date in columns:
            days = partial(_days_to, day.date, date, name, sign)
            distance = by_value(columns[date], days, pl.Int64)
            found[name] = _or(distance, found[name]) if name in found else distance
    return found


def _days_to(today: str, date: str, name: str, sign: int, day: str) -> int | None:
    distance: int | None = fold_fields({date: day}, today, {name: (date, sign)}).get(name)
    return distance
