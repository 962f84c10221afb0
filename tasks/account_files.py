"""Files of accounts in, files of decisions out: CSV and Parquet, read and written whole or not at all.

What the rows mean is `tasks/headless.py`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ownership.conditions import DATES, FIELDS
from ownership.model import Candidate, Decision, Step, TeamMember

if TYPE_CHECKING:  # polars takes a third of a second to import, and every `steward` command imports this module
    import polars as pl

REQUIRED = ("id", "name")
OF_RECORDS = ("website", "email", "parent_id", "owner", "company", "account_id", "owned_since")
COLUMNS = (*dict.fromkeys((*REQUIRED, *FIELDS, *DATES)), *OF_RECORDS)
"""Every column that is read, beside the fields of the policy's own. All are text, in CSV as in Parquet."""
OUTPUT = (
    *("account_id", "outcome", "owner_id", "reason", "rule", "because"),
    *("path", "candidates", "turn", "policy_hash", "inputs_hash", "team"),
)
"""The columns that are written, all text; `owner_id` and `turn` are empty when there is none."""
FORMATS = (".csv", ".parquet")
OVERFLOW = "(more cells than columns)"
BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What `str.strip` strips; what polars strips by itself is something less."""
ROWS_AT_ONCE = 50_000

Row = Mapping[str, str]


class UnreadableFile(ValueError):
    """A file that cannot be used. The message names the file, what is wrong with it, and the mend."""

    def __init__(self, path: Path, wrong: str, mend: str) -> None:
        super().__init__(f"{path}: {wrong}. {mend}")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows in its order, as one frame of text: a column for each that is known, stripped, null where a cell
    is empty. `ignored` are unknown columns."""

    frame: pl.DataFrame
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a `Table`, each as {column: text} without its empty cells."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...] = ()


def read_sheet(path: Path, fields: Iterable[str] = ()) -> Sheet:
    """As `read_table`, row by row."""
    table = read_table(path, fields)
    return Sheet(tuple(map(without_empty, table.frame.iter_rows(named=True))), table.ignored)


def without_empty(cells: Mapping[str, str | None]) -> Row:
    return {column: cell for column, cell in cells.items() if cell is not None}


def read_table(path: Path, fields: Iterable[str] = ()) -> Table:
    """Read accounts or leads from a .csv (UTF-8, commas, a header) or .parquet file; `fields` are further columns.

    Raises `UnreadableFile` when it cannot be read, or lacks `id` or `name`, or has a column twice.
    """
    file_format = format_of(path)
    content = content_of(path)
    if not content.strip():
        raise UnreadableFile(path, "is empty", "Write a line of column names, then a line for each account")
    import polars as pl

    known = {*COLUMNS, *fields}
    try:
        names, cells = _csv_cells(content) if file_format == ".csv" else _parquet_cells(content, known)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as problem:
        said = str(problem).strip().split("\n")[0][:200]
        mend = "Save it as UTF-8 with commas, and close every quote" if file_format == ".csv" else "Write it again"
        raise UnreadableFile(path, f"is no {file_format[1:]} file we can read ({said})", mend) from None
    columns = [name.strip().casefold() for name in names]
    _check_columns(path, columns, known)
    read = {*known, OVERFLOW}
    ignored = tuple(name for name, column in zip(names, columns, strict=True) if column not in {*read, ""})
    kept = (_stripped(cells[name].alias(column)) for name, column in zip(cells.columns, columns, strict=False))
    return Table(pl.DataFrame([column for column in kept if column.name in read]), ignored)


def _stripped(cells: pl.Series) -> pl.Series:
    """Cells without blanks around them, null where nothing is left."""
    text = cells.str.strip_chars(BLANKS)
    return text.set(text == "", None)


def format_of(path: Path) -> str:
    """ ".csv" or ".parquet", by the file's name. Raises `UnreadableFile` for any other."""
    if path.suffix.casefold() not in FORMATS:
        raise UnreadableFile(path, "is neither .csv nor .parquet", "Name it by what it holds")
    return path.suffix.casefold()


def content_of(path: Path) -> bytes:
    """All of a file. Raises `UnreadableFile` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UnreadableFile(path, f"cannot be read ({problem.strerror})", "Correct the path or its rights") from None


def _csv_cells(content: bytes) -> tuple[list[str], pl.DataFrame]:
    """The header and the rows as text, with one column more for what a line has too much. Empty lines are no rows."""
    import polars as pl

    first = pl.read_csv(io.BytesIO(content), has_header=False, infer_schema=False, n_rows=1, truncate_ragged_lines=True)
    names = [str(name or "") for name in first.row(0)] + [OVERFLOW]
    schema = {f"column_{position}": pl.String for position in range(len(names))}
    frame = pl.read_csv(
        io.BytesIO(content),
        has_header=False,
        schema=schema,
        truncate_ragged_lines=True,
        missing_columns="insert",
    )
    return names, frame[1:].filter(pl.any_horizontal(pl.all().fill_null("") != ""))


def _parquet_cells(content: bytes, columns: Set[str]) -> tuple[list[str], pl.DataFrame]:
    """The names of all columns, those that are known first, and these as text."""
    import polars as pl

    names = list(pl.read_parquet_schema(io.BytesIO(content)))
    known = [name for name in names if name.strip().casefold() in columns]
    frame = pl.read_parquet(io.BytesIO(content), columns=known)
    return known + [name for name in names if name not in known], frame.select(map(_as_text, frame))


def _as_text(column: pl.Series) -> pl.Series:
    import polars as pl

    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(";", ignore_nulls=True)
    if column.dtype.is_float():
        column = column.fill_nan(None)
    return column.cast(pl.String)


def _check_columns(path: Path, columns: Sequence[str], known: Set[str]) -> None:
    for name in REQUIRED:
        if name not in columns:
            found = ", ".join(column for column in columns if column not in ("", OVERFLOW)) or "none"
            raise UnreadableFile(path, f"has no column '{name}' (its columns: {found[:200]})", "Add or rename it")
    for name in sorted(known):
        if columns.count(name) > 1:
            raise UnreadableFile(path, f"has the column '{name}' {columns.count(name)} times", "Keep one of them")


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as .csv or .parquet, whole or not at all. Raises `UnreadableFile` when it cannot be written."""
    write_whole(path, frame.write_csv if format_of(path) == ".csv" else frame.write_parquet)


def table_csv(frame: pl.DataFrame) -> Iterator[str]:
    """A frame as CSV text, in parts."""
    yield frame.clear().write_csv()
    for part in frame.iter_slices(ROWS_AT_ONCE):
        yield part.write_csv(include_header=False)


def write_decisions(decisions: Iterable[Decision], path: Path) -> None:
    """Write `OUTPUT` as `write_table` does."""
    write_table(_frame(decisions), path)


def decisions_csv(decisions: Iterable[Decision]) -> str:
    """`OUTPUT` as CSV text."""
    return "".join(table_csv(_frame(decisions)))


def _frame(decisions: Iterable[Decision]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(list(map(cells_of, decisions)), schema=dict.fromkeys(OUTPUT, pl.String), orient="row")


def cells_of(decision: Decision) -> tuple[str | None, ...]:
    """The cells of `OUTPUT`."""
    path, candidates, team = (told_json(each) for each in (decision.path, decision.candidates, decision.team))
    return (
        *(decision.account_id, decision.outcome.value, decision.owner_id, decision.reason, decision.rule),
        *(decision.path[-1].because, path, candidates, decision.turn, decision.policy_hash, decision.inputs_hash, team),
    )


@lru_cache(maxsize=50_000)
def told_json(values: tuple[Step | Candidate | TeamMember, ...]) -> str:
    """What is told of many accounts is written out once."""
    return json.dumps(
        [{name: getattr(value, name) for name in value.__slots__} for value in values], ensure_ascii=False
    )


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all. Raises `UnreadableFile` when it cannot be written."""
    import polars as pl

    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file:
            write(file)
        beside.replace(path)
    except (OSError, pl.exceptions.PolarsError) as problem:
        beside.unlink(missing_ok=True)
        said = problem.strerror if isinstance(problem, OSError) else str(problem).split("\n")[0][:200]
        raise UnreadableFile(path, f"cannot be written ({said})", "Correct the path or its rights") from None
