"""The score: how likely two companies are one, from their features, and what each feature adds.

Boosted trees, learnt from public data (`benchmarks/train_matching.py`), in which more agreement never lowers the score.
Scores are turned into probabilities by two tables: one for pairs that only their names speak for, one for pairs with
something else besides.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ownership.matching.features import FEATURES, INDEX_OF

Matrix = NDArray[np.float64]
Row = NDArray[np.float64]

CORROBORATING = ("alias", "domain", "domain_says_name", "phone", "ids", "city", "postcode", "street")
NAMES_ONLY, CORROBORATED = "names only", "corroborated"
BLOCK = 4096
NODE = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True)
class Calibration:
    """Probabilities by score, as two tables of rising (score, probability) points; between them it is a line."""

    tables: Mapping[str, tuple[tuple[float, float], ...]]

    def probabilities(self, scores: Row, corroborated: NDArray[np.bool_]) -> Row:
        """The probability behind each score."""
        found = np.empty(len(scores))
        for kind, which in ((NAMES_ONLY, ~corroborated), (CORROBORATED, corroborated)):
            points = np.array(self.tables[kind])
            found[which] = np.interp(scores[which], points[:, 0], points[:, 1])
        return found


@dataclass(frozen=True)
class Model:
    """Trees as five lists of nodes, one tree after the other; `roots` says where each begins.

    A node asks whether a `feature` is at most its `threshold`, and goes on `left` or `right`; a leaf goes on to itself.
    A `value` is what the tree says of all that reach the node, relative to its root; `start` is the sum of the roots.
    """

    start: float
    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Row
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Row
    depth: int
    calibration: Calibration
    version: str

    def scores(self, features: Matrix) -> Row:
        """The log-odds of each row of features."""
        blocks = [self._walk(features[at : at + BLOCK]) for at in range(0, len(features), BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def probabilities(self, features: Matrix) -> Row:
        """How likely each pair is one company."""
        return self.calibration.probabilities(self.scores(features), is_corroborated(features))

    def contributions(self, features: Row) -> dict[str, float]:
        """What each feature adds to the score of one pair; with `start` they sum to it. Features that add nothing are
        left out."""
        added = np.zeros(len(FEATURES))
        node = self.roots
        for _ in range(self.depth):
            asked = self.feature[node]
            below = np.where(features[asked] <= self.threshold[node], self.left[node], self.right[node])
            added += np.bincount(asked, self.value[below] - self.value[node], minlength=len(FEATURES))
            node = below
        return {name: float(value) for name, value in zip(FEATURES, added, strict=True) if value}

    def _walk(self, features: Matrix) -> Row:
        width = features.shape[1]
        values, row_starts = features.ravel(), (np.arange(len(features)) * width)[:, None]
        node = np.broadcast_to(self.roots, (len(features), len(self.roots)))
        for _ in range(self.depth):
            goes_left = values[row_starts + self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return np.asarray(self.start + self.value[node].sum(axis=1))


def is_corroborated(features: Matrix) -> NDArray[np.bool_]:
    """For which pairs something besides the names speaks: a domain, a phone, a place, a known alias."""
    columns = [INDEX_OF[name] for name in CORROBORATING]
    return np.asarray((features[:, columns] >= 0.5).any(axis=1))


def read_model(text: str) -> Model:
    """The model from its JSON text. Raises `ValueError` for one with other features than these."""
    said = json.loads(text)
    if tuple(said["features"]) != FEATURES:
        raise ValueError("the model was learnt on other features; learn it anew: make match-model")
    trees: Sequence[Mapping[str, Sequence[float]]] = said["trees"]
    sizes = [len(tree["feature"]) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    feature, threshold, left, right, value = (np.concatenate([tree[name] for tree in trees]) for name in NODE)
    of_tree, itself = np.repeat(roots, sizes), np.arange(sum(sizes))
    is_leaf = feature < 0
    return Model(
        start=said["start"],
        roots=roots,
        feature=np.where(is_leaf, 0, feature).astype(np.int64),
        threshold=threshold.astype(np.float64),
        left=np.where(is_leaf, itself, left + of_tree).astype(np.int64),
        right=np.where(is_leaf, itself, right + of_tree).astype(np.int64),
        value=value.astype(np.float64),
        depth=max(map(_depth, trees)),
        calibration=read_calibration(said["calibration"]),
        version=sha256(text.encode()).hexdigest()[:12],
    )


def _depth(tree: Mapping[str, Sequence[float]]) -> int:
    """How many questions a tree asks at most."""
    asked = [0] * len(tree["feature"])
    for node, feature in enumerate(tree["feature"]):  # a node comes before its children
        if feature >= 0:
            for child in (tree["left"][node], tree["right"][node]):
                asked[int(child)] = asked[node] + 1
    return max(asked)


def read_calibration(said: Mapping[str, Sequence[Sequence[float]]]) -> Calibration:
    """The tables from plain lists. Raises `ValueError` when one is missing or does not rise."""
    tables = {}
    for kind in (NAMES_ONLY, CORROBORATED):
        points = tuple((float(score), float(probability)) for score, probability in said.get(kind, ()))
        rising = all(a[0] <= b[0] and a[1] <= b[1] for a, b in itertools.pairwise(points))
        if len(points) < 2 or not rising:
            raise ValueError(f"the calibration for '{kind}' needs two points at least, and has to rise")
        tables[kind] = points
    return Calibration(tables)
