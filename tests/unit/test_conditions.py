"""Conditions: three-valued answers, folded text, and every operator."""

import sys
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import (
    ALWAYS,
    COMPARISONS,
    FIELDS,
    OPERATORS,
    All,
    AnyOf,
    Condition,
    Field,
    Not,
    Test,
    days_of,
    fold,
    fold_fields,
    holds,
    vocabulary,
)

few = settings(max_examples=150, deadline=None)
NAN = float("nan")
US = Test("country", "is", "us")
BIG = Test("employees", "gte", 100)


def ask(condition: Condition, **fields: Any) -> bool | None:
    return holds(condition, fold_fields(fields))


# --- random conditions over random accounts ---

known_fields = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["US", "de", " us "]),
        "employees": st.integers(-2, 3),
        "paying": st.booleans(),
        "domains": st.lists(st.sampled_from(["a.com", "b.com"]), max_size=2),
    },
)
questions = st.one_of(
    st.builds(Test, st.just("country"), st.sampled_from(["is", "starts_with"]), st.sampled_from(["us", "d"])),
    st.builds(Test, st.just("country"), st.just("in"), st.frozensets(st.sampled_from(["us", "de"]))),
    st.builds(Test, st.just("employees"), st.sampled_from(["is", "gt", "gte", "lt", "lte"]), st.integers(-2, 3)),
    st.builds(Test, st.just("paying"), st.just("is"), st.booleans()),
    st.builds(Test, st.just("domains"), st.just("contains"), st.sampled_from(["a.com", "b.com"])),
)
presence = st.builds(
    Test,
    st.sampled_from(["country", "employees", "paying", "domains"]),
    st.sampled_from(["is_missing", "is_present"]),
    st.just(True),
)


def nested(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        ),
        max_leaves=6,
    )


conditions = nested(st.one_of(questions, presence))


@few
@given(st.lists(conditions, min_size=1, max_size=3), known_fields)
def test_none_of_several_holds_exactly_when_each_does_not_hold(
    parts: list[Condition], fields: Mapping[str, Any]
) -> None:
    each = tuple(Not(part) for part in parts)
    account = fold_fields(fields)
    assert holds(Not(AnyOf(tuple(parts))), account) is holds(All(each), account)
    assert holds(Not(All(tuple(parts))), account) is holds(AnyOf(each), account)


@few
@given(conditions, known_fields)
def test_to_deny_twice_is_to_say_it(condition: Condition, fields: Mapping[str, Any]) -> None:
    account = fold_fields(fields)
    assert holds(Not(Not(condition)), account) is holds(condition, account)


@few
@given(st.lists(conditions, min_size=1, max_size=4), known_fields, st.randoms(use_true_random=False))
def test_the_order_of_the_parts_does_not_matter(parts: list[Condition], fields: Mapping[str, Any], random: Any) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)
    account = fold_fields(fields)
    assert holds(All(tuple(parts)), account) is holds(All(tuple(shuffled)), account)
    assert holds(AnyOf(tuple(parts)), account) is holds(AnyOf(tuple(shuffled)), account)


@few
@given(nested(questions), known_fields, known_fields)
def test_to_learn_more_of_an_account_never_reverses_an_answer(
    condition: Condition, little: Mapping[str, Any], more: Mapping[str, Any]
) -> None:
    before = holds(condition, fold_fields(little))
    after = holds(condition, fold_fields({**more, **little}))
    assert before is None or after is before


@few
@given(questions)
def test_nothing_is_claimed_and_nothing_denied_of_an_account_nobody_knows(question: Test) -> None:
    assert holds(question, {}) is None
    assert holds(Not(question), {}) is None


# --- three values ---


def test_not_in_the_us_does_not_claim_an_account_whose_country_nobody_knows() -> None:
    assert ask(Not(US)) is None
    assert ask(Not(US), country="DE") is True
    assert ask(Not(US), country="US") is False


@pytest.mark.parametrize(
    ("country", "employees", "both", "either"),
    [
        ("US", 100, True, True),
        ("US", 1, False, True),
        ("DE", 1, False, False),
        ("US", None, None, True),
        ("DE", None, False, None),
        (None, 100, None, True),
        (None, 1, False, None),
        (None, None, None, None),
    ],
)
def test_what_is_unknown_decides_only_where_it_matters(
    country: str | None, employees: int | None, both: bool | None, either: bool | None
) -> None:
    assert ask(All((US, BIG)), country=country, employees=employees) is both
    assert ask(AnyOf((US, BIG)), country=country, employees=employees) is either


def test_a_condition_without_parts_holds_always_and_a_choice_of_nothing_never() -> None:
    assert ask(ALWAYS) is True
    assert ask(AnyOf(())) is False


@pytest.mark.parametrize("unknown", [None, NAN, Decimal("NaN")])
def test_a_value_that_is_nothing_or_not_a_number_is_unknown(unknown: Any) -> None:
    assert ask(BIG, employees=unknown) is None
    assert ask(Not(BIG), employees=unknown) is None
    assert ask(Test("employees", "is_missing", True), employees=unknown) is True
    assert "employees" not in fold_fields({"employees": unknown})


def test_zero_and_false_are_known() -> None:
    assert ask(Test("employees", "is_present", True), employees=0) is True
    assert ask(Test("paying", "is", False), paying=False) is True
    assert ask(Test("paying", "is_missing", True), paying=False) is False


# --- operators ---


@pytest.mark.parametrize(
    ("question", "fields", "answer"),
    [
        (Test("country", "is", "us"), {"country": "US"}, True),
        (Test("country", "is", "us"), {"country": "USA"}, False),
        (Test("employees", "is", 5), {"employees": 5}, True),
        (Test("paying", "is", True), {"paying": False}, False),
        (Test("country", "in", frozenset({"us", "ca"})), {"country": "CA"}, True),
        (Test("country", "in", frozenset({"us", "ca"})), {"country": "MX"}, False),
        (Test("employees", "in", frozenset({1, 2})), {"employees": 2}, True),
        (Test("postcode", "starts_with", "80"), {"postcode": "80331"}, True),
        (Test("postcode", "starts_with", "80"), {"postcode": "10 80"}, False),
        (Test("domains", "contains", "acme.com"), {"domains": ["x.com", "ACME.com"]}, True),
        (Test("domains", "contains", "acme.com"), {"domains": ["notacme.com"]}, False),
        (Test("domains", "contains", "acme.com"), {"domains": ()}, False),
        (Test("employees", "gt", 100), {"employees": 100}, False),
        (Test("employees", "gt", 100), {"employees": 101}, True),
        (Test("employees", "gte", 100), {"employees": 100}, True),
        (Test("employees", "gte", 100), {"employees": 99}, False),
        (Test("employees", "lt", 100), {"employees": 100}, False),
        (Test("employees", "lt", 100), {"employees": 99}, True),
        (Test("employees", "lte", 100), {"employees": 100}, True),
        (Test("employees", "lte", 100), {"employees": 101}, False),
        (Test("country", "is_missing", True), {}, True),
        (Test("country", "is_missing", True), {"country": "US"}, False),
        (Test("country", "is_present", True), {}, False),
        (Test("domains", "is_present", True), {"domains": ["acme.com"]}, True),
    ],
)
def test_every_operator_answers_as_it_reads(question: Test, fields: Mapping[str, Any], answer: bool) -> None:
    assert ask(question, **fields) is answer


def test_every_operator_a_policy_may_use_can_be_answered() -> None:
    assert {*COMPARISONS, "is_missing", "is_present"} == set(OPERATORS)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_a_policy_may_ask_for_says_what_it_means_and_can_be_asked_for(field: str) -> None:
    assert FIELDS[field].meaning
    assert ask(Test(field, "is_missing", True)) is True


# --- folding ---


@pytest.mark.parametrize(
    ("said", "folded"),
    [
        ("  Mid_Market ", "mid_market"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ＤＥ", "de"),
        ("ﬁnance", "finance"),
        ("Zu\u0308rich", "zürich"),
        ("Zürich", "zürich"),
        ("\u00a0Berlin\u3000", "berlin"),
        ("", ""),
    ],
)
def test_text_is_compared_without_case_width_or_outer_blanks(said: str, folded: str) -> None:
    assert fold(said) == folded


def test_composed_and_decomposed_letters_are_the_same_text() -> None:
    different = [c for c in map(chr, range(0x3100)) if fold(unicodedata.normalize("NFD", c)) != fold(c)]
    assert different == []


def test_a_letter_and_its_capital_are_the_same_text_in_every_script() -> None:
    pairs = [(c, c.upper()) for c in map(chr, range(sys.maxunicode + 1)) if c.upper().casefold() == c.casefold()]
    assert [small for small, capital in pairs if fold(small) != fold(capital)] == []


@few
@given(st.text(max_size=20))
def test_folded_text_stays_as_it_is_when_folded_again(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_all_text_of_an_account_is_folded_and_all_else_is_left_alone() -> None:
    fields = {"country": " US", "domains": ["A.com", "B.com"], "employees": 5, "paying": True, "state": None}
    assert fold_fields(fields) == {
        "country": "us",
        "domains": frozenset({"a.com", "b.com"}),
        "employees": 5,
        "paying": True,
    }


# --- in words ---


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (ALWAYS, "always"),
        (Test("country", "in", frozenset({"us", "ca"})), "country in ca, us"),
        (Test("name", "starts_with", "a"), "name starts with a"),
        (Test("country", "is_missing", True), "country is missing"),
        (Not(US), "not country is us"),
        (All((US, AnyOf((BIG, Not(US))))), "country is us and (employees gte 100 or not country is us)"),
        (Not(All((US, BIG))), "not (country is us and employees gte 100)"),
    ],
)
def test_a_condition_reads_as_words(condition: Condition, words: str) -> None:
    assert str(condition) == words


def test_two_flags_that_ask_the_opposite_do_not_read_the_same() -> None:
    assert str(Test("paying", "is", True)) != str(Test("paying", "is", False))


# --- days that follow from dates ---


def days(today: str = "2026-11-25", **dates: Any) -> dict[str, Any]:
    folded = fold_fields(dates, today, days_of({"signed_on": Field("date", "when they signed")}))
    return {name: value for name, value in folded.items() if name.startswith("days_")}


def test_days_to_and_since_a_date_follow_from_it_and_from_the_day() -> None:
    assert days(renewal_on="2026-12-25") == {"days_to_renewal": 30}
    assert days(renewal_on="2026-11-24") == {"days_to_renewal": -1}
    assert days(activity_on="2026-11-25", purchase_on="2025-11-25") == {
        "days_since_activity": 0,
        "days_since_purchase": 365,
    }
    assert days("2026-11-26", created_on="2026-11-25T23:59:00Z") == {"days_since_created": 1}


def test_a_date_of_ones_own_has_days_to_it_and_since_it() -> None:
    assert days(signed_on="2026-11-20") == {"days_to_signed": -5, "days_since_signed": 5}


@pytest.mark.parametrize("written", ["soon", "", "2026-13-01", None, 20261125])
def test_what_is_no_date_has_no_days_and_does_no_harm(written: Any) -> None:
    assert days(renewal_on=written) == {}


def test_without_a_day_nothing_is_counted() -> None:
    assert fold_fields({"renewal_on": "2026-12-25"}) == {"renewal_on": "2026-12-25"}


def test_days_can_be_asked_for_like_any_number_and_are_unknown_without_a_date() -> None:
    soon = Test("days_to_renewal", "lte", 90)
    assert holds(soon, days(renewal_on="2026-12-25")) is True
    assert holds(soon, days(renewal_on="2027-12-25")) is False
    assert holds(soon, days()) is None


def test_a_policy_can_ask_for_days_but_not_for_dates_and_for_fields_of_its_own() -> None:
    asked = vocabulary({"signed_on": Field("date", "x"), "tier": Field("text", "x")})
    assert {"days_to_signed", "days_since_signed", "days_to_renewal", "tier", "country"} <= set(asked)
    assert not {"signed_on", "renewal_on"} & set(asked)
    assert asked["days_to_signed"].kind == "number"
