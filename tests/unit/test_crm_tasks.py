"""Which tasks follow from what happens to an account, for whom, in which CRM and by when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.conditions import Test
from ownership.crm_tasks import ESCALATED, EVENTS, HANDOFF, Happening, TaskWanted, happening_of, tasks_after
from ownership.day import Day
from ownership.entries import TaskRule
from ownership.model import Decision, Outcome, Period, Ref, TeamMember
from ownership.plan import move_of
from ownership.policy import Policy
from tests.unit.small_company import NOON, WEDNESDAY, account, at, company, lead, rep
from tests.unit.test_policy_files import POLICY, ROSTER, load, refused

CRMS = ("salesforce", "hubspot")
BOTH = replace(
    account(), refs=(Ref("hubspot", "company", "7"), Ref("salesforce", "Account", "1"), Ref("stripe", "c", "2"))
)
SAM = rep("sam", role="sdr", timezone="America/New_York")
FOR = ("owner", "manager", "role:sdr")


def entry(**different: Any) -> TaskRule:
    usual = {"name": "brief", "event": "owner_changed", "to": "role:sdr", "subject": "{account}", "due_in_hours": 8.0}
    return TaskRule(**{**usual, **different})


def follow(happened: Happening, *entries: TaskRule, now: Any = NOON, systems: Any = CRMS) -> list[TaskWanted]:
    return list(tasks_after(happened, Day.of(Policy("p", tasks=entries), company(SAM), now), systems))


def moved(**different: Any) -> Happening:
    usual: dict[str, Any] = {"event": "owner_changed", "account": BOTH, "owner": "ann", "previous": "bob"}
    return Happening(**{**usual, "team": {"sdr": "sam"}, **different})


# --- what happened ---


def decided(owner: str | None = "ann", **different: Any) -> Decision:
    outcome = Outcome.OWNER if owner else Outcome.EXCEPTION
    return replace(Decision("a1", outcome, "pool", "r", owner), **different)


def test_an_account_that_gets_another_owner_and_a_lead_are_told_apart() -> None:
    for about, event in ((account(), "owner_changed"), (lead("a1"), "lead_assigned")):
        happened = happening_of(about, decided(), move_of(about, decided(), "bob"), "bob")
        assert happened is not None
        assert (happened.event, happened.owner, happened.previous) == (event, "ann", "bob")


def test_a_decision_that_changes_no_owner_is_no_event() -> None:
    assert happening_of(account(), decided(), move_of(account(), decided(), "ann"), "ann") is None
    assert happening_of(account(), decided(None, reason="no_rule"), None, "ann") is None


def test_a_handoff_that_waits_is_about_who_has_the_account() -> None:
    happened = happening_of(account(), decided(None, reason=HANDOFF), None, "bob")
    assert happened is not None
    assert (happened.event, happened.owner) == (HANDOFF, "bob")


def test_a_role_nobody_fills_is_no_role() -> None:
    team = (TeamMember("sdr", None, "is away"), TeamMember("csm", "cid", "of the pod"))
    happened = happening_of(account(), decided(team=team), move_of(account(), decided(), None), None)
    assert happened is not None
    assert happened.team == {"csm": "cid"}


# --- for whom ---


def test_the_sdr_the_owner_or_the_manager_gets_it() -> None:
    got = {to: {task.assignee for task in follow(moved(), entry(to=to))} for to in FOR}
    assert got == {"owner": {"ann"}, "manager": {"mia"}, "role:sdr": {"sam"}}


def test_after_an_escalation_the_manager_is_the_one_of_who_did_not_answer() -> None:
    asked = moved(event=ESCALATED, owner="mia", previous="bob")
    assert {task.assignee for task in follow(asked, entry(event=ESCALATED, to="manager"))} == {"mia"}


@pytest.mark.parametrize(
    "happened",
    [
        moved(team={}),
        moved(team={"sdr": "low-touch"}),
        moved(team={"sdr": "nobody-we-know"}),
        moved(event="accepted"),
    ],
)
def test_nobody_gets_a_task_who_is_not_there_and_no_queue_does(happened: Happening) -> None:
    assert follow(happened, entry()) == []


def test_who_has_left_gets_no_task() -> None:
    gone = replace(SAM, left_on="2026-11-24")
    day = Day.of(Policy("p", tasks=(entry(),)), company(gone), NOON)
    assert list(tasks_after(moved(), day, CRMS)) == []


# --- which, where ---


def test_a_task_is_put_on_the_accounts_record_in_every_crm_that_holds_it_or_in_those_named() -> None:
    everywhere = follow(moved(), entry())
    assert [task.ref for task in everywhere] == [Ref("hubspot", "company", "7"), Ref("salesforce", "Account", "1")]
    assert [task.ref.source for task in follow(moved(), entry(systems=frozenset({"hubspot"})))] == ["hubspot"]
    assert [task.ref.source for task in follow(moved(), entry(), systems=["salesforce"])] == ["salesforce"]


def test_of_two_records_in_one_crm_the_first_has_the_task() -> None:
    twice = replace(account(), refs=(Ref("hubspot", "company", "9"), Ref("hubspot", "company", "7")))
    assert [task.ref.external_id for task in follow(moved(account=twice), entry())] == ["7"]


def test_only_accounts_for_which_its_conditions_hold_have_a_task() -> None:
    large = Test("employees", "gte", 1000)
    assert follow(moved(), entry(when=large)) == []
    big = replace(BOTH, fields={**BOTH.fields, "employees": 5000})
    assert len(follow(moved(account=big), entry(when=large))) == 2


def test_an_entry_that_has_ended_makes_no_task() -> None:
    assert follow(moved(), entry(period=Period(until="2026-11-24"))) == []
    assert len(follow(moved(), entry(period=Period(since=WEDNESDAY)))) == 2


# --- what it says, by when ---


def test_the_subject_names_account_owner_and_previous_owner() -> None:
    says = entry(subject="{account}: {owner} after {previous} {{sic}}")
    assert {task.subject for task in follow(moved(), says)} == {"A1: Ann after Bob {sic}"}
    assert {task.subject for task in follow(moved(previous=None), says)} == {"A1: Ann after nobody {sic}"}
    unknown = {task.subject for task in follow(moved(previous="?0055"), says)}
    assert unknown == {"A1: Ann after somebody who is not on the roster {sic}"}


def test_a_subject_is_never_longer_than_a_crm_takes_and_a_name_with_braces_is_a_name() -> None:
    long = replace(BOTH, name="{owner}" * 60)
    (subject,) = {task.subject for task in follow(moved(account=long), entry())}
    assert subject == ("{owner}" * 60)[:254] + "…"


def test_hours_run_by_the_calendar_or_by_the_working_time_of_who_gets_it() -> None:
    friday = at("2026-11-27", "20:00")  # 15:00 in New York
    (calendar,) = {task.due_at for task in follow(moved(), entry(), now=friday)}
    (business,) = {task.due_at for task in follow(moved(), entry(clock="business"), now=friday)}
    assert (calendar, business) == (at("2026-11-28", "04:00"), at("2026-11-30", "20:00"))
    assert calendar.date().isoformat() == "2026-11-27", "the day it is where Sam works"


@given(st.sampled_from(EVENTS), st.sampled_from(FOR), st.lists(st.sampled_from(EVENTS), max_size=4))
def test_each_entry_of_the_event_makes_one_task_a_crm_and_no_other_entry_any(
    event: str, to: str, events: list[str]
) -> None:
    entries = [entry(name=str(number), event=each, to=to) for number, each in enumerate(events)]
    made = follow(moved(event=event), *entries)
    assert len(made) == 2 * events.count(event)
    assert len({(task.name, task.ref.source) for task in made}) == len(made)
    assert made == follow(moved(event=event), *entries)


# --- the policy's text ---

GOOD = 'tasks: [{name: brief, when: owner_changed, for: owner, subject: "Look at {account}", due_in_hours: 4}]\n'


def test_what_is_written_is_what_is_loaded(tmp_path: Path) -> None:
    text = (
        "pods: [{id: blue, lead: ann, roles: {sdr: bob}}]\n"
        'tasks: [{name: brief, when: escalated, for: "role:sdr", subject: "{previous}", due_in_hours: 1.5,'
        ' clock: business, conditions: {country: US}, systems: [hubspot], from: "2026-01-01"}]\n'
    )
    (loaded,) = load(tmp_path, POLICY + text).policy.tasks
    period, only = Period(since="2026-01-01"), frozenset({"hubspot"})
    when = Test("country", "is", "us")
    assert loaded == TaskRule("brief", "escalated", "role:sdr", "{previous}", 1.5, "business", when, only, period)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("owner_change,", "owner_changed,", "when of task 'brief' is 'owner_change' (did you mean 'owner_changed'?)"),
        ("role:sdr,", "owner,", "task 'brief' is for 'role:sdr'"),
        ("{acount}", "{account}", "the subject of task 'brief' has the placeholder 'acount'"),
        ("{account!r}", "{account}", "the subject of task 'brief' has the placeholder 'account'"),
        ("{account:>9}", "{account}", "the subject of task 'brief' has the placeholder 'account'"),
        ("{}", "{account}", "the subject of task 'brief' has the placeholder ''"),
        ("{account", "{account}", "the subject of task 'brief' has the placeholder '{'"),
        ("4, systems: [stripe]", "4}", "task 'brief' names the system 'stripe'"),
        ("soon", "4}", "due_in_hours of task 'brief' is 'soon'"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_mend(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    text = GOOD.replace(right, wrong + ("}" if right.endswith("4}") else ""))
    (problem,) = refused(tmp_path, POLICY + text)
    assert said in problem
    assert problem.startswith(f"policy.yaml:{(POLICY + text).count(chr(10))}:")


def test_two_tasks_of_one_name_are_refused_as_the_name_keeps_a_task_from_being_made_twice(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the task 'brief' is there twice"):
        load(tmp_path, POLICY + GOOD.replace("]\n", ", " + GOOD.removeprefix("tasks: [")), ROSTER)
