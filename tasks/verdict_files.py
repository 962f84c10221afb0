"""Files in which people say what records are: pairs that are one company or not, and the true company of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ownership.matching.clusters import Pair
from tasks.account_files import UnreadableFile
from tasks.csv_files import read_csv

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
    for line, row in read_csv(path, ("id", "other_id", "verdict")):
        one, other, verdict = row["id"], row["other_id"], row["verdict"].casefold()
        if verdict not in said:
            raise UnreadableFile(path, f"line {line} has the verdict '{verdict[:40]}'", f"Write {SAME} or {SPLIT}")
        for id_ in (one, other):
            if id_ not in known:
                raise UnreadableFile(path, f"line {line} names {id_[:80]}, no readable record", "Correct the id")
        said[verdict].append((one, other))
    return Verdicts(tuple(said[SAME]), tuple(said[SPLIT]))


def read_true_ids(path: Path) -> dict[str, str]:
    """The true company of each record, from a CSV of id and true_id. Raises `UnreadableFile`."""
    return {row["id"]: row["true_id"] for _, row in read_csv(path, ("id", "true_id")) if row["true_id"]}
