"""Hard pairs of names that people judged, and what the evidence says of a pair: by name alone nothing is guessed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.companies import make_market
from ownership.matching.company import Company
from ownership.matching.evidence import sentences_on
from ownership.matching.features import FEATURES, INDEX_OF
from ownership.matching.matcher import Match
from ownership.matching.normal import normalise
from tasks.match_files import matcher_of, shipped_model

PAIRS = Path(__file__).parents[1] / "data" / "matching" / "hard_name_pairs.csv"
MODEL = shipped_model()
OTHERS = make_market(60, 1, seed=11).accounts
ACME = Company("acme", "Acme Rockets Inc.", ("acmerockets.com",), country="US", city="Austin")


def match(lead: Company, account: Company) -> Match:
    return matcher_of([account, *OTHERS], MODEL).match(normalise(lead))


@pytest.fixture(scope="module")
def judged() -> list[tuple[str, str, bool, str]]:
    """Both names, whether people call them one company, and the outcome."""
    with PAIRS.open(encoding="utf-8", newline="") as lines:
        rows = [(row["name"], row["other_name"], row["one_company"] == "yes") for row in csv.DictReader(lines)]
    return [
        (name, other, one, str(match(Company("l", name), Company("it", other)).outcome)) for name, other, one in rows
    ]


def test_two_companies_with_like_names_are_never_matched_without_a_person(
    judged: list[tuple[str, str, bool, str]],
) -> None:
    assert [(name, other) for name, other, one, outcome in judged if not one and outcome == "match"] == []


def test_most_pairs_that_are_one_company_are_matched_or_shown_to_a_person(
    judged: list[tuple[str, str, bool, str]],
) -> None:
    outcomes = Counter(outcome for *_, one, outcome in judged if one)
    assert outcomes["match"] >= 0.3 * outcomes.total()
    assert outcomes["none"] <= 0.25 * outcomes.total()


def test_the_evidence_says_what_speaks_for_and_what_against() -> None:
    found = match(Company("l", "Acme Rockets", emails=("jo@acmerockets.com",), country="US", city="Boston"), ACME)
    assert any(each.startswith("for: ") for each in found.evidence)
    assert all(each.startswith(("for: ", "against: ")) for each in found.evidence)


def test_the_strongest_reason_comes_first_and_what_tells_a_reader_nothing_is_left_out() -> None:
    features = [0.0] * len(FEATURES)
    for name, value in {"domain": 1.0, "city": -0.8, "lead_gap": 0.4, "country": 1.0, "phone": 0.0}.items():
        features[INDEX_OF[name]] = value
    adds = [("lead_gap", 3.0), ("domain", 2.0), ("city", -1.0), ("phone", -0.5), ("country", -0.1)]
    assert sentences_on(features, adds) == ("for: the web domains are the same", "against: the cities differ")


def test_a_domain_that_several_accounts_have_speaks_against_it() -> None:
    features = [0.0] * len(FEATURES)
    features[INDEX_OF["domain_is_rare"]] = 0.25
    assert sentences_on(features, [("domain_is_rare", -1.0)]) == ("against: 4 accounts have the web domain they share",)


def test_all_but_what_is_about_the_other_candidates_and_the_name_alone_can_be_said() -> None:
    sayable = {
        name
        for name, place in INDEX_OF.items()
        for value in (-1.0, 0.5, 1.0)
        for added in (1.0, -1.0)
        if sentences_on([value if place == at else 0.0 for at in range(len(FEATURES))], [(name, added)])
    }
    assert set(FEATURES) - sayable == {"lead_weight", "lead_gap", "gram_gap", "only_candidate"}
