"""How well leads are matched with accounts, on real data: `make bench-gold DATA=folder`.

The score is learnt and every threshold chosen on the first half of the companies of each set; everything is measured on
the second half. Beside it, in the same run and in the same way, three simple methods. Ends with one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.gold_sets import GoldSet, former_names, is_first_half, load
from benchmarks.train_matching import FEATURES, Pairs, calibrate, learn, made_up, pairs_of, trees_as_json, unseen_scores
from ownership.matching.evaluation import Answer, best_threshold, figures_of, rates_at, threshold_for
from ownership.matching.index import Index
from ownership.matching.matcher import Matcher
from ownership.matching.model import Model, read_model
from ownership.matching.normal import normalise

SETS = ("T1", "T2", "T3", "C")


Method = Callable[[GoldSet], dict[str, tuple[str | None, float, str]]]


def main(folder: Path) -> None:
    sets = {name: load(name, folder) for name in SETS}
    model = half_a_model([pairs_of(gold) for gold in sets.values()])
    figures: dict[str, dict[str, dict[str, float]]] = {}
    methods: dict[str, Method] = {
        "steward": lambda gold: by_matcher(gold, model),
        "exact name": exact_names,
        "token sort": token_sort,
        "tf-idf 2-4": tf_idf,
    }
    for name, gold in sets.items():
        figures[name] = {method: measure(gold, run(gold)) for method, run in methods.items()}
        _print(name, gold, figures[name])
    for aliases in (True, False):
        gold = former_names(folder, aliases)
        name = "T4 with aliases" if aliases else "T4 by name"
        figures[name] = {"steward": measure(gold, by_matcher(gold, model))}
        _print(name, gold, figures[name])
    print(json.dumps(figures))


def half_a_model(pairs: Sequence[Pairs]) -> Model:
    """The score learnt on the first half of the companies alone, and calibrated there on companies it did not see."""
    half = [_first_half(each) for each in pairs] + [made_up()]
    scores = unseen_scores(half)
    start, trees = trees_as_json(learn(half, [np.ones(len(each.right), dtype=bool) for each in half]))
    said = {"features": FEATURES, "start": start, "calibration": calibrate(half, scores), "trees": trees}
    return read_model(json.dumps(said))


def _first_half(pairs: Pairs) -> Pairs:
    kept = np.array([is_first_half(entity) for entity in pairs.entity])
    return replace(
        pairs, features=pairs.features[kept], right=pairs.right[kept], lead=pairs.lead[kept], entity=pairs.entity[kept]
    )


def by_matcher(gold: GoldSet, model: Model) -> dict[str, tuple[str | None, float, str]]:
    matcher = Matcher(Index(normalise(account) for account in gold.accounts), model)
    found = {}
    for lead in gold.leads:
        match = matcher.match(normalise(lead))
        best = match.best.account_id if match.best else None  # also of a none: its probability is measured too
        found[lead.id] = (best, match.score, match.outcome.value)
    return found


def exact_names(gold: GoldSet) -> dict[str, tuple[str | None, float, str]]:
    accounts = {normalise(each).slug: each.id for each in reversed(gold.accounts)}
    found = {lead.id: accounts.get(normalise(lead).slug) for lead in gold.leads}
    return {id_: (account, 1.0 if account else 0.0, "") for id_, account in found.items()}


def token_sort(gold: GoldSet) -> dict[str, tuple[str | None, float, str]]:
    """rapidfuzz on the candidates that share letters: a kind blocking."""
    index = Index(normalise(account) for account in gold.accounts)
    found: dict[str, tuple[str | None, float, str]] = {}
    for lead in map(normalise, gold.leads):
        name = " ".join(lead.words)
        scored = [(fuzz.token_sort_ratio(name, " ".join(index.get(c.id).words)), c.id) for c in index.candidates(lead)]
        score, account = max(scored, default=(0.0, None))
        found[lead.id] = (account, score / 100, "")
    return found


def tf_idf(gold: GoldSet) -> dict[str, tuple[str | None, float, str]]:
    names = [" ".join(normalise(each).words) for each in gold.accounts]
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), dtype=np.float32)
    accounts = vectors.fit_transform(names).T.tocsr()
    found: dict[str, tuple[str | None, float, str]] = {}
    for at in range(0, len(gold.leads), 500):
        some = gold.leads[at : at + 500]
        alike = (vectors.transform([" ".join(normalise(each).words) for each in some]) @ accounts).tocsr()
        for lead, row in zip(some, alike, strict=True):
            best = int(row.indices[row.data.argmax()]) if row.nnz else None
            account = gold.accounts[best].id if best is not None else None
            found[lead.id] = (account, float(row.data.max()) if row.nnz else 0.0, "")
    return found


def measure(gold: GoldSet, found: dict[str, tuple[str | None, float, str]]) -> dict[str, float]:
    """Thresholds from the first half, figures from the second."""
    answers: dict[bool, list[Answer]] = {True: [], False: []}
    for lead in gold.leads:
        account, score, outcome = found[lead.id]
        wanted = gold.gold[lead.id]
        right = wanted is not None and account == wanted
        answers[is_first_half(gold.entity[lead.id])].append(Answer(score, right, wanted is not None, outcome))
    chosen, held = answers[True], answers[False]
    best, sure = rates_at(held, best_threshold(chosen)), threshold_for(chosen, 0.99)
    figures = {"f1": best.f1, "precision": best.precision, "recall": best.recall}
    if sure is not None:
        figures |= {"recall_at_99": rates_at(held, sure).recall, "precision_there": rates_at(held, sure).precision}
    if any(each.outcome for each in held):
        bands = figures_of(held)
        figures |= {f"auto_{name}": bands[name] for name in ("precision", "recall")}
        figures |= {name: bands[name] for name in ("matched", "matched_wrong", "review_share", "calibration_error")}
    return {name: round(value, 4) for name, value in figures.items()}


def _print(name: str, gold: GoldSet, methods: dict[str, dict[str, float]]) -> None:
    nobody = sum(account is None for account in gold.gold.values()) / len(gold.leads)
    print(f"{name}: {len(gold.accounts)} accounts, {len(gold.leads)} leads, {nobody:.0%} of them nobody's")
    for method, figures in methods.items():
        print(f"  {method:<12}" + "  ".join(f"{key} {value:g}" for key, value in figures.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
