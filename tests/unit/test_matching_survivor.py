"""Of several records of one company: which is kept, with what values, and who owns it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.matching.apart import why_apart
from ownership.matching.company import Company, Normal
from ownership.matching.normal import normalise
from ownership.matching.survivor import Held, keep, owner_of_cluster, ranked

DAYS = st.sampled_from([None, "2026-01-05", "2026-03-01", "2026-10-30"])
HELD = st.builds(
    lambda n, customer, open_, owner, active, on, made, city: Held(
        Company(f"a{n}", "Acme", city=city, customer=customer, open_opportunities=open_, activity_on=on),
        owner,
        active,
        made,
    ),
    st.integers(0, 20),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([None, "ann", "bob"]),
    st.booleans(),
    DAYS,
    DAYS,
    st.sampled_from([None, "Oslo"]),
)
COMPANIES = st.lists(HELD, min_size=1, max_size=4, unique_by=lambda held: held.id)


def held(id_: str, owner: str | None = None, active: bool = True, created: str | None = None, **more: object) -> Held:
    return Held(Company(id_, "Acme", **more), owner, active, created)  # type: ignore[arg-type]


def test_each_step_of_the_order_decides_when_those_before_it_are_even() -> None:
    customer = held("a9", customer=True)
    selling = held("a8", open_opportunities=2)
    owned = held("a7", "ann")
    busy = held("a6", activity_on="2026-11-01")
    filled = held("a5", city="Oslo", street="Karl Johans gate 1")
    old, older = held("a4", created="2020-01-01"), held("a3", created="2019-01-01")
    low, high = held("a1"), held("a2")
    records = [high, low, old, older, filled, busy, owned, selling, customer]
    assert [each.id for each in ranked(records)] == ["a9", "a8", "a7", "a6", "a5", "a3", "a4", "a1", "a2"]


def test_the_kept_record_says_why_it_is_the_one() -> None:
    assert keep([held("a1"), held("a2", customer=True)]).because == "it is a customer"
    assert keep([held("a1"), held("a2")]).because == "it has the lowest id"
    assert keep([held("a1"), held("a2", created="2020-01-01")]).because == "it is the oldest"


def test_gaps_are_filled_from_the_next_record_and_lists_are_gathered() -> None:
    first = Held(Company("a2", "Acme", websites=("acme.com",), customer=True, ids={"lei": "L1"}))
    other = Held(
        Company("a1", "Acme Ltd", websites=("acme.com", "acme.de"), city="Oslo", ids={"duns": "9"}, parent_id="a2")
    )
    kept = keep([other, first])
    assert kept.survivor == "a2"
    assert (kept.values.name, kept.values.city) == ("Acme", "Oslo")
    assert kept.values.websites == ("acme.com", "acme.de")
    assert kept.values.aliases == ("Acme Ltd",)
    assert kept.values.ids == {"lei": "L1", "duns": "9"}
    assert kept.taken_from == {"name": "a2", "city": "a1"}


def test_a_company_is_never_its_own_parent() -> None:
    assert keep([held("a1", parent_id="a2"), held("a2")]).values.parent_id is None


def test_one_owner_or_none_is_no_conflict() -> None:
    assert owner_of_cluster([held("a1", "ann"), held("a2")]).owner == "ann"
    nobody = owner_of_cluster([held("a1"), held("a2")])
    assert (nobody.owner, nobody.conflict) == (None, False)


def test_different_owners_are_a_conflict_that_names_them() -> None:
    found = owner_of_cluster([held("a2", "bob"), held("a1", "ann")])
    assert (found.owner, found.conflict) == (None, True)
    assert "ann owns a1, bob owns a2" in found.because


def test_the_policy_can_settle_different_owners() -> None:
    records = [held("a1", "ann", customer=True), held("a2", "bob", activity_on="2026-11-01")]
    assert owner_of_cluster(records, "survivor").owner == "ann"
    assert owner_of_cluster(records, "recent_activity").owner == "bob"
    with pytest.raises(ValueError, match="survivor"):
        owner_of_cluster(records, "coin")


def test_activity_that_settles_nothing_is_still_a_conflict() -> None:
    even = [held("a1", "ann", activity_on="2026-11-01"), held("a2", "bob", activity_on="2026-11-01")]
    assert owner_of_cluster(even, "recent_activity").conflict
    assert owner_of_cluster([held("a1", "ann"), held("a2", "bob")], "recent_activity").conflict


def test_somebody_who_left_never_wins_over_an_active_owner() -> None:
    records = [held("a1", "gone", active=False, customer=True), held("a2", "bob")]
    for policy in ("exception", "survivor", "recent_activity"):
        assert owner_of_cluster(records, policy).owner == "bob"


@given(COMPANIES, st.sampled_from(["exception", "survivor", "recent_activity"]))
def test_the_order_of_the_records_changes_nothing(records: list[Held], policy: str) -> None:
    expected = (keep(records), owner_of_cluster(records, policy))
    for order in permutations(records):
        assert (keep(order), owner_of_cluster(order, policy)) == expected


@given(COMPANIES, st.sampled_from(["exception", "survivor", "recent_activity"]))
def test_a_company_has_an_owner_of_its_records_or_a_conflict_or_nobody(records: list[Held], policy: str) -> None:
    found = owner_of_cluster(records, policy)
    owners = {each.owner for each in records} - {None}
    assert (found.owner in owners) if owners and not found.conflict else (found.owner is None)
    if found.conflict:
        assert len(owners) > 1


def test_different_identifiers_or_countries_keep_records_apart() -> None:
    one = Normal("a1", country="DE", ids={"lei": "L1"})
    assert why_apart(one, Normal("a2", country="DE", ids={"lei": "L2"})) == "they have different LEIs"
    assert why_apart(one, Normal("a2", country="FR")) == "they are in different countries (DE, FR)"
    assert why_apart(one, Normal("a2", country="FR", ids={"lei": "L1"})) is None
    assert why_apart(one, Normal("a2", country="DE", ids={"stripe": "c2"})) is None
    assert why_apart(Normal("a1", ("fund", "ii")), Normal("a2", ("fund", "iii"))) == (
        "the numbers in their names differ (ii, iii)"
    )
    assert why_apart(Normal("a1", ("store", "07")), Normal("a2", ("store", "7"))) is None
    assert why_apart(Normal("a1", ("fund", "ii")), Normal("a2", ("fund",))) is None
    assert why_apart(one, Normal("a2", country="DE", parent_id="a1")) == "one is the parent of the other"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Invesco Municipal Trust", "Invesco Value Municipal Income Trust"),
        ("Eaton Vance Tax-Managed Income Fund", "Eaton Vance Tax-Managed Opportunities Fund"),
        ("WisdomTree, Inc.", "WisdomTree Bitcoin Fund"),
    ],
)
def test_funds_of_one_manager_are_kept_apart_by_every_word_of_their_names(name: str, other: str) -> None:
    one, two = normalise(Company("a", name)), normalise(Company("b", other))
    assert why_apart(one, two) == why_apart(two, one) == "one is a fund or trust of another name"
    assert why_apart(replace(one, ids={"lei": "L1"}), replace(two, ids={"lei": "L1"})) is None


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Eaton Vance Municipal Income Trust", "EATON VANCE MUNICPAL INCOME TRUST"),
        ("Fund for Children, The", "The Fund for Children Inc."),
        ("Invesco Mortgage", "Invesco Mortgage"),
        ("Acme Rockets", "Acme Rockets International"),
    ],
)
def test_a_fund_in_another_spelling_and_what_is_no_fund_are_not(name: str, other: str) -> None:
    assert why_apart(normalise(Company("a", name)), normalise(Company("b", other))) is None
