"""Match, review or none: what is nearly certain is matched, what may be right goes to a person, and it all adds up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.companies import make_market
from ownership.matching.company import Company
from ownership.matching.evidence import is_outdone
from ownership.matching.features import FEATURES, INDEX_OF
from ownership.matching.matcher import Match, Matcher, Outcome
from ownership.matching.model import CORROBORATED, NAMES_ONLY, read_calibration, read_model
from ownership.matching.normal import normalise
from tasks.match_files import match_many, matcher_of, shipped_model

MODEL = shipped_model()
MARKET = make_market(800, 400, seed=11)
MATCHER = matcher_of(MARKET.accounts, MODEL)
ACME = Company("acme", "Acme Rockets Inc.", ("acmerockets.com",), country="US", city="Austin", phone="212-555-0147")
OTHERS = [
    Company(f"o{n}", f"{word} Partners LLC", (f"{word}.com",)) for n, word in enumerate(["Birch", "Cedar", "Dorn"])
]


def match(lead: Company, *accounts: Company) -> Match:
    return matcher_of([*OTHERS, *(accounts or (ACME,))], MODEL).match(normalise(lead))


def test_the_same_domain_and_name_are_a_match() -> None:
    found = match(Company("l", "ACME Rockets", emails=("jo@acmerockets.com",)))
    assert (found.outcome, found.account_id) == (Outcome.MATCH, "acme")
    assert found.score > 0.97
    assert found.evidence


def test_a_stranger_is_none() -> None:
    found = match(Company("l", "Quite Something Else", emails=("jo@quite-something.org",)))
    assert (found.outcome, found.account_id) == (Outcome.NONE, None)


def test_nothing_to_go_by_is_none() -> None:
    assert match(Company("l", emails=("jo@gmail.com",))).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("account", "lead", "because"),
    [
        (replace(ACME, name="Acme Fund II"), Company("l", "Acme Fund III", emails=("a@acmerockets.com",)), "numbers"),
        (replace(ACME, ids={"lei": "A"}), Company("l", "Acme Rockets", ids={"lei": "B"}, city="Austin"), "identifiers"),
    ],
)
def test_what_speaks_against_it_for_certain_is_never_matched_without_a_person(
    account: Company, lead: Company, because: str
) -> None:
    found = match(lead, account)
    assert found.outcome is not Outcome.MATCH
    assert because in found.because or found.outcome is Outcome.NONE


@pytest.mark.parametrize("form", ["Corp.", "Ltd.", "AG"])
def test_by_name_alone_another_legal_form_goes_to_a_person(form: str) -> None:
    by_name, known = Company("l", f"Acme Rockets {form}"), replace(ACME, websites=())
    assert match(replace(by_name, name="Acme Rockets, Incorporated"), known).outcome is Outcome.MATCH
    assert match(by_name, known).because == "nothing but the name speaks for it, and the legal forms differ"
    assert match(replace(by_name, emails=("jo@acmerockets.com",))).outcome is Outcome.MATCH


def test_the_first_of_two_funds_is_not_matched_with_the_second() -> None:
    second = replace(ACME, name="Rocket Acquisition Corp. II")
    assert match(Company("l", "Rocket Acquisition Corp. I", city="Austin"), second).outcome is not Outcome.MATCH


def test_a_shared_identifier_is_a_match_whatever_the_name() -> None:
    found = match(Company("l", "Renamed Since", ids={"duns": "123"}), replace(ACME, ids={"duns": "123"}))
    assert found.outcome is Outcome.MATCH


def test_a_former_name_that_is_known_is_a_match() -> None:
    lead = Company("l", "Road Runner Traps", country="US")
    assert match(lead).outcome is Outcome.NONE
    assert match(lead, replace(ACME, aliases=("Road Runner Traps",))).outcome is Outcome.MATCH


@pytest.mark.parametrize(
    ("preferred", "lost_by"),
    [
        ({"customer": True}, "the other is a customer"),
        ({"open_opportunities": 2}, "the other has an open opportunity"),
        ({"activity_on": "2026-11-01"}, "the other was active later"),
    ],
)
def test_of_two_accounts_of_one_company_the_preferred_one_is_it_in_any_order(
    preferred: dict[str, object], lost_by: str
) -> None:
    one = replace(ACME, id="a1", activity_on="2026-01-01")
    two = replace(one, id="a2", **preferred)  # type: ignore[arg-type]
    lead = Company("l", "Acme Rockets", emails=("jo@acmerockets.com",), country="US")
    for accounts in ((one, two), (two, one)):
        found = match(lead, *accounts)
        assert (found.outcome, found.account_id) == (Outcome.MATCH, "a2")
        assert lost_by in found.lost_by


def test_of_two_accounts_alike_in_everything_the_lower_id_is_it() -> None:
    lead = Company("l", "Acme Rockets", emails=("jo@acmerockets.com",))
    assert match(lead, replace(ACME, id="a9"), replace(ACME, id="a10")).account_id == "a10"


def test_two_companies_of_one_name_and_nothing_else_to_tell_them_go_to_a_person() -> None:
    here = Company("us", "Summit Group", ("summit.com",), country="US")
    there = Company("de", "Summit Group", ("summit.de",), country="DE")
    assert match(Company("l", "Summit Group"), here, there).outcome is Outcome.REVIEW


def test_of_two_companies_of_one_name_it_is_the_one_whose_domain_the_lead_has() -> None:
    here = Company("us", "Summit Rockets Inc.", ("summitrockets.com",), country="US", city="Austin")
    there = replace(here, id="de", websites=("summitrockets.de",), country="DE", city=None)
    lead = Company("l", "Summit Rockets", emails=("jo@summitrockets.com",), country="US")
    found = match(lead, here, there)
    assert (found.outcome, found.account_id) == (Outcome.MATCH, "us")


def row(**values: float) -> list[float]:
    return [values.get(name, 0.0) for name in FEATURES]


@pytest.mark.parametrize(
    ("rival", "best", "outdone"),
    [
        (row(domain=0.5, country=1), row(domain=1, country=1), True),
        (row(domain=-1), row(domain=1), True),
        (row(domain=0.5), row(phone=1, domain=0.5), True),
        (row(domain=1), row(domain=1, city=1), False),  # both have the lead's domain
        (row(country=-1), row(country=1), False),  # a country is nobody's own
        (row(domain=0.5, city=1), row(domain=1), False),  # and the rival has the city
        (row(domain=0.5), row(domain=1, country=-1), False),  # and the rival's country may be the lead's
        (row(lead_words=1), row(phone=1, lead_words=0.5), False),
    ],
)
def test_a_rival_is_outdone_when_the_leads_own_is_the_others_and_nothing_is_better_in_it(
    rival: list[float], best: list[float], outdone: bool
) -> None:
    assert is_outdone(rival, best) is outdone


def test_what_the_features_add_comes_to_the_score() -> None:
    for lead in map(normalise, MARKET.leads[:60]):
        found = MATCHER.match(lead)
        if found.best and found.outcome is not Outcome.NONE:
            total = found.start + sum(value for _, value in found.best.adds)
            assert total == pytest.approx(MODEL.scores(np.array([found.best.features]))[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=len(FEATURES), max_size=len(FEATURES)), st.data())
def test_more_agreement_never_makes_one_company_less_likely(row: list[float], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([each for each in FEATURES if each not in ("lead_weight", "only_candidate")]))
    better = list(row)
    better[INDEX_OF[name]] = data.draw(st.floats(row[INDEX_OF[name]], 1))
    low, high = MODEL.scores(np.array([row, better]))
    assert high >= low - 1e-9


def plain(matches: Sequence[Match]) -> list[tuple[object, ...]]:
    return [(each.lead_id, each.outcome, each.account_id, round(each.score, 9), each.because) for each in matches]


def test_many_at_once_or_one_by_one_in_one_process_or_two_the_matches_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one_by_one = plain([MATCHER.match(normalise(lead)) for lead in MARKET.leads])
    assert plain(list(match_many(MATCHER, MARKET.leads, processes=1))) == one_by_one
    monkeypatch.setattr("tasks.match_files.WORTH_TWO", 1)
    monkeypatch.setattr("tasks.match_files.CHUNK", 50)
    assert plain(list(match_many(MATCHER, MARKET.leads, processes=2))) == one_by_one


def test_the_order_of_accounts_changes_nothing() -> None:
    shuffled = list(MARKET.accounts)
    random.Random(1).shuffle(shuffled)
    again = matcher_of(shuffled, MODEL)
    leads = [normalise(lead) for lead in MARKET.leads[:100]]
    assert plain(again.match_all(leads)) == plain(MATCHER.match_all(leads))


def test_matches_of_a_made_up_market_are_nearly_always_right() -> None:
    matches = [each for each in map(MATCHER.match, map(normalise, MARKET.leads)) if each.outcome is Outcome.MATCH]
    right = [MARKET.company_of[str(each.account_id)] == MARKET.gold[each.lead_id] for each in matches]
    assert len(matches) > 200
    assert sum(right) / len(right) >= 0.99


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="learn it anew"):
        read_model('{"features": ["another"]}')


@pytest.mark.parametrize("points", [[], [[0, 0.5]], [[0, 0.9], [1, 0.1]]])
def test_a_calibration_that_says_nothing_or_falls_is_refused(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="two points at least, and has to rise"):
        read_calibration({NAMES_ONLY: points, CORROBORATED: points})


def test_control_a_matcher_that_takes_the_best_candidate_whatever_it_is_is_often_wrong() -> None:
    """What the three outcomes are for: without them a third of the leads, which have no account, would get one."""
    leads = [normalise(lead) for lead in MARKET.leads]
    taken = [(lead, MATCHER._index.candidates(lead)) for lead in leads]
    wrong = [MARKET.gold[lead.id] != MARKET.company_of[found[0].id] for lead, found in taken if found]
    assert sum(wrong) / len(wrong) > 0.2
    assert isinstance(MATCHER, Matcher)
