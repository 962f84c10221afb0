"""Learn the score of pairs inside one file: `make dedupe-model DATA=folder` writes ownership/matching/pair_model.json.

As `benchmarks.train_matching`, but on pairs of accounts: every record of a set is in one file, and what is right is
that two of them are one company. Probabilities are those of any pair that is compared, not of a lead's best candidate.

The last lines say how clusters come out when companies were never seen. "unseen": on all of each set, each fifth of it
by trees learnt on the other four. "second_half": on four of ten companies, when all was learnt on the other six. The
mean needed to join was chosen on these six, of what keeps 99 of 100 pairs right there what finds most; the strongest
link on a made-up market of a million, as what keeps 99 of 100 right.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.gold_sets import is_first_half, part
from benchmarks.record_files import File, file_of, made_up
from benchmarks.train_matching import FOLDS, Pairs, calibration_table, trees_as_json
from ownership.matching.apart import why_apart
from ownership.matching.average_link import Needed
from ownership.matching.blocks import pairs_to_compare
from ownership.matching.clusters import Edge, cluster
from ownership.matching.features import FEATURES
from ownership.matching.filed import Filed
from ownership.matching.model import CORROBORATED, NAMES_ONLY, is_corroborated, read_calibration
from ownership.matching.normal import normalise
from ownership.matching.pairs import pair_features

LEARN_FROM = ("T1", "T2", "T3", "C")
MODEL = Path(__file__).parent.parent / "ownership" / "matching" / "pair_model.json"
WEIGHT = {"S": 40_000, "C": 20_000, "T1": 10_000, "T2": 3_000, "T3": 5_000}
"""What each set counts for. Those of two systems count less: there one company often has two addresses, while in one
file another address is mostly another company."""
ANY_DIRECTION = ("lead_weight", "only_candidate", "domain", "lead_gap", "gram_gap")
"""Of two accounts, another web domain ending is no better sign than an unknown one."""
TRIED = (Needed(0.5, 0.5), Needed(0.9, 0.5), Needed(0.9, 0.7), Needed(0.93, 0.7), Needed(), Needed(0.95, 0.75))


@dataclass
class Compared:
    file: File
    filed: Filed
    ones: np.ndarray
    others: np.ndarray
    pairs: Pairs


def compare(file: File) -> Compared:
    filed = Filed(map(normalise, file.records))
    ones, others = pairs_to_compare(filed, filed.word_weight)
    entity = np.array([file.entity[id_] for id_ in filed.ids])
    right = entity[ones] == entity[others]
    pairs = Pairs(file.name, pair_features(filed, ones, others), right, ones, entity[ones], right)
    return Compared(file, filed, ones, others, pairs)


def learn(pairs: Sequence[Pairs], keep: Sequence[np.ndarray]) -> HistGradientBoostingClassifier:
    """Trees in which more agreement never lowers the score, each set with its weight."""
    trees = HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.06,
        max_leaf_nodes=12,
        min_samples_leaf=30,
        l2_regularization=2.0,
        monotonic_cst=[0 if name in ANY_DIRECTION else 1 for name in FEATURES],
        random_state=0,
    )
    features = np.vstack([each.features[kept] for each, kept in zip(pairs, keep, strict=True)])
    right = np.concatenate([each.right[kept] for each, kept in zip(pairs, keep, strict=True)])
    weights = np.concatenate(
        [np.full(kept.sum(), WEIGHT[each.name] / kept.sum()) for each, kept in zip(pairs, keep, strict=True)]
    )
    return trees.fit(features, right, weights)


def unseen_scores(pairs: Sequence[Pairs]) -> list[np.ndarray]:
    """The score of each pair by trees that never saw its company."""
    scores = [np.zeros(len(each.right)) for each in pairs]
    folds = [np.array([part("fold" + entity, FOLDS) for entity in each.entity]) for each in pairs]
    for fold in range(FOLDS):
        trees = learn(pairs, [which != fold for which in folds])
        for each, which, into in zip(pairs, folds, scores, strict=True):
            into[which == fold] = trees.decision_function(each.features[which == fold])
    return scores


def calibrate(pairs: Sequence[Pairs], scores: Sequence[np.ndarray]) -> dict[str, list[list[float]]]:
    """Probability by score over all pairs, each set with its weight."""
    found: dict[str, list[tuple[float, bool, float]]] = {NAMES_ONLY: [], CORROBORATED: []}
    for each, scored in zip(pairs, scores, strict=True):
        besides = is_corroborated(each.features)
        for score, right, corroborated in zip(scored.tolist(), each.right.tolist(), besides.tolist(), strict=True):
            found[CORROBORATED if corroborated else NAMES_ONLY].append((score, right, WEIGHT[each.name] / len(scored)))
    return {kind: calibration_table(points) for kind, points in found.items()}


def clusters_unseen(compared: Compared, likely: np.ndarray, needed: Needed) -> dict[str, float]:
    """Pair precision and recall of the clusters that these probabilities make."""
    filed, entity = compared.filed, compared.file.entity
    place = {id_: number for number, id_ in enumerate(filed.ids)}
    edges = (
        Edge(filed.ids[one], filed.ids[other], score)
        for one, other, score in zip(compared.ones.tolist(), compared.others.tolist(), likely.tolist(), strict=True)
    )
    made = cluster(edges, apart=lambda a, b: why_apart(filed[place[a]], filed[place[b]]), needed=needed)
    taken = [pair for each in made.clusters for pair in combinations(each.members, 2)]
    right = sum(entity[one] == entity[other] for one, other in taken)
    wanted = sum(1 for _ in true_pairs(entity))
    return {"p": round(right / max(1, len(taken)), 4), "r": round(right / max(1, wanted), 4)}


def true_pairs(entity: dict[str, str]) -> Iterator[tuple[str, str]]:
    members: dict[str, list[str]] = {}
    for id_, each in entity.items():
        members.setdefault(each, []).append(id_)
    return (pair for ids in members.values() for pair in combinations(sorted(ids), 2))


def main(folder: Path) -> None:
    compared = [compare(file_of(name, folder)) for name in LEARN_FROM] + [compare(made_up(30_000, seed=5))]
    pairs = [each.pairs for each in compared]
    scores = unseen_scores(pairs)
    start, trees = trees_as_json(learn(pairs, [np.ones(len(each.right), dtype=bool) for each in pairs]))
    tables = calibrate(pairs, scores)
    model = {"features": FEATURES, "start": start, "calibration": tables, "trees": trees}
    MODEL.write_text(json.dumps(model, separators=(",", ":")) + "\n")
    for each, scored in zip(compared, scores, strict=True):
        _print("unseen", each, scored, tables)
    second_halves(folder)


def second_halves(folder: Path) -> None:
    """Learn on the first half of all companies, and say how clusters of the second half come out."""
    first = [compare(_half(file_of(name, folder), True)) for name in LEARN_FROM] + [compare(made_up(30_000, seed=5))]
    second = [compare(_half(file_of(name, folder), False)) for name in LEARN_FROM] + [compare(made_up(30_000, seed=6))]
    pairs = [each.pairs for each in first]
    tables = calibrate(pairs, unseen_scores(pairs))
    trees = learn(pairs, [np.ones(len(each.right), dtype=bool) for each in pairs])
    for each in second:
        _print("second_half", each, trees.decision_function(each.pairs.features), tables)


def _half(file: File, first: bool) -> File:
    records = [each for each in file.records if is_first_half(file.entity[each.id]) is first]
    return File(file.name, records, {each.id: file.entity[each.id] for each in records})


def _print(what: str, compared: Compared, scores: np.ndarray, tables: dict[str, list[list[float]]]) -> None:
    likely = read_calibration(tables).probabilities(scores, is_corroborated(compared.pairs.features))
    found = {f"{at.strongest}/{at.mean}": clusters_unseen(compared, likely, at) for at in TRIED}
    right = int(compared.pairs.right.sum())
    print(json.dumps({what: compared.file.name, "pairs": len(scores), "right": right, **found}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
