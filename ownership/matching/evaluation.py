"""How good matches are against known answers: precision, recall, calibration, and how much goes to a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ownership.matching.matcher import Outcome
from ownership.matching.model import NAMES_ONLY

STEPS = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """One lead's best account: the probability or other score, whether it is right, whether there is one to be found.

    `outcome` is empty for methods that know no review. `log_odds` and `kind` are for calibration.
    """

    score: float
    right: bool
    wanted: bool
    outcome: str = ""
    log_odds: float = 0.0
    kind: str = NAMES_ONLY


@dataclass(frozen=True, slots=True)
class Rates:
    precision: float
    recall: float
    f1: float


def rates_at(answers: Iterable[Answer], at: float) -> Rates:
    """Precision, recall and F1 when everything from this score on is taken for a match."""
    every = list(answers)
    return _rates([each for each in every if each.score >= at], every)


def rates_of_matches(answers: Sequence[Answer]) -> Rates:
    """The same for what came out as a match."""
    return _rates([each for each in answers if each.outcome == Outcome.MATCH], answers)


def _rates(taken: Sequence[Answer], every: Sequence[Answer]) -> Rates:
    right, wanted = sum(each.right for each in taken), sum(each.wanted for each in every)
    precision, recall = right / max(1, len(taken)), right / max(1, wanted)
    return Rates(precision, recall, 2 * precision * recall / max(1e-9, precision + recall))


def best_threshold(answers: Sequence[Answer]) -> float:
    """The score at which F1 is highest; of several the lowest."""
    return max(_thresholds(answers), key=lambda at: (rates_at(answers, at).f1, -at))


def threshold_for(answers: Sequence[Answer], precision: float) -> float | None:
    """The lowest score from which on so many of a hundred are right; None when there is none."""
    return min((at for at in _thresholds(answers) if rates_at(answers, at).precision >= precision), default=None)


def _thresholds(answers: Iterable[Answer]) -> list[float]:
    scores = sorted({each.score for each in answers if each.score > 0})
    return scores[:: max(1, len(scores) // STEPS)] or [1.0]


def calibration_error(answers: Sequence[Answer]) -> float:
    """The gap between probability and truth, as the mean over ten bands of probability, each for its share."""
    bands: dict[int, list[Answer]] = {}
    for each in answers:
        bands.setdefault(min(9, int(each.score * 10)), []).append(each)
    gaps = (abs(sum(each.score for each in some) - sum(each.right for each in some)) for some in bands.values())
    return sum(gaps) / max(1, len(answers))


def figures_of(answers: Sequence[Answer]) -> dict[str, float]:
    """All of it by name, rounded to four digits."""
    matches, at_best = rates_of_matches(answers), best_threshold(answers)
    best, sure = rates_at(answers, at_best), threshold_for(answers, 0.99)
    figures = {
        "leads": float(len(answers)),
        "with_account": float(sum(each.wanted for each in answers)),
        "matched": float(sum(each.outcome == Outcome.MATCH for each in answers)),
        "matched_wrong": float(sum(each.outcome == Outcome.MATCH and not each.right for each in answers)),
        "precision": matches.precision,
        "recall": matches.recall,
        "f1": matches.f1,
        "review_share": sum(each.outcome == Outcome.REVIEW for each in answers) / max(1, len(answers)),
        "best_f1": best.f1,
        "best_f1_at": at_best,
        "recall_at_99_precision": rates_at(answers, sure).recall if sure is not None else 0.0,
        "calibration_error": calibration_error(answers),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def summary(figures: Mapping[str, float]) -> list[str]:
    """The figures for people."""
    return [
        f"{figures['leads']:,.0f} leads, {figures['with_account']:,.0f} of them with an account",
        f"matched     {figures['matched']:,.0f}, {figures['matched_wrong']:,.0f} of them wrong: precision "
        f"{figures['precision']:.2%}, recall {figures['recall']:.1%}",
        f"for review  {figures['review_share']:.1%} of all leads",
        f"best F1     {figures['best_f1']:.3f} when everything from {figures['best_f1_at']:.2f} on is taken",
        f"at 99 %     {figures['recall_at_99_precision']:.1%} are found where 99 of 100 are right",
        f"calibration {figures['calibration_error']:.3f}: the mean gap between probability and truth",
    ]
