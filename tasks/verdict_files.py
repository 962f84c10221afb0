"""Files in which people say what records are: pairs that are one company or not, and the true company of each."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ownership.matching.clusters import Pair
from tasks.account_files import UnreadableFile

SAME, SPLIT = "same", "split"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What people said of pairs of records: the same company (oldest first), or not."""

    same: tuple[Pair, ...] = ()
    split: tuple[Pair, ...] = ()


NOTHING_SAID = Verdicts()


def read_verdicts(path: Path, known: Collection[str]) -> Verdicts:
    """From a CSV of id, other_id and verdict (`same` or `split`). Raises `UnreadableFile`, also for ids not known."""
    said: dict[str, list[Pair]] = {SAME: [], SPLIT: []}
    for line, (one, other, verdict) in enumerate(_rows(path, ("id", "other_id", "verdict")), start=2):
        if verdict.casefold() not in said:
            raise UnreadableFile(path, f"line {line} has the verdict '{verdict[:40]}'", f"Write {SAME} or {SPLIT}")
        for id_ in (one, other):
            if id_ not in known:
                raise UnreadableFile(path, f"line {line} names {id_[:80]}, no readable record", "Correct the id")
        said[verdict.casefold()].append((one, other))
    return Verdicts(tuple(said[SAME]), tuple(said[SPLIT]))


def read_true_ids(path: Path) -> dict[str, str]:
    """The true company of each record, from a CSV of id and true_id. Raises `UnreadableFile`."""
    return {id_: true for id_, true in _rows(path, ("id", "true_id")) if true}


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if missing := [name for name in columns if name not in (rows.fieldnames or ())]:
                raise UnreadableFile(path, f"has no column '{missing[0]}'", f"It needs {', '.join(columns)}")
            return [tuple((row[name] or "").strip() for name in columns) for row in rows]
    except (OSError, UnicodeError, csv.Error) as problem:
        raise UnreadableFile(path, f"cannot be read ({problem})", "Save it as UTF-8 with commas") from None
