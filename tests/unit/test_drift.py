"""Whose hand changed an owner, and what follows: what can only be stale is written over, a person's edit never."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.drift import MACHINE_RUN, Action, Difference, DriftGuard, Hand, rule_on, stopped_because
from ownership.model import Ref

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SYNC = DriftGuard(
    integrations=frozenset({"salesforce/005SYNC", "sync@northwind.example"}),
    steward_users=frozenset({"salesforce/005US"}),
)
ADOPTING = replace(SYNC, human_edit="accept")
BY_SYNC = {"modified_by": "005SYNC"}


def difference(number: int = 0, **more: object) -> Difference:
    base = Difference(
        account_id=f"acc{number}",
        ref=Ref("salesforce", "Account", f"001{number}"),
        owner="ann",
        shown="bob",
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
    assert ruled(difference(), ADOPTING) == (Hand.PERSON, Action.ADOPT)
    assert ruled(difference(shown="?005X"), ADOPTING) == (Hand.PERSON, Action.HOLD)
    assert ruled(difference(shown=None), ADOPTING) == (Hand.PERSON, Action.HOLD)


@pytest.mark.parametrize("how", [BY_SYNC, {"modifier_email": "Sync@Northwind.example"}])
@pytest.mark.parametrize("shown", ["bob", None], ids=["a former owner", "nobody"])
def test_what_a_named_integration_has_put_back_is_written_over(how: dict[str, str], shown: str | None) -> None:
    assert ruled(difference(shown=shown, **how)) == (Hand.INTEGRATION, Action.REASSERT)


def test_an_integration_that_made_itself_the_owner_is_written_over() -> None:
    assert ruled(difference(shown="?005SYNC", **BY_SYNC)) == (Hand.INTEGRATION, Action.REASSERT)


@pytest.mark.parametrize("shown", ["cy", "?005NEW"])
def test_an_owner_whom_an_integration_brings_anew_may_be_a_persons_choice_elsewhere(shown: str) -> None:
    assert ruled(difference(shown=shown, **BY_SYNC)) == (Hand.INTEGRATION, Action.HOLD)
    assert ruled(difference(shown=shown, **BY_SYNC), ADOPTING)[1] is Action.HOLD


def test_an_integration_that_carries_a_persons_edit_over_from_another_system_is_not_written_over() -> None:
    carried = difference(**BY_SYNC)
    edited = difference(ref=Ref("hubspot", "companies", "7"), modified_by="77")
    assert [ruling.action for ruling in rule_on([carried, edited], SYNC)] == [Action.HOLD, Action.HOLD]
    elsewhere = replace(edited, account_id="another account")
    assert [ruling.action for ruling in rule_on([carried, elsewhere], SYNC)] == [Action.REASSERT, Action.HOLD]


def test_an_integration_of_another_system_is_nobody_here() -> None:
    assert ruled(difference(ref=Ref("hubspot", "companies", "1"), **BY_SYNC))[0] is Hand.PERSON


def test_what_a_person_was_asked_about_is_not_written_over_because_an_integration_touches_it_next() -> None:
    assert ruled(difference(is_held=True, **BY_SYNC))[1] is Action.HOLD


@pytest.mark.parametrize("by", ["005US", None], ids=["as us", "as nobody the system names"])
def test_our_own_write_that_got_no_answer_and_landed_late_is_written_over(by: str | None) -> None:
    late = difference(shown="cy", unanswered=frozenset({"cy"}), modified_by=by)
    assert ruled(late) == (Hand.OURS, Action.REASSERT)
    assert ruled(replace(late, shown="dan"))[0] is Hand.PERSON, "somebody used our login"


@pytest.mark.parametrize("by", ["005US", None], ids=["as us", "as nobody the system names"])
def test_an_owner_whose_write_we_know_to_be_over_is_not_ours_though_we_touched_the_record_last(by: str | None) -> None:
    """A task we put on the record makes us the last to have changed it; its owner was set by somebody before."""
    assert ruled(difference(modified_by=by)) == (Hand.PERSON, Action.HOLD)


def test_a_person_who_goes_back_to_an_owner_we_once_sent_is_still_a_person() -> None:
    back = difference(shown="cy", unanswered=frozenset({"cy"}))
    assert ruled(back) == (Hand.PERSON, Action.HOLD)


def test_a_record_that_keeps_coming_back_is_not_written_over_for_ever() -> None:
    assert ruled(difference(reasserted=2, **BY_SYNC))[1] is Action.REASSERT
    (ruling,) = rule_on([difference(reasserted=3, **BY_SYNC)], SYNC)
    assert ruling.action is Action.HOLD
    assert "3 times within 7 days and still comes back" in ruling.because


def many(count: int, seconds: float, **more: object) -> list[Difference]:
    return [
        difference(number, modified_at=NOON + timedelta(seconds=seconds * number), **more) for number in range(count)
    ]


def test_many_put_back_at_machine_speed_are_held_and_the_hint_names_the_user() -> None:
    rulings = rule_on(many(MACHINE_RUN, 1.0), SYNC)
    assert {(each.hand, each.action) for each in rulings} == {(Hand.MACHINE, Action.HOLD)}
    assert "salesforce/005HUMAN put many records back" in rulings[0].because
    assert "name it under drift.integrations" in rulings[0].because


@pytest.mark.parametrize(
    "edits",
    [many(MACHINE_RUN - 1, 0.1), many(MACHINE_RUN, 2.0), many(MACHINE_RUN, 0.1, former=frozenset({"ann"}))],
    ids=["too few", "at a person's speed", "to people who never had them"],
)
def test_what_single_clicks_could_have_done_is_a_persons(edits: list[Difference]) -> None:
    assert {each.hand for each in rule_on(edits, SYNC)} == {Hand.PERSON}


@pytest.mark.parametrize(
    ("changed", "records", "stops"), [(19, 19, False), (20, 400, False), (21, 400, True), (20, 399, True)]
)
def test_the_guard_stops_when_too_much_of_a_system_was_changed(changed: int, records: int, stops: bool) -> None:
    because = stopped_because("salesforce", changed, records, DriftGuard())
    assert (because is not None) is stops
    assert because is None or because.startswith(f"{changed} of {records} records of salesforce")


edits = st.builds(
    difference,
    st.integers(0, 8),
    ref=st.builds(Ref, st.sampled_from(["salesforce", "hubspot"]), st.just("Account"), st.sampled_from("123456789")),
    shown=st.sampled_from(["bob", "cy", "?005X", "?005SYNC", None]),
    unanswered=st.frozensets(st.sampled_from(["ann", "bob", "cy"])),
    modified_by=st.sampled_from(["005HUMAN", "005SYNC", "005OTHER", "005US", None]),
    modified_at=st.one_of(st.none(), st.integers(0, 30).map(lambda s: NOON + timedelta(seconds=s))),
    reasserted=st.integers(0, 5),
    is_held=st.booleans(),
)


@given(st.lists(edits, max_size=30), st.sampled_from([SYNC, ADOPTING]))
def test_a_person_who_is_named_by_the_system_is_never_written_over(found: list[Difference], guard: DriftGuard) -> None:
    for ruling in rule_on(found, guard):
        by = ruling.difference.modified_by
        if ruling.action is Action.REASSERT:
            assert by in ("005SYNC", "005US", None)
            assert by == "005SYNC" or ruling.difference.shown in ruling.difference.unanswered


@given(st.lists(edits, max_size=30), st.sampled_from([SYNC, ADOPTING]))
def test_no_record_is_written_over_more_often_than_the_policy_allows(
    found: list[Difference], guard: DriftGuard
) -> None:
    written = [ruling.difference for ruling in rule_on(found, guard) if ruling.action is Action.REASSERT]
    assert all(each.reasserted < guard.most_reasserts and not each.is_held for each in written)


@given(st.lists(edits, max_size=30), st.randoms(use_true_random=False))
def test_rulings_do_not_depend_on_the_order(found: list[Difference], shuffler: random.Random) -> None:
    shuffled = list(found)
    shuffler.shuffle(shuffled)
    assert sorted(map(str, rule_on(found, SYNC))) == sorted(map(str, rule_on(shuffled, SYNC)))
