"""Small CSV files that people write by hand: named columns, and a clear word when one is missing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.account_files import UnreadableFile


def read_csv(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line number, cells stripped, empty where there is none. Raises `UnreadableFile`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if missing := [name for name in columns if name not in (rows.fieldnames or ())]:
                raise UnreadableFile(path, f"has no column '{missing[0]}'", f"It needs {', '.join(columns)}")
            for row in rows:
                yield rows.line_num, {name: (row.get(name) or "").strip() for name in (*columns, *optional)}
    except (OSError, UnicodeError, csv.Error) as problem:
        raise UnreadableFile(path, f"cannot be read ({problem})", "Save it as UTF-8 with commas") from None
