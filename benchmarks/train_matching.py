"""Learn the matching score from public data: `make match-model DATA=folder` writes ownership/matching/model.json.

Trees are learnt on the pairs of all sets together. The tables that turn a score into a probability come from trees that
never saw the company in question: each fifth of the companies is scored by trees learnt on the other four.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression

from benchmarks.companies import make_market
from benchmarks.gold_sets import GoldSet, load, part
from ownership.matching.features import FEATURES, features_of
from ownership.matching.index import Index
from ownership.matching.model import CORROBORATED, NAMES_ONLY, is_corroborated
from ownership.matching.normal import normalise

LEARN_FROM = ("T1", "T2", "T3", "C")
MODEL = Path(__file__).parent.parent / "ownership" / "matching" / "model.json"
ANY_DIRECTION = ("lead_weight", "only_candidate")
FOLDS = 5
POINTS, DRAWS = 100, 100
"""A table of probabilities has so many points, each the mean of so many fits."""
WEIGHT = {"S": 0.25}
"""How much a pair of the made-up market counts beside a real one, of which there are far fewer."""


@dataclass
class Pairs:
    """Every lead with each of its candidates: features, whether it is right, the lead's number and its company."""

    name: str
    features: np.ndarray
    right: np.ndarray
    lead: np.ndarray
    entity: np.ndarray
    has_account: np.ndarray  # by lead


def pairs_of(gold: GoldSet, same: Any = None) -> Pairs:
    """`same(account id, what gold says)` tells whether a candidate is right; equality when None."""
    same = same or (lambda account, wanted: account == wanted)
    index = Index(normalise(account) for account in gold.accounts)
    rows, right, numbers, entities = [], [], [], []
    for number, company in enumerate(gold.leads):
        lead, wanted = normalise(company), gold.gold[company.id]
        found = index.candidates(lead)
        rows += features_of(lead, [index.get(each.id) for each in found], found, index)
        right += [wanted is not None and same(each.id, wanted) for each in found]
        numbers += [number] * len(found)
        entities += [gold.entity[company.id]] * len(found)
    has_account = np.array([gold.gold[lead.id] is not None for lead in gold.leads])
    return Pairs(gold.name, np.array(rows), np.array(right), np.array(numbers), np.array(entities), has_account)


def made_up(accounts: int = 200_000, leads: int = 20_000) -> Pairs:
    """Leads with web domains and free mailboxes, of which the public sets have none."""
    market = make_market(accounts, leads, seed=5)
    gold = GoldSet("S", market.accounts, market.leads)
    for lead in market.leads:
        company = market.gold[lead.id]
        gold.gold[lead.id] = None if company is None else str(company)
        gold.entity[lead.id] = lead.id if company is None else str(company)
    return pairs_of(gold, lambda account, wanted: str(market.company_of[account]) == wanted)


def learn(pairs: Sequence[Pairs], keep: Sequence[np.ndarray]) -> HistGradientBoostingClassifier:
    directions = [0 if name in ANY_DIRECTION else 1 for name in FEATURES]
    trees = HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.06,
        max_leaf_nodes=16,
        max_depth=8,
        min_samples_leaf=40,
        l2_regularization=2.0,
        monotonic_cst=directions,
        random_state=0,
    )
    features = np.vstack([each.features[kept] for each, kept in zip(pairs, keep, strict=True)])
    right = np.concatenate([each.right[kept] for each, kept in zip(pairs, keep, strict=True)])
    weight = np.concatenate(
        [np.full(kept.sum(), WEIGHT.get(each.name, 1.0)) for each, kept in zip(pairs, keep, strict=True)]
    )
    return trees.fit(features, right, weight)


def fold_of(entity: str) -> int:
    return part("fold" + entity, FOLDS)


def fold_trees(pairs: Sequence[Pairs]) -> list[HistGradientBoostingClassifier]:
    """For each fold of the companies the trees that never saw them."""
    folds = [np.array([fold_of(entity) for entity in each.entity]) for each in pairs]
    return [learn(pairs, [which != fold for which in folds]) for fold in range(FOLDS)]


def unseen_scores(pairs: Sequence[Pairs], trees: Sequence[HistGradientBoostingClassifier]) -> list[np.ndarray]:
    """The score of each pair by the trees of `fold_trees` that never saw its company."""
    scores = [np.zeros(len(each.right)) for each in pairs]
    for each, into in zip(pairs, scores, strict=True):
        folds = np.array([fold_of(entity) for entity in each.entity])
        for fold, learnt in enumerate(trees):
            if (folds == fold).any():
                into[folds == fold] = learnt.decision_function(each.features[folds == fold])
    return scores


def best_rows(pairs: Pairs, scores: np.ndarray) -> Iterator[int]:
    """The row of each lead's best candidate."""
    order = np.lexsort((-scores, pairs.lead))
    _, first = np.unique(pairs.lead[order], return_index=True)
    yield from order[first].tolist()


def calibrate(pairs: Sequence[Pairs], scores: Sequence[np.ndarray]) -> dict[str, list[list[float]]]:
    """Probability by score over the best candidates, each set with the same weight."""
    found: dict[str, list[tuple[float, bool, float]]] = {NAMES_ONLY: [], CORROBORATED: []}
    for each, scored in zip(pairs, scores, strict=True):
        rows = np.array(list(best_rows(each, scored)))
        besides = is_corroborated(each.features[rows])
        for row, corroborated in zip(rows, besides, strict=True):
            kind = CORROBORATED if corroborated else NAMES_ONLY
            found[kind].append((float(scored[row]), bool(each.right[row]), 1000 / len(rows)))
    return {kind: calibration_table(points) for kind, points in found.items()}


def calibration_table(points: Sequence[tuple[float, bool, float]]) -> list[list[float]]:
    """The mean of isotonic fits to answers weighted by chance (the Bayesian bootstrap), at even scores.

    One fit has long steps, and where they lie is chance: a threshold on a step moves many answers at once.
    """
    score, right, weight = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    chance, at = np.random.default_rng(0), np.linspace(score.min(), score.max(), POINTS)
    fits = [
        IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip")
        .fit(score, right, weight * chance.exponential(size=len(weight)))
        .predict(at)
        for _ in range(DRAWS)
    ]
    likely = np.mean(fits, axis=0)
    return [[round(x, 4), round(y, 4)] for x, y in zip(at.tolist(), likely.tolist(), strict=True)]


def trees_as_json(trees: HistGradientBoostingClassifier) -> tuple[float, list[dict[str, list[float]]]]:
    """The trees as lists, with each node's value relative to its root, and what all roots come to."""
    start = float(np.ravel(trees._baseline_prediction)[0])
    made = []
    for (predictor,) in trees._predictors:
        nodes = predictor.nodes
        value = [0.0] * len(nodes)
        for number in range(len(nodes) - 1, -1, -1):
            node = nodes[number]
            left, right = int(node["left"]), int(node["right"])
            if node["is_leaf"]:
                value[number] = float(node["value"])
            else:
                share = float(nodes[left]["count"]) / float(node["count"])
                value[number] = value[left] * share + value[right] * (1 - share)
        start += value[0]
        made.append(
            {
                "feature": [-1 if node["is_leaf"] else int(node["feature_idx"]) for node in nodes],
                "threshold": [0 if node["is_leaf"] else round(float(node["num_threshold"]), 6) for node in nodes],
                "left": [int(node["left"]) for node in nodes],
                "right": [int(node["right"]) for node in nodes],
                "value": [round(each - value[0], 5) for each in value],
            }
        )
    return start, made


def main(folder: Path) -> None:
    pairs = [pairs_of(load(name, folder)) for name in LEARN_FROM] + [made_up()]
    scores = unseen_scores(pairs, fold_trees(pairs))
    start, trees = trees_as_json(learn(pairs, [np.ones(len(each.right), dtype=bool) for each in pairs]))
    model = {"features": FEATURES, "start": start, "calibration": calibrate(pairs, scores), "trees": trees}
    MODEL.write_text(json.dumps(model, separators=(",", ":")) + "\n")
    figures = {each.name: len(each.has_account) for each in pairs}
    print(json.dumps({"learnt_from_leads": figures, "trees": len(trees), "bytes": MODEL.stat().st_size}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
