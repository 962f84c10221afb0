"""The index answers as the plain functions do, only faster."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import ALWAYS, All, AnyOf, Condition, Not, Test, fold_fields, holds
from ownership.entries import Territory
from ownership.index import FirstMatch, PolicyIndex, compiled
from ownership.policy import Policy
from ownership.territories import path_of

pytestmark = pytest.mark.slow

many = settings(max_examples=300, deadline=None)

COUNTRIES, SEGMENTS, SIZES = ["us", "de", "gb"], ["smb", "enterprise"], [5, 50, 500]
TESTS = st.one_of(
    st.builds(Test, st.just("country"), st.just("is"), st.sampled_from(COUNTRIES)),
    st.builds(Test, st.just("country"), st.just("in"), st.frozensets(st.sampled_from(COUNTRIES), min_size=1)),
    st.builds(Test, st.just("segment"), st.just("is"), st.sampled_from(SEGMENTS)),
    st.builds(Test, st.just("employees"), st.sampled_from(["gt", "lte", "is"]), st.sampled_from(SIZES)),
    st.builds(Test, st.just("paying"), st.just("is"), st.booleans()),
    st.builds(
        Test, st.sampled_from(["country", "segment"]), st.sampled_from(["is_missing", "is_present"]), st.just(True)
    ),
    st.builds(Test, st.just("domains"), st.just("contains"), st.sampled_from(["a.com", "b.com"])),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(TESTS, st.just(ALWAYS)),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(All),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(AnyOf),
    ),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from([*COUNTRIES, "US"]),
        "segment": st.sampled_from(SEGMENTS),
        "employees": st.sampled_from([None, 5, 6, 500, float("nan")]),
        "paying": st.booleans(),
        "domains": st.lists(st.sampled_from(["a.com", "b.com"]), max_size=2),
    },
).map(fold_fields)


@many
@given(CONDITIONS, FIELDS)
def test_a_compiled_condition_answers_as_the_condition(condition: Condition, fields: dict[str, Any]) -> None:
    assert compiled(condition)(fields) is holds(condition, fields)


@many
@given(st.lists(CONDITIONS, max_size=8), FIELDS)
def test_the_entries_that_hold_come_all_and_in_order(conditions: list[Condition], fields: dict[str, Any]) -> None:
    found = FirstMatch([(condition, number) for number, condition in enumerate(conditions)]).holding(fields)
    assert list(found) == [number for number, condition in enumerate(conditions) if holds(condition, fields)]


@st.composite
def maps(draw: st.DrawFn) -> tuple[Territory, ...]:
    found: list[Territory] = []
    for number in range(draw(st.integers(0, 8))):
        parent = draw(st.sampled_from([None, *(territory.id for territory in found)]))
        priority = draw(st.integers(0, 2))
        found.append(Territory(f"t{number}", f"T{number}", draw(CONDITIONS), parent, priority=priority))
    return tuple(found)


@many
@given(maps(), FIELDS)
def test_an_account_lies_where_the_plain_search_finds_it(map_: tuple[Territory, ...], fields: dict[str, Any]) -> None:
    policy = Policy("p", territories=map_)
    assert PolicyIndex(policy).path_of(fields) == path_of(fields, policy)


def test_only_what_could_hold_is_asked() -> None:
    asked: list[str] = []

    class Watched(str):
        def __eq__(self, other: object) -> bool:
            asked.append(str(self))
            return str.__eq__(self, str(other))

        __hash__ = str.__hash__

    entries = [(Test("country", "is", Watched(f"c{number}")), number) for number in range(1000)]
    index = FirstMatch(entries)
    asked.clear()
    assert list(index.holding({"country": "c7"})) == [7]
    assert len(asked) < 10
