"""Whose hand changed an owner, and what follows: an integration is written over, a person never."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.drift import MACHINE_RUN, Action, Difference, DriftGuard, Hand, rule_on, stopped
from ownership.model import Ref

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SYNC = DriftGuard(integrations=frozenset({"salesforce/005SYNC", "sync@northwind.example"}))


def difference(number: int = 0, **more: object) -> Difference:
    base = Difference(
        account_id=f"acc{number}",
        ref=Ref("salesforce", "Account", f"001{number}"),
        owner="ann",
        shown="bob",
        sent=frozenset({"ann"}),
        former=frozenset({"ann", "bob"}),
        modified_by="005HUMAN",
        modified_at=NOON + timedelta(hours=number),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def ruled(each: Difference, guard: DriftGuard = SYNC) -> tuple[Hand, Action]:
    (ruling,) = rule_on([each], guard)
    return ruling.hand, ruling.action


def test_a_persons_edit_is_held() -> None:
    assert ruled(difference()) == (Hand.PERSON, Action.HOLD)


def test_a_persons_edit_is_adopted_where_the_policy_says_so_and_the_owner_is_known() -> None:
    adopting = replace(SYNC, person=Action.ADOPT)
    assert ruled(difference(), adopting) == (Hand.PERSON, Action.ADOPT)
    assert ruled(difference(shown="?005X"), adopting) == (Hand.PERSON, Action.HOLD)
    assert ruled(difference(shown=None), adopting) == (Hand.PERSON, Action.HOLD)


@pytest.mark.parametrize("how", [{"modified_by": "005SYNC"}, {"modifier_email": "sync@northwind.example"}])
def test_a_named_integration_is_written_over(how: dict[str, str]) -> None:
    assert ruled(difference(**how)) == (Hand.INTEGRATION, Action.REASSERT)


def test_an_integration_of_another_system_is_nobody_here() -> None:
    assert ruled(difference(ref=Ref("hubspot", "company", "1"), modified_by="005SYNC"))[0] is Hand.PERSON


def test_our_own_write_that_landed_late_is_written_over() -> None:
    late = difference(shown="cy", sent=frozenset({"ann", "cy"}), modified_by="005US", ours=True)
    assert ruled(late) == (Hand.OURS, Action.REASSERT)


def test_a_person_who_goes_back_to_an_owner_we_once_sent_is_still_a_person() -> None:
    assert ruled(difference(shown="cy", sent=frozenset({"ann", "cy"})))[0] is Hand.PERSON


def test_a_record_that_keeps_coming_back_is_not_written_over_for_ever() -> None:
    assert ruled(difference(modified_by="005SYNC", reasserted=2))[1] is Action.REASSERT
    assert ruled(difference(modified_by="005SYNC", reasserted=3))[1] is Action.HOLD


def many(count: int, seconds: float, **more: object) -> list[Difference]:
    return [
        difference(number, modified_at=NOON + timedelta(seconds=seconds * number), **more) for number in range(count)
    ]


def test_many_put_back_to_former_owners_at_machine_speed_are_an_integration() -> None:
    assert {each.hand for each in rule_on(many(MACHINE_RUN, 1.0), SYNC)} == {Hand.INTEGRATION}


@pytest.mark.parametrize(
    "edits",
    [many(MACHINE_RUN - 1, 0.1), many(MACHINE_RUN, 2.0), many(MACHINE_RUN, 0.1, former=frozenset({"ann"}))],
    ids=["too few", "at a person's speed", "to people who never had them"],
)
def test_what_a_person_could_have_done_is_a_persons(edits: list[Difference]) -> None:
    assert {each.hand for each in rule_on(edits, SYNC)} == {Hand.PERSON}


@pytest.mark.parametrize(
    ("differ", "records", "stops"), [(19, 19, False), (20, 400, False), (21, 400, True), (20, 399, True)]
)
def test_the_guard_stops_when_too_much_of_the_book_differs(differ: int, records: int, stops: bool) -> None:
    assert (stopped("salesforce", differ, records, DriftGuard()) is not None) is stops


edits = st.builds(
    difference,
    st.integers(0, 50),
    shown=st.sampled_from(["bob", "cy", "?005X", None]),
    sent=st.frozensets(st.sampled_from(["ann", "bob", "cy"])),
    modified_by=st.sampled_from(["005HUMAN", "005SYNC", "005OTHER", None]),
    ours=st.booleans(),
    modified_at=st.one_of(st.none(), st.integers(0, 30).map(lambda s: NOON + timedelta(seconds=s))),
    reasserted=st.integers(0, 5),
)


@given(st.lists(edits, max_size=30), st.randoms(use_true_random=False))
def test_rulings_do_not_depend_on_the_order_and_persons_are_never_written_over(
    found: list[Difference], shuffler: random.Random
) -> None:
    shuffled = list(found)
    shuffler.shuffle(shuffled)
    rulings = rule_on(found, SYNC)
    assert sorted(map(str, rulings)) == sorted(map(str, rule_on(shuffled, SYNC)))
    assert all(each.action is not Action.REASSERT for each in rulings if each.hand is Hand.PERSON)
    assert all(each.difference.reasserted < 3 for each in rulings if each.action is Action.REASSERT)
