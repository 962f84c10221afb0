"""What an outside record must be told: the comparison of wanted, confirmed and shown."""

from hypothesis import given
from hypothesis import strategies as st

from ownership.model import Ref
from ownership.writeback import plan_writeback

SF = Ref("salesforce", "Account", "001A")
HS = Ref("hubspot", "companies", "77")
BOTH = frozenset({"salesforce", "hubspot"})


def test_a_record_that_shows_somebody_else_for_the_first_time_is_written() -> None:
    plan = plan_writeback("ann", {SF: "gary", HS: None}, {}, BOTH)
    assert [(write.ref, write.expected) for write in plan.writes] == [(HS, None), (SF, "gary")]


def test_a_record_that_already_shows_the_owner_is_not_written() -> None:
    plan = plan_writeback("ann", {SF: "ann"}, {}, BOTH)
    assert plan.writes == ()
    assert plan.settled == (SF,)


def test_an_edit_after_we_confirmed_is_held_and_not_overwritten() -> None:
    plan = plan_writeback("ann", {SF: "zoe"}, {SF: "ann"}, BOTH)
    assert plan.writes == ()
    assert [(drift.ours, drift.found) for drift in plan.drifts] == [("ann", "zoe")]


def test_an_edit_is_held_even_when_the_owner_of_record_changes() -> None:
    plan = plan_writeback("bob", {SF: "zoe"}, {SF: "ann"}, BOTH)
    assert plan.writes == ()
    assert len(plan.drifts) == 1


def test_an_edit_to_the_very_owner_we_want_is_no_drift() -> None:
    plan = plan_writeback("bob", {SF: "bob"}, {SF: "ann"}, BOTH)
    assert plan.settled == (SF,)
    assert plan.drifts == ()


def test_a_system_where_the_owner_has_no_user_is_named_and_not_written() -> None:
    plan = plan_writeback("ann", {SF: "gary", HS: "gary"}, {}, frozenset({"salesforce"}))
    assert [write.ref for write in plan.writes] == [SF]
    assert plan.unreachable == (HS,)


owners = st.sampled_from(["ann", "bob", "?0059", None])


@given(
    wanted=st.sampled_from(["ann", "bob"]),
    observed=st.dictionaries(st.sampled_from([SF, HS]), owners),
    confirmed=st.dictionaries(st.sampled_from([SF, HS]), st.sampled_from(["ann", "bob"])),
)
def test_every_record_gets_exactly_one_verdict_and_a_second_plan_is_empty(
    wanted: str, observed: dict[Ref, str | None], confirmed: dict[Ref, str]
) -> None:
    plan = plan_writeback(wanted, observed, confirmed, BOTH)
    refs = [w.ref for w in plan.writes] + [d.ref for d in plan.drifts] + [*plan.settled, *plan.unreachable]
    assert sorted(refs) == sorted(observed)
    after = {**observed, **{write.ref: wanted for write in plan.writes}}
    proved = {**confirmed, **{write.ref: wanted for write in plan.writes}}
    assert plan_writeback(wanted, after, proved, BOTH).writes == ()
