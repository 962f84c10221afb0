"""Probabilities fitted to answers people know: nearer the truth where they were off, left where they were not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.matching.evaluation import Answer, calibration_error
from ownership.matching.model import CORROBORATED, NAMES_ONLY, Calibration, read_calibration
from ownership.matching.recalibrating import FEWEST, recalibrated

LINE = tuple((float(score), float(1 / (1 + np.exp(-score)))) for score in np.linspace(-6, 6, 61))
SHIPPED = Calibration({NAMES_ONLY: LINE, CORROBORATED: LINE})


def answers(count: int, seed: int, stretch: float = 1.0, shift: float = 0.0, kind: str = NAMES_ONLY) -> list[Answer]:
    """Answers that are right as often as their log-odds, stretched and shifted, say; scored as shipped."""
    random = np.random.default_rng(seed)
    made = []
    for score in random.normal(0.0, 3.0, count).clip(-6, 6).tolist():
        right = bool(random.random() < 1 / (1 + np.exp(-(stretch * score + shift))))
        said = float(SHIPPED.probabilities(np.array([score]), np.array([kind == CORROBORATED]))[0])
        made.append(Answer(said, right, wanted=True, log_odds=score, kind=kind))
    return made


def error_with(tables: dict[str, list[list[float]]], some: list[Answer]) -> float:
    calibration = read_calibration(tables)
    scores = calibration.probabilities(
        np.array([each.log_odds for each in some]), np.array([each.kind == CORROBORATED for each in some])
    )
    return calibration_error([replace(each, score=float(score)) for each, score in zip(some, scores, strict=True)])


@pytest.mark.parametrize("kind", [NAMES_ONLY, CORROBORATED])
def test_probabilities_that_were_off_are_right_for_answers_not_seen_before(kind: str) -> None:
    tables = recalibrated(answers(600, seed=1, stretch=0.5, shift=-1.0, kind=kind), SHIPPED)
    unseen = answers(4000, seed=2, stretch=0.5, shift=-1.0, kind=kind)
    assert calibration_error(unseen) > 0.1
    assert error_with(tables, unseen) < 0.03


def test_probabilities_that_were_right_are_not_fitted_to_chance() -> None:
    tables = recalibrated(answers(300, seed=3), SHIPPED)
    assert error_with(tables, answers(20_000, seed=4)) < 0.02


def test_a_kind_with_too_few_answers_keeps_its_probabilities() -> None:
    off = answers(FEWEST, seed=5, shift=-2.0)
    few = answers(FEWEST - 1, seed=6, shift=-2.0, kind=CORROBORATED)
    tables = recalibrated([*off, *few], SHIPPED)
    assert tables[CORROBORATED] == [list(point) for point in LINE]
    assert tables[NAMES_ONLY] != tables[CORROBORATED]


def test_too_few_answers_of_every_kind_fit_nothing() -> None:
    with pytest.raises(ValueError, match=f"{FEWEST} are needed"):
        recalibrated(answers(FEWEST - 1, seed=7), SHIPPED)


def test_answers_of_which_all_are_right_do_not_make_everything_certain() -> None:
    all_right = [replace(each, right=True) for each in answers(20_000, seed=8)]
    likely = [probability for _, probability in recalibrated(all_right, SHIPPED)[NAMES_ONLY]]
    assert max(likely) < 1.0
    assert likely == sorted(likely)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-3.0, -1.5, 0.25, 0.5, 2.0, 9.0]), st.booleans()), min_size=1, max_size=12))
def test_whatever_the_answers_the_tables_rise_and_nothing_is_certain(said: list[tuple[float, bool]]) -> None:
    some = [Answer(0.5, right, wanted=True, log_odds=score) for score, right in (said * FEWEST)[:240]]
    calibration = read_calibration(recalibrated(some, SHIPPED))
    likely = calibration.probabilities(np.linspace(-10, 10, 50), np.zeros(50, dtype=bool))
    assert ((likely > 0) & (likely < 1)).all()
