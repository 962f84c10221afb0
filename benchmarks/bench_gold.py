"""How well leads are matched with accounts, on real data: `make bench-gold DATA=folder`.

The score is learnt and every threshold chosen on the first half of the companies of each set; everything is measured on
the second half. Thresholds are chosen, and probabilities fitted anew, on answers of trees that never saw the company in
question: the first half is scored in five parts, each by trees learnt on the other four. Beside it, in the same run and
in the same way, three simple methods.

Of the calibration error it prints: that of the probabilities as learnt on all sets; after they were fitted to
the set's own first half, as `steward match evaluate --recalibrate` does; and for both what probabilities without any
fault would show by chance with as many leads (the mean of three hundred draws), once for leads that have nothing to do
with each other, once for leads of one company that are right or wrong together.

At the end pairs of names that were chosen because they are hard, of which none was learnt from, and how often names
suggest the right parent of a subsidiary. Ends with one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.gold_sets import GoldSet, former_names, is_first_half, load
from benchmarks.hard_names import hard_pairs, parents_by_name
from benchmarks.train_matching import (
    FEATURES,
    Pairs,
    calibrate,
    fold_of,
    fold_trees,
    learn,
    made_up,
    pairs_of,
    trees_as_json,
    unseen_scores,
)
from ownership.matching.evaluation import (
    Answer,
    best_threshold,
    calibration_error,
    figures_of,
    rates_at,
    threshold_for,
)
from ownership.matching.index import Index
from ownership.matching.matcher import Matcher
from ownership.matching.model import Model, read_calibration, read_model
from ownership.matching.normal import normalise
from ownership.matching.recalibrating import recalibrated
from tasks.match_gold import answers_of

SETS = ("T1", "T2", "T3", "C")


DRAWS = 300

Found = dict[str, Answer]
Method = Callable[[GoldSet], Found]


@dataclass(frozen=True)
class Learnt:
    """The score learnt on the first half of all companies, and for each fold of that half one that never saw it."""

    half: Model
    without: Sequence[Model]

    def for_company(self, entity: str) -> Model:
        return self.without[fold_of(entity)] if is_first_half(entity) else self.half


def main(folder: Path) -> None:
    sets = {name: load(name, folder) for name in SETS}
    learnt = learn_half([pairs_of(gold) for gold in sets.values()])
    figures: dict[str, dict[str, dict[str, float]]] = {}
    baselines: dict[str, Method] = {"exact name": exact_names, "token sort": token_sort, "tf-idf 2-4": tf_idf}
    for name, gold in sets.items():
        figures[name] = steward(gold, learnt) | {method: measure(gold, run(gold)) for method, run in baselines.items()}
        _print(name, gold, figures[name])
    for aliases in (True, False):
        gold = former_names(folder, aliases)
        name = "T4 with aliases" if aliases else "T4 by name"
        figures[name] = steward(gold, learnt)
        _print(name, gold, figures[name])
    hard, parents = hard_pairs(folder, learnt.half), parents_by_name(folder)
    print(f"hard pairs: {hard}\nparents by name: {parents}")
    print(json.dumps({**figures, "hard pairs": hard, "parents by name": parents}))


def learn_half(pairs: Sequence[Pairs]) -> Learnt:
    """Learnt on the first half of the companies alone, and calibrated there on companies it did not see."""
    half = [_first_half(each) for each in pairs] + [made_up()]
    folds = fold_trees(half)
    tables = calibrate(half, unseen_scores(half, folds))
    every = learn(half, [np.ones(len(each.right), dtype=bool) for each in half])
    return Learnt(_model(every, tables), [_model(trees, tables) for trees in folds])


def _model(trees: HistGradientBoostingClassifier, tables: dict[str, list[list[float]]]) -> Model:
    start, nodes = trees_as_json(trees)
    return read_model(json.dumps({"features": FEATURES, "start": start, "calibration": tables, "trees": nodes}))


def _first_half(pairs: Pairs) -> Pairs:
    kept = np.array([is_first_half(entity) for entity in pairs.entity])
    return replace(
        pairs, features=pairs.features[kept], right=pairs.right[kept], lead=pairs.lead[kept], entity=pairs.entity[kept]
    )


def steward(gold: GoldSet, learnt: Learnt) -> dict[str, dict[str, float]]:
    """The figures as learnt on all sets, and those after the set's own first half."""
    found = by_matcher(gold, learnt)
    chosen = [found[lead.id] for lead in gold.leads if is_first_half(gold.entity[lead.id])]
    tables = read_calibration(recalibrated(chosen, learnt.half.calibration))
    again = by_matcher(gold, Learnt(replace(learnt.half, calibration=tables), learnt.without))
    return {"steward": measure(gold, found), "recalibrated": _of_second_half(gold, again)}


def by_matcher(gold: GoldSet, learnt: Learnt) -> Found:
    index = Index(normalise(account) for account in gold.accounts)
    matchers = {id(model): (Matcher(index, model), model) for model in (learnt.half, *learnt.without)}
    found: Found = {}
    for lead in gold.leads:
        matcher, model = matchers[id(learnt.for_company(gold.entity[lead.id]))]
        (found[lead.id],) = answers_of([matcher.match(normalise(lead))], gold.gold, model)
    return found


def _answered(gold: GoldSet, found: Mapping[str, tuple[str | None, float]]) -> Found:
    """The answers of a method that gives an account and a score, by lead."""
    answers: Found = {}
    for id_, (account, score) in found.items():
        wanted = gold.gold[id_]
        answers[id_] = Answer(score, wanted is not None and account == wanted, wanted is not None)
    return answers


def exact_names(gold: GoldSet) -> Found:
    accounts = {normalise(each).slug: each.id for each in reversed(gold.accounts)}
    found = {lead.id: accounts.get(normalise(lead).slug) for lead in gold.leads}
    return _answered(gold, {id_: (account, 1.0 if account else 0.0) for id_, account in found.items()})


def token_sort(gold: GoldSet) -> Found:
    """rapidfuzz on the candidates that share letters: a kind blocking."""
    index = Index(normalise(account) for account in gold.accounts)
    found: dict[str, tuple[str | None, float]] = {}
    for lead in map(normalise, gold.leads):
        name = " ".join(lead.words)
        scored = [(fuzz.token_sort_ratio(name, " ".join(index.get(c.id).words)), c.id) for c in index.candidates(lead)]
        score, account = max(scored, default=(0.0, None))
        found[lead.id] = (account, score / 100)
    return _answered(gold, found)


def tf_idf(gold: GoldSet) -> Found:
    names = [" ".join(normalise(each).words) for each in gold.accounts]
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), dtype=np.float32)
    accounts = vectors.fit_transform(names).T.tocsr()
    found: dict[str, tuple[str | None, float]] = {}
    for at in range(0, len(gold.leads), 500):
        some = gold.leads[at : at + 500]
        alike = (vectors.transform([" ".join(normalise(each).words) for each in some]) @ accounts).tocsr()
        for lead, row in zip(some, alike, strict=True):
            best = int(row.indices[row.data.argmax()]) if row.nnz else None
            account = gold.accounts[best].id if best is not None else None
            found[lead.id] = (account, float(row.data.max()) if row.nnz else 0.0)
    return _answered(gold, found)


def measure(gold: GoldSet, found: Found) -> dict[str, float]:
    """Thresholds from the first half, figures from the second."""
    answers: dict[bool, list[Answer]] = {True: [], False: []}
    for lead in gold.leads:
        answers[is_first_half(gold.entity[lead.id])].append(found[lead.id])
    chosen, held = answers[True], answers[False]
    best, sure = rates_at(held, best_threshold(chosen)), threshold_for(chosen, 0.99)
    figures = {"f1": best.f1, "precision": best.precision, "recall": best.recall}
    if sure is not None:
        figures |= {"recall_at_99": rates_at(held, sure).recall, "precision_there": rates_at(held, sure).precision}
    if any(each.outcome for each in held):
        figures |= _of_second_half(gold, found)
    return {name: round(value, 4) for name, value in figures.items()}


def _of_second_half(gold: GoldSet, found: Found) -> dict[str, float]:
    """What becomes of the leads of the second half with the bands as they are, and how far probabilities are off."""
    held = [found[lead.id] for lead in gold.leads if not is_first_half(gold.entity[lead.id])]
    bands = figures_of(held)
    figures = {f"auto_{name}": bands[name] for name in ("precision", "recall")}
    figures |= {name: bands[name] for name in ("matched", "matched_wrong", "review_share", "calibration_error")}
    companies = [gold.entity[lead.id] for lead in gold.leads if not is_first_half(gold.entity[lead.id])]
    figures["by_chance"] = by_chance(held, list(map(str, range(len(held)))))
    figures["by_chance_together"] = by_chance(held, companies)
    return {name: round(value, 4) for name, value in figures.items()}


def by_chance(answers: Sequence[Answer], together: Sequence[str], draws: int = DRAWS, seed: int = 0) -> float:
    """The mean calibration error of answers that are right just as often as their probabilities say.

    Answers with the same text in `together` share their luck: where one is right, so are all that are as likely.
    """
    random = np.random.default_rng(seed)
    _, group = np.unique(together, return_inverse=True)
    scores = np.array([each.score for each in answers])
    errors = []
    for _ in range(draws):
        right = random.random(int(group.max()) + 1)[group] < scores
        drawn = [replace(each, right=bool(one)) for each, one in zip(answers, right, strict=True)]
        errors.append(calibration_error(drawn))
    return float(np.mean(errors))


def _print(name: str, gold: GoldSet, methods: dict[str, dict[str, float]]) -> None:
    nobody = sum(account is None for account in gold.gold.values()) / len(gold.leads)
    print(f"{name}: {len(gold.accounts)} accounts, {len(gold.leads)} leads, {nobody:.0%} of them nobody's")
    for method, figures in methods.items():
        print(f"  {method:<14}" + "  ".join(f"{key} {value:g}" for key, value in figures.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
