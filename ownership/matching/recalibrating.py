"""Fit probabilities to answers people know: the tables of `Calibration` anew, from no more than the answers can say.

Three ways, from the most cautious to the freest: the probabilities as they are; these shifted and stretched as a whole
(two numbers); steps wherever the answers have them. Which one is taken is decided on answers that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ownership.matching.evaluation import Answer
from ownership.matching.model import CORROBORATED, NAMES_ONLY, Calibration

FEWEST = 200
"""A table of probabilities is not made anew from fewer answers than these."""
FOLDS = 10
LEAST = 1e-3
"""Nothing is less likely than this, or more certain than the rest of 1."""
HELD_TO = 2.0
"""How firmly the shift and the stretch are held to none, in answers."""

Row = NDArray[np.float64]
Table = list[list[float]]
Way = Callable[[Row, Row, Table], Table]


def recalibrated(answers: Sequence[Answer], before: Calibration) -> dict[str, Table]:
    """The tables of `Calibration` from these answers; a kind with fewer than `FEWEST` keeps its table of `before`.

    The order of the answers matters: leads of one company should follow one another, as they mostly do in a file.
    Raises `ValueError` when there are too few answers of every kind.
    """
    tables, counts = {}, {}
    for kind in (NAMES_ONLY, CORROBORATED):
        some = [(each.log_odds, each.right) for each in answers if each.kind == kind and each.log_odds]
        counts[kind] = len(some)
        shipped = [list(point) for point in before.tables[kind]]
        tables[kind] = _fitted(np.array(some, dtype=float), shipped) if len(some) >= FEWEST else shipped
    if max(counts.values()) < FEWEST:
        found = " and ".join(f"{count} of the kind '{kind}'" for kind, count in counts.items())
        raise ValueError(f"leads with a candidate: {found}; {FEWEST} are needed of one at least")
    return tables


def _fitted(answers: Row, shipped: Table) -> Table:
    scores, right = answers[:, 0], answers[:, 1]
    block = np.arange(len(scores)) * FOLDS // len(scores)

    def surprise(way: Way) -> float:
        """How badly it foretells answers that it was not fitted to: the sum of their negative log-likelihoods."""
        total = 0.0
        for each in range(FOLDS):
            unseen = block == each
            likely = _read(way(scores[~unseen], right[~unseen], shipped), scores[unseen])
            total -= float(np.log(np.where(right[unseen] == 1.0, likely, 1.0 - likely)).sum())
        return total

    return min(WAYS, key=surprise)(scores, right, shipped)


def _as_it_is(scores: Row, right: Row, shipped: Table) -> Table:
    return shipped


def _stretched(scores: Row, right: Row, shipped: Table) -> Table:
    """The log-odds of each probability times one number, which is not below 0, plus another."""
    odds = _log_odds(_read(shipped, scores))
    stretch, shift = 1.0, 0.0
    columns = np.stack([odds, np.ones(len(odds))])
    for _ in range(25):
        likely = _likely(stretch * odds + shift)
        slope = columns @ (right - likely) - HELD_TO * np.array([stretch - 1.0, shift])
        bend = (columns * (likely * (1.0 - likely))) @ columns.T + HELD_TO * np.eye(2)
        step = np.linalg.solve(bend, slope)
        stretch, shift = max(0.0, stretch + float(step[0])), shift + float(step[1])
    at = np.array([score for score, _ in shipped])
    return _table(at, _likely(stretch * _log_odds(_read(shipped, at)) + shift))


def _in_steps(scores: Row, right: Row, shipped: Table) -> Table:
    """Pool neighbours until the shares rise (isotonic regression), and say each share at both ends of its pool."""
    order = np.lexsort((right, scores))
    pools: list[tuple[float, float, float, float]] = []  # first and last score, right ones, all
    for score, is_right in zip(scores[order].tolist(), right[order].tolist(), strict=True):
        pools.append((score, score, is_right, 1.0))
        while len(pools) > 1 and pools[-2][2] * pools[-1][3] >= pools[-1][2] * pools[-2][3]:
            later, earlier = pools.pop(), pools.pop()
            pools.append((earlier[0], later[1], earlier[2] + later[2], earlier[3] + later[3]))
    ends = [(end, (right_ones + 0.5) / (every + 1)) for *both, right_ones, every in pools for end in both]
    at, shares = np.array(ends).T
    return _table(at, np.maximum.accumulate(shares))


WAYS: Sequence[Way] = (_as_it_is, _stretched, _in_steps)


def _read(table: Table, scores: Row) -> Row:
    points = np.array(table)
    likely: Row = np.interp(scores, points[:, 0], points[:, 1]).clip(LEAST, 1.0 - LEAST)
    return likely


def _log_odds(likely: Row) -> Row:
    odds: Row = np.log(likely / (1.0 - likely))
    return odds


def _likely(odds: Row) -> Row:
    likely: Row = 1.0 / (1.0 + np.exp(-odds.clip(-30.0, 30.0)))
    return likely


def _table(scores: Row, likely: Row) -> Table:
    """Points each once, with one more where all scores are the same: a table has two at least."""
    both = zip(scores.tolist(), np.clip(likely, LEAST, 1.0 - LEAST).tolist(), strict=True)
    points = dict.fromkeys((round(score, 4), round(each, 4)) for score, each in both)
    table = [list(point) for point in points]
    return table if len(table) > 1 else [*table, [table[0][0] + 1.0, table[0][1]]]
