"""Measure matches against a file of known answers, and fit the probabilities to them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ownership.matching.evaluation import Answer
from ownership.matching.matcher import Match
from ownership.matching.model import CORROBORATED, NAMES_ONLY, Model, is_corroborated
from tasks.account_files import UnreadableFile


def read_gold(path: Path) -> dict[str, str | None]:
    """The account of each lead, None for none, from a CSV with the columns lead_id and account_id.

    Raises `UnreadableFile`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"lead_id", "account_id"} <= set(rows.fieldnames or ()):
                raise UnreadableFile(path, "lacks the columns lead_id and account_id", "Add or rename them")
            return {row["lead_id"]: row["account_id"] or None for row in rows}
    except (OSError, UnicodeError, csv.Error) as problem:
        raise UnreadableFile(path, f"cannot be read ({problem})", "Save it as UTF-8 with commas") from None


def answers_of(matches: Sequence[Match], gold: Mapping[str, str | None], model: Model) -> list[Answer]:
    """Each match of a lead that has a known answer, held against it."""
    return [_answer(match, gold[match.lead_id], model) for match in matches if match.lead_id in gold]


def _answer(match: Match, wanted: str | None, model: Model) -> Answer:
    if match.best is None:
        return Answer(0.0, False, wanted is not None, match.outcome.value)
    features = np.array([match.best.features])
    return Answer(
        score=match.score,
        right=match.best.account_id == wanted,
        wanted=wanted is not None,
        outcome=match.outcome.value,
        log_odds=float(model.scores(features)[0]),
        kind=CORROBORATED if is_corroborated(features)[0] else NAMES_ONLY,
    )


def write_json(value: object, path: Path) -> None:
    """Write JSON for other tools. Raises `UnreadableFile` when it cannot be written."""
    try:
        path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise UnreadableFile(path, f"cannot be written ({problem.strerror})", "Correct the path") from None
