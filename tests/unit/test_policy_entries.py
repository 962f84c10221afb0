"""Every key of the wider policy and roster: what is written is what is loaded, and a mistake is named with its mend."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.policy_files import load_policy
from config.yaml_files import PolicyError
from ownership.conditions import ALWAYS, Field, Test, holds
from ownership.drift import DriftGuard
from ownership.entries import Assign, Dispute, DisputeClock, Keeping, Pod, Requirement, SlaRule, TeamRole
from ownership.exception_kinds import due_by
from ownership.model import Period, Ramp, Rep
from ownership.policy import LEAD_STEPS, STEPS, Policy
from ownership.worktime import WEEKDAYS_NINE_TO_FIVE, Calendar
from tests.unit.test_policy_files import HERE, POLICY, REP, ROSTER, load, marked, places, refused

PEOPLE = ROSTER + "queues: [{id: low-touch, name: Low touch, email: low@northwind-data.example}]\n"
POOL = "pools: [{id: east, members: [{rep: ann}, {rep: bob}]}]\n"
NINE_TO_FIVE = (9 * 60, 17 * 60)


def policy(folder: Path, text: str) -> Policy:
    return load(folder, POLICY + text, PEOPLE).policy


def person(folder: Path, keys: str, more: str = "") -> Rep:
    """Cem, of whom the roster also says this; `more` are further sections of it."""
    return load(folder, roster=ROSTER + REP + f", {keys}}}\n" + more).roster.reps["cem"]


# --- what loads ---


def test_hours_to_act_on_an_exception_are_said_by_kind_and_a_kind_there_is_not_is_an_error(tmp_path: Path) -> None:
    assert policy(tmp_path, "").exception_hours == {}
    said = policy(tmp_path, "exceptions: {due_hours: {owner_drift: 8}}\n").exception_hours
    first = datetime(2026, 11, 23, tzinfo=UTC)
    assert due_by("owner_drift", first, said) - first == timedelta(hours=8)
    assert due_by("no_rule", first, said) - first == timedelta(hours=48)
    with pytest.raises(PolicyError, match="owner_drift"):
        policy(tmp_path, "exceptions: {due_hours: {owner_drit: 8}}\n")


def test_a_policy_that_says_nothing_more_has_the_usual_values(tmp_path: Path) -> None:
    usual = policy(tmp_path, "")
    assert (usual.order, usual.lead_order, usual.timezone) == (STEPS, LEAD_STEPS, "UTC")
    assert (usual.disputes, usual.pods, usual.team, usual.fields) == ((), (), (), {})
    assert (usual.follow_parent, usual.pins_bypass_capacity, usual.pins_bypass_caps) == (ALWAYS, True, True)
    assert usual.keeping == Keeping(None, False, False, "keep")
    assert usual == Policy("Small"), "and they are those of the values themselves"


def test_fields_of_ones_own_can_be_asked_for(tmp_path: Path) -> None:
    text = (
        "fields:\n"
        "  - {name: tier, kind: text, meaning: how dear they are to us, from: {salesforce: Tier__c, hubspot: tier}}\n"
        "  - {name: signed_on, kind: date}\n"
        "territories: [{id: a, when: {tier: gold, days_since_signed: {lte: 90}, days_to_signed: {lte: 0}}}]\n"
    )
    loaded = policy(tmp_path, text)
    called = {"salesforce": "Tier__c", "hubspot": "tier"}
    assert loaded.fields == {
        "tier": Field("text", "how dear they are to us", called),
        "signed_on": Field("date", "signed_on"),
    }
    assert holds(loaded.territories[0].when, {"tier": "gold", "days_since_signed": 9, "days_to_signed": -9})


def test_it_can_be_said_where_a_crm_keeps_a_field_of_the_product(tmp_path: Path) -> None:
    loaded = policy(tmp_path, "fields: [{name: renewal_on, from: {salesforce: Renewal__c}}]\n")
    assert (loaded.fields["renewal_on"].kind, loaded.fields["renewal_on"].called) == (
        "date",
        {"salesforce": "Renewal__c"},
    )


def test_days_to_and_since_the_dates_of_the_product_can_be_asked_for(tmp_path: Path) -> None:
    loaded = policy(tmp_path, "territories: [{id: a, when: {days_to_renewal: {lte: 90}}}]\n")
    assert loaded.territories[0].when == Test("days_to_renewal", "lte", 90)


def test_the_policys_days_begin_and_end_in_its_time_zone(tmp_path: Path) -> None:
    assert policy(tmp_path, "timezone: America/New_York\n").timezone == "America/New_York"


def test_by_when_a_dispute_needs_a_ruling_is_loaded(tmp_path: Path) -> None:
    assert policy(tmp_path, "").dispute_clock == DisputeClock(48, "calendar")
    said = policy(tmp_path, "dispute_clock: {hours: 24, clock: business}\n").dispute_clock
    assert said == DisputeClock(24, "business")


def test_a_dispute_is_loaded(tmp_path: Path) -> None:
    text = 'disputes: [{account: Acme.example, claimed_by: gary, reason: mine, from: "2026-11-01"}]\n'
    assert policy(tmp_path, text).disputes == (Dispute("acme.example", "gary", "mine", Period("2026-11-01")),)
    record = policy(tmp_path, "disputes: [{account: salesforce/001A, claimed_by: ann, reason: mine}]\n").disputes[0]
    assert record.account == "salesforce/001A", "the ids of records keep their capitals"


@pytest.mark.parametrize("then", ["stay", "return", "rules"])
def test_what_follows_an_override_is_loaded(tmp_path: Path, then: str) -> None:
    text = (
        "overrides: [{account: a.example, owner: ann, reason: x, requested_by: bob, approved_by: ann, "
        f'until: "2026-12-31", then: {then}}}]\n'
    )
    assert policy(tmp_path, text).overrides[0].then == then


def test_a_rule_that_remembers_and_hands_over_is_loaded(tmp_path: Path) -> None:
    text = (
        "rules:\n"
        "  - id: grown\n"
        "    when: {active_seats: {gte: 25}}\n"
        "    for_days: 14\n"
        "    stays_while: {active_seats: {gte: 15}}\n"
        "    handoff: [{name: plan, when: {vip: true}, mend: write it}]\n"
        "    assign: {owner: ann}\n"
    )
    rule = policy(tmp_path, text).rules[0]
    assert (rule.for_days, rule.stays_while, rule.remembers) == (14, Test("active_seats", "gte", 15), True)
    assert rule.handoff == (Requirement("plan", Test("vip", "is", True), "write it"),)
    plain = policy(tmp_path, "rules: [{id: r, when: {vip: true}, assign: keep}]\n").rules[0]
    assert (plain.for_days, plain.stays_while, plain.handoff, plain.remembers) == (0, None, (), False)


def test_pods_and_roles_are_loaded(tmp_path: Path) -> None:
    text = POOL + (
        "pods: [{id: one, lead: ann, roles: {sdr: bob, csm: low-touch}}]\n"
        "team:\n"
        '  - {role: overlay, when: {vip: true}, assign: {owner: bob}, until: "2026-12-31"}\n'
        "  - {role: csm, assign: {pool: east, skills: [german]}}\n"
    )
    loaded = policy(tmp_path, text)
    assert loaded.pods == (Pod("one", "ann", {"csm": "low-touch", "sdr": "bob"}),)
    assert loaded.team == (
        TeamRole("overlay", Assign("bob"), Test("vip", "is", True), Period(until="2026-12-31")),
        TeamRole("csm", Assign(pool="east", skills=frozenset({"german"}))),
    )


@pytest.mark.parametrize(
    ("written", "follows"),
    [("all", True), ("none", False), ("{country: DE}", None), ("{country: US}", True)],
)
def test_which_children_follow_their_parent_is_loaded(tmp_path: Path, written: str, follows: bool | None) -> None:
    condition = policy(tmp_path, f"follow_parent: {written}\n").follow_parent
    assert holds(condition, {"country": "us"} if written != "{country: DE}" else {}) is follows


def test_what_an_owner_keeps_is_loaded(tmp_path: Path) -> None:
    text = (
        "existing_owner: {forfeit_after_days: 14, days: business, leave_counts: true, over_capacity: move_on}\n"
        "pins_bypass_capacity: false\npins_bypass_caps: false\n"
    )
    loaded = policy(tmp_path, text)
    assert loaded.keeping == Keeping(14, True, True, "move_on")
    assert (loaded.pins_bypass_capacity, loaded.pins_bypass_caps) == (False, False)
    assert policy(tmp_path, "existing_owner: {forfeit_after_days: 14}\n").keeping == Keeping(14)


def test_what_becomes_of_leavers_edits_and_overlays_is_loaded(tmp_path: Path) -> None:
    text = (
        "leavers: {accounts_move: next_business_day}\ndrift: {human_edit: accept}\ncoverage: {overlays_count: true}\n"
    )
    loaded = policy(tmp_path, text)
    assert (loaded.leavers_move, loaded.drift.human_edit, loaded.overlays_count) == (
        "next_business_day",
        "accept",
        True,
    )
    assert "override" in loaded.asked
    assert "override" in loaded.asked_of_leads
    usual = policy(tmp_path, "")
    assert (usual.leavers_move, usual.drift.human_edit, usual.overlays_count) == ("at_once", "hold", False)
    assert "override" not in usual.asked


def test_what_the_drift_guard_goes_by_is_loaded(tmp_path: Path) -> None:
    text = (
        "drift:\n"
        "  integrations: [salesforce/005Sync, Sync@Northwind.example]\n"
        "  steward_users: [hubspot/12345]\n"
        "  stop_percent: 2\n  stop_at_least: 50\n  most_reasserts: 0\n  reassert_days: 30\n"
    )
    assert policy(tmp_path, text).drift == DriftGuard(
        integrations=frozenset({"salesforce/005Sync", "sync@northwind.example"}),
        steward_users=frozenset({"hubspot/12345"}),
        stop_percent=2,
        stop_at_least=50,
        most_reasserts=0,
        reassert_days=30,
    )
    assert policy(tmp_path, "").drift == DriftGuard()


def test_how_owners_accept_is_loaded(tmp_path: Path) -> None:
    text = (
        "acceptance:\n"
        "  hours: 12.5\n"
        "  clock: business\n"
        "  remind_hours: 4\n"
        "  miss_takes_turn: false\n"
        "  decline_takes_turn: true\n"
        "  by: [{when: {subject: lead}, hours: 0.5}, {when: {vip: true}, hours: 48}]\n"
    )
    accepting = policy(tmp_path, text).acceptance
    assert (accepting.hours, accepting.clock, accepting.remind_hours) == (12.5, "business", 4)
    assert (accepting.miss_takes_turn, accepting.decline_takes_turn) == (False, True)
    assert accepting.faster == (SlaRule(Test("subject", "is", "lead"), 0.5), SlaRule(Test("vip", "is", True), 48))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("{}", ("offered", "")),
        ("{meanwhile: offered}", ("offered", "")),
        ("{meanwhile: previous}", ("previous", "")),
        ("{meanwhile: {queue: low-touch}}", ("queue", "low-touch")),
    ],
)
def test_whose_an_account_is_while_it_waits_is_loaded(tmp_path: Path, said: str, meant: tuple[str, str]) -> None:
    accepting = policy(tmp_path, f"acceptance: {said}\n").acceptance
    assert (accepting.meanwhile, accepting.queue) == meant


def test_how_leads_are_routed_is_loaded(tmp_path: Path) -> None:
    order = ", ".join(reversed(LEAD_STEPS[:-1]))
    order = order.replace("returned, override", "override, returned")
    text = (
        f"leads:\n  order: [{order}, territory]\n  inbound_activity_days: 30\n  sticky_days: 7\n"
        "  require: [{name: consent, when: {consent: true}, mend: ask them}]\n"
    )
    loaded = policy(tmp_path, text)
    assert loaded.lead_order[-2:] == ("do_not_route", "territory")
    assert (loaded.leads.inbound_activity_days, loaded.leads.sticky_days) == (30, 7)
    assert loaded.leads.requirements == (Requirement("consent", Test("consent", "is", True), "ask them"),)
    assert loaded.order == STEPS, "accounts keep theirs"


def test_steps_of_which_a_policy_has_nothing_may_be_left_out(tmp_path: Path) -> None:
    order = "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]\n"
    leads = "leads: {order: [do_not_route, gate, existing_owner, account_owner, named, territory]}\n"
    loaded = policy(tmp_path, order + leads)
    assert (len(loaded.order), len(loaded.lead_order)) == (6, 6)


def test_everything_of_a_pool_is_loaded(tmp_path: Path) -> None:
    text = (
        "pools:\n"
        "  - id: east\n"
        "    members: [{rep: ann}]\n"
        "    per_hour: 2\n"
        "    per_day: 5\n"
        "    per_week: 20\n"
        "    rolling: true\n"
        "    timezone: Asia/Kolkata\n"
        "    within_hours: 1.5\n"
        "    after_leave: owed_turns\n"
        "    owed_most: 3\n"
        "    existing_owner_takes_turn: true\n"
        "    manual_takes_turn: true\n"
        "  - {id: west, members: [{rep: bob}], after_leave: owed_turns, memory: rule}\n"
        "  - {id: north, members: [{rep: bob}], within_hours: 0}\n"
    )
    east, west, north = policy(tmp_path, text).pools
    assert (east.per_hour, east.per_day, east.per_week, east.rolling) == (2, 5, 20, True)
    assert (east.timezone, east.within_hours, east.owed_most) == ("Asia/Kolkata", 1.5, 3)
    assert (east.existing_owner_takes_turn, east.manual_takes_turn) == (True, True)
    assert (west.per_hour, west.rolling, west.timezone, west.within_hours) == (None, False, "UTC", None)
    assert (west.owed_most, north.owed_most, north.within_hours) == (10, 0, 0)
    assert (west.existing_owner_takes_turn, west.manual_takes_turn) == (False, False)
    assert (east.memory, west.memory, north.memory) == ("pool", "rule", "pool")


def test_working_hours_leave_and_ramp_of_a_rep_are_loaded(tmp_path: Path) -> None:
    more = (
        "calendars:\n"
        '  - {id: office, hours: {weekdays: "09:00-17:00", friday: ["08:00-12:00"], saturday: ["22:00-02:00"]}, '
        'holidays: DE, closed: ["2026-12-24"], open: ["2026-12-26"]}\n'
    )
    keys = (
        "timezone: Europe/Berlin, calendar: office, leave: [{from: '2026-12-01', until: '2026-12-05'}], "
        "ramp: [{until: '2026-11-30', percent: 25}, {until: '2026-12-31', percent: 50}]"
    )
    cem = person(tmp_path, keys, more)
    week = (*((NINE_TO_FIVE,),) * 4, ((8 * 60, 12 * 60),), ((22 * 60, 26 * 60),), ())
    leave = (Period("2026-12-01", "2026-12-05"),)
    days = frozenset({"2026-12-24"}), frozenset({"2026-12-26"})
    assert cem.calendar == Calendar("Europe/Berlin", week, "DE", *days, leave)
    assert cem.ramp == (Ramp("2026-11-30", 25), Ramp("2026-12-31", 50))
    assert [cem.percent_on(day) for day in ("2026-11-30", "2026-12-01", "2027-01-01")] == [25, 50, 100]


def test_who_has_no_calendar_works_nine_to_five_where_they_are_and_not_on_leave(tmp_path: Path) -> None:
    cem = person(tmp_path, "timezone: Asia/Tokyo, leave: [{from: '2026-12-01'}]")
    assert cem.calendar == Calendar("Asia/Tokyo", WEEKDAYS_NINE_TO_FIVE, leave=(Period("2026-12-01"),))
    assert cem.leave == (Period("2026-12-01"),), "without an end until somebody says one"


def test_a_queue_is_on_the_roster_and_can_be_given_accounts(tmp_path: Path) -> None:
    roster = ROSTER + (
        "queues: [{id: low-touch, name: Low touch, email: low@x.example, external_ids: {salesforce: 00G}}]\n"
    )
    text = POLICY + "territories: [{id: a, owner: low-touch}]\n"
    loaded = load(tmp_path, text, roster)
    low = loaded.roster.reps["low-touch"]
    assert (low.kind, low.role, low.team, low.capacity, low.active) == ("queue", "queue", "queue", None, True)
    assert low.external_ids == {"salesforce": "00G"}
    assert loaded.policy.territories[0].owner == "low-touch"


def test_the_hash_names_the_holidays_in_force_only_where_there_are_calendars(tmp_path: Path) -> None:
    assert "calendars" not in json.loads(load(tmp_path).canonical)
    with_calendars = load(tmp_path, roster=ROSTER + "calendars: [{id: office, holidays: DE}]\n")
    assert set(json.loads(with_calendars.canonical)["calendars"]) == {"holidays", "tzdata"}


def test_a_roster_of_another_file_stands_in_for_the_policys(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "others.yaml").write_text(PEOPLE)
    assert "low-touch" in load_policy(tmp_path, tmp_path / "others.yaml").roster.reps


# --- one mistake in the policy ---


def pool_of(keys: str) -> str:
    return f"pools:\n  - {{id: p, members: [{{rep: ann}}], {keys}}}  {HERE}\n"


def override_of(keys: str) -> str:
    return (
        "overrides:\n"
        f"  - {{account: a.example, owner: ann, reason: x, requested_by: bob, approved_by: ann, {keys}}}  {HERE}\n"
    )


def rule_of(keys: str) -> str:
    return f"rules:\n  - {{id: r, when: {{vip: true}}, assign: {{owner: ann}}, {keys}}}  {HERE}\n"


MISTAKES: dict[str, tuple[str, str]] = {
    "a field without a kind": ("fields:\n  - {name: tier}  # <-\n", "field 'tier' has no 'kind'. Give it one of"),
    "a field of a kind nobody knows": ("fields:\n  - {name: tier, kind: txet}  # <-\n", "(did you mean 'text'?)"),
    "a field of the product of another kind": (
        "fields:\n  - {name: country, kind: number}  # <-\n",
        "'country' is one of Steward's own, of kind text. Leave 'kind' out",
    ),
    "a place nobody knows": (
        "fields:\n  - name: tier\n    kind: text\n    from: {salesforse: Tier__c}  # <-\n",
        "(did you mean 'salesforce'?)",
    ),
    "a field that is there twice": (
        "fields:\n  - {name: tier, kind: text}\n  - {name: tier, kind: number}  # <-\n",
        "'tier' is there twice",
    ),
    "an unknown key of a field": ("fields:\n  - {name: tier, kind: text, form: {}}  # <-\n", "(did you mean 'from'?)"),
    "a place of a field that is a number": (
        "fields:\n  - name: tier\n    kind: text\n    from: {salesforce: 7}  # <-\n",
        "7, not text",
    ),
    "a date that is asked itself": (
        "fields: [{name: signed_on, kind: date}]\nterritories:\n  - {id: a, when: {signed_on: x}}  # <-\n",
        "unknown field 'signed_on'",
    ),
    "a field of ones own that is misspelt": (
        "fields: [{name: tier, kind: text}]\nterritories:\n  - {id: a, when: {tire: x}}  # <-\n",
        "(did you mean 'tier'?)",
    ),
    "a time zone nobody knows": ("timezone: Europe/Berlyn  # <-\n", "(did you mean 'Europe/Berlin'?)"),
    "a time zone that is a number": ("timezone: 1  # <-\n", "1, not text"),
    "a dispute by nobody": (
        "disputes:\n  - {account: a.example, claimed_by: eve, reason: x}  # <-\n",
        "'eve', who is nobody on the roster",
    ),
    "a dispute without a reason": ("disputes:\n  - {account: a.example, claimed_by: bob}  # <-\n", "no 'reason'"),
    "a dispute that ends before it begins": (
        'disputes:\n  - {account: a.example, claimed_by: bob, reason: x, from: "2026-02-01", until: "2026-01-01"}'
        "  # <-\n",
        "ends before it begins",
    ),
    "disputes the order leaves out": (
        "disputes: [{account: a.example, claimed_by: bob, reason: x}]\n"
        "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]  # <-\n",
        "order has 'dispute' 0 times",
    ),
    "a then nobody knows": (override_of('until: "2026-12-31", then: retrun'), "(did you mean 'return'?)"),
    "a return that never comes": (override_of("then: return"), "never ends. Add 'until'"),
    "a return to the rules that never comes": (override_of("then: rules"), "never ends. Add 'until'"),
    "a then the order leaves out": (
        'overrides: [{account: a.example, owner: ann, reason: x, requested_by: bob, approved_by: ann, '
        'until: "2026-12-31", then: return}]\n'
        "order: [do_not_route, gate, override, named, parent_owner, existing_owner, territory]  # <-\n",
        "order has 'returned' 0 times",
    ),
    "a return that is asked before the override": (
        "order: [do_not_route, gate, returned, override, named, parent_owner, existing_owner, territory]  # <-\n",
        "asks 'returned' before 'override'",
    ),
    "days in words": (rule_of("for_days: two weeks"), "whole number of at least 0"),
    "half a day": (rule_of("for_days: 0.5"), "whole number of at least 0"),
    "days that are less than none": (rule_of("for_days: -1"), "whole number of at least 0"),
    "staying while nothing": (rule_of("stays_while: {}"), "stays_while of rule 'r' is empty"),
    "staying while an unknown field": (rule_of("stays_while: {seats: 5}"), "unknown field 'seats'"),
    "a handoff without a mend": (rule_of("handoff: [{name: a, when: {vip: true}}]"), "has no 'mend'"),
    "a handoff that is no list": (rule_of("handoff: {name: a}"), "handoff is not a list"),
    "a pod without a lead": ("pods:\n  - {id: one, roles: {csm: ann}}  # <-\n", "a pod has no 'lead'"),
    "a pod of a lead nobody knows": ("pods:\n  - {id: one, lead: eve, roles: {csm: ann}}  # <-\n", "names 'eve'"),
    "a pod with a role for nobody": ("pods:\n  - {id: one, lead: ann, roles: {csm: eve}}  # <-\n", "names 'eve'"),
    "a pod with a second owner": ("pods:\n  - {id: one, lead: ann, roles: {owner: bob}}  # <-\n", "supporting role"),
    "a pod that is there twice": (
        "pods:\n  - {id: one, lead: ann, roles: {csm: bob}}\n  - {id: one, lead: bob, roles: {csm: ann}}  # <-\n",
        "the pod 'one' is there twice",
    ),
    "two pods of one lead": (
        "pods:\n  - {id: one, lead: ann, roles: {csm: bob}}\n  - {id: two, lead: ann, roles: {csm: bob}}  # <-\n",
        "'ann' is there twice",
    ),
    "a role nobody fills": ("team:\n  - {role: csm, assign: {}}  # <-\n", "is filled by nobody"),
    "a role without an assignment": ("team:\n  - {role: csm}  # <-\n", "a role has no 'assign'"),
    "a role that is the owner's": ("team:\n  - {role: owner, assign: {owner: ann}}  # <-\n", "no supporting role"),
    "a role of an unknown pool": ("team:\n  - {role: csm, assign: {pool: eats}}  # <-\n", "pool 'eats', which there"),
    "children of no kind": ("follow_parent: some  # <-\n", "empty or no mapping"),
    "children of an unknown field": ("follow_parent: {contry: DE}  # <-\n", "(did you mean 'country'?)"),
    "pins that are neither": ("pins_bypass_capacity: sometimes  # <-\n", "Write true or false"),
    "an unknown key of existing_owner": ("existing_owner: {forfeit_days: 5}  # <-\n", "'forfeit_after_days'?"),
    "forfeiting after no days": ("existing_owner: {forfeit_after_days: 0}  # <-\n", "at least 1"),
    "days of no kind": ("existing_owner: {days: working}  # <-\n", "It is one of calendar, business"),
    "leave that is neither": ("existing_owner: {leave_counts: 1}  # <-\n", "Write true or false"),
    "a full book nobody knows what to do with": (
        "existing_owner: {over_capacity: move-on}  # <-\n",
        "(did you mean 'move_on'?)",
    ),
    "a clock nobody knows": ("acceptance: {clock: busines}  # <-\n", "(did you mean 'business'?)"),
    "a reminder after the end": ("acceptance: {hours: 4, remind_hours: 4}  # <-\n", "Make it earlier"),
    "a reminder in words": ("acceptance: {remind_hours: soon}  # <-\n", "Give hours from 0 to 8784"),
    "a miss that is neither": ("acceptance: {miss_takes_turn: maybe}  # <-\n", "Write true or false"),
    "a decline that is neither": ("acceptance: {decline_takes_turn: 0}  # <-\n", "Write true or false"),
    "an SLA without hours": ("acceptance:\n  by:\n  - {when: {vip: true}}  # <-\n", "an SLA has no 'hours'"),
    "an SLA of no time": ("acceptance:\n  by:\n  - {when: {vip: true}, hours: 0}  # <-\n", "from 0.005 to 8784"),
    "an SLA for an unknown field": ("acceptance:\n  by:\n  - {when: {vpi: true}, hours: 1}  # <-\n", "'vip'?"),
    "an SLA that is no list": ("acceptance: {by: {hours: 1}}  # <-\n", "by of acceptance is not a list"),
    "an unknown key of leads": ("leads: {sticky: 7}  # <-\n", "(did you mean 'sticky_days'?)"),
    "a step of accounts in the order of leads": (
        "leads:\n  order: [do_not_route, gate, parent_owner, existing_owner, account_owner, named, territory]  # <-\n",
        "unknown step 'parent_owner'",
    ),
    "sticking that the order of leads leaves out": (
        "leads:\n  sticky_days: 7\n"
        "  order: [do_not_route, gate, existing_owner, account_owner, named, territory]  # <-\n",
        "order has 'sticky' 0 times",
    ),
    "a need of leads without a mend": (
        "leads:\n  require:\n  - {name: a, when: {vip: true}}  # <-\n",
        "a requirement has no 'mend'",
    ),
    "days of activity in words": ("leads: {inbound_activity_days: a while}  # <-\n", "whole number of at least 0"),
    "a cap of no hour": (pool_of("per_hour: 0"), "at least 1"),
    "a cap that is half": (pool_of("per_week: 2.5"), "at least 1"),
    "rolling that is neither": (pool_of("rolling: 7 days"), "Write true or false"),
    "a pool in a time zone nobody knows": (pool_of("timezone: Berlin"), "(did you mean 'Europe/Berlin'?)"),
    "working hours in words": (pool_of("within_hours: soon"), "Give hours from 0 to 8784"),
    "working hours that are over": (pool_of("within_hours: -1"), "Give hours from 0 to 8784"),
    "a return from leave nobody knows": (pool_of("after_leave: owed_turn"), "(did you mean 'owed_turns'?)"),
    "turns that are owed by no flood": (pool_of("owed_most: 3"), "owes nobody turns. Write after_leave: owed_turns"),
    "no turns that are owed": (pool_of("after_leave: owed_turns, owed_most: 0"), "at least 1"),
    "an existing owner's turn that is neither": (pool_of("existing_owner_takes_turn: x"), "Write true or false"),
    "a manual turn that is neither": (pool_of("manual_takes_turn: x"), "Write true or false"),
    "accounts that move at no time": (
        "leavers: {accounts_move: never}  # <-\n",
        "It is one of at_once, next_business_day",
    ),
    "an edit that is written over": ("drift: {human_edit: revert}  # <-\n", "It is one of hold, accept"),
    "an integration that is no user": (
        "drift: {integrations: [hubspot-sync]}  # <-\n",
        "holds 'hubspot-sync', which is no user. Write \"salesforce/<user id>\", or an e-mail address",
    ),
    "an integration that is a rep": (
        "drift: {integrations: [ANN@northwind-data.example]}  # <-\n",
        "holds 'ann@northwind-data.example', who is Ann of the roster. Name a user of its own",
    ),
    "a guard that more than everything stops": ("drift: {stop_percent: 101}  # <-\n", "whole number from 1 to 100"),
    "a guard that nothing stops": ("drift: {stop_at_least: 0}  # <-\n", "whole number of at least 1"),
    "an edit no step asks for": (
        "drift: {human_edit: accept}\n"
        "order: [do_not_route, gate, named, parent_owner, existing_owner, territory]  # <-\n",
        "order has 'override' 0 times",
    ),
    "nobody who has it meanwhile": ("acceptance: {meanwhile: nobody}  # <-\n", "It is one of offered, previous"),
    "a rep who is a queue meanwhile": (
        "acceptance: {meanwhile: {queue: ann}}  # <-\n",
        "who is no queue. Name a queue",
    ),
    "a queue there is not": ("acceptance: {meanwhile: {queue: dsk}}  # <-\n", "who is nobody on the roster"),
    "a queue without a name": ("acceptance: {meanwhile: {}}  # <-\n", "meanwhile of acceptance has no 'queue'"),
    "an overlay that counts somewhat": ("coverage: {overlays_count: some}  # <-\n", "Write true or false"),
    "a memory that is none": (pool_of("memory: rep"), "It is one of pool, rule"),
    "a manual turn of no rule": (pool_of("memory: rule, manual_takes_turn: true"), "Remove it, or write memory: pool"),
    "a queue that takes turns": (
        "pools:\n  - {id: p, members: [{rep: ann}, {rep: low-touch}]}  # <-\n",
        "has the queue 'low-touch' as a member. A queue takes no turns",
    ),
    "a member's days that are none": (
        'pools:\n  - {id: p, members: [{rep: ann, from: "soon"}]}  # <-\n',
        "'soon', which is no date",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_policy_is_refused_with_its_line_and_a_mend(tmp_path: Path, text: str, said: str) -> None:
    problems = refused(tmp_path, POLICY + text, PEOPLE)
    assert places(problems) == marked("policy.yaml", POLICY + text), problems
    assert any(said in problem for problem in problems), problems


# --- one mistake in the roster ---


def calendar_of(keys: str) -> str:
    return f"calendars:\n  - {{id: office, {keys}}}  {HERE}\n"


def rep_with(keys: str) -> str:
    return REP + f", {keys}}}  {HERE}\n"


ROSTER_MISTAKES: dict[str, tuple[str, str]] = {
    "a calendar nobody knows": (rep_with("calendar: offce"), "calendar of cem is 'offce', which there is not"),
    "a calendar without an id": ("calendars:\n  - {holidays: DE}  # <-\n", "a calendar has no 'id'"),
    "a calendar that is there twice": (
        "calendars:\n  - {id: office}\n  - {id: office}  # <-\n",
        "the calendar 'office' is there twice",
    ),
    "an unknown key of a calendar": (calendar_of("holyday: DE"), "(did you mean 'holidays'?)"),
    "holidays of no country": (calendar_of("holidays: XX"), "'XX', which we do not know. Write a country"),
    "holidays of no part of a country": (calendar_of("holidays: DE-XX"), "'DE-XX', which we do not know"),
    "an unknown weekday": (calendar_of("hours: {mondy: '09:00-17:00'}"), "(did you mean 'monday'?)"),
    "hours that are none": (calendar_of("hours: {monday: nine to five}"), "'nine to five' are no hours"),
    "hours that are over when they begin": (calendar_of("hours: {monday: '09:00-09:00'}"), "ends when it starts"),
    "hours no day has": (calendar_of("hours: {monday: '09:00-25:00'}"), "a time that no day has"),
    "hours that are no mapping": (calendar_of("hours: '09:00-17:00'"), "hours of calendar 'office' is not a mapping"),
    "a closed day that is none": (calendar_of("closed: [Christmas]"), "'Christmas', which is no date"),
    "an open day that is none": (calendar_of("open: ['2026-13-01']"), "'2026-13-01', which is no date"),
    "a ramp without an end": (rep_with("ramp: [{percent: 50}]"), "ramp of cem has no 'until'"),
    "a ramp beyond a full share": (rep_with("ramp: [{until: '2026-12-31', percent: 101}]"), "A full share is 100"),
    "a ramp in words": (rep_with("ramp: [{until: '2026-12-31', percent: half}]"), "whole number of at least 0"),
    "a ramp that is not in order": (
        rep_with("ramp: [{until: '2026-12-31', percent: 50}, {until: '2026-11-30', percent: 25}]"),
        "Sort them by 'until'",
    ),
    "a ramp with one day twice": (
        rep_with("ramp: [{until: '2026-12-31', percent: 50}, {until: '2026-12-31', percent: 75}]"),
        "Sort them by 'until'",
    ),
    "a leave without a beginning": (rep_with("leave: [{until: '2026-12-31'}]"), "a leave of cem has no 'from'"),
    "a leave that ends before it begins": (
        rep_with("leave: [{from: '2026-12-31', until: '2026-12-01'}]"),
        "ends before it begins",
    ),
    "a rep in a time zone nobody knows": (rep_with("timezone: Mars"), "timezone of cem is 'Mars'"),
    "a queue without an address": ("queues:\n  - {id: q, name: Q}  # <-\n", "a queue has no 'email'"),
    "a queue with a book": (
        "queues:\n  - {id: q, name: Q, email: q@x.example, capacity: 5}  # <-\n",
        "unknown key 'capacity'",
    ),
    "a queue of a rep's id": (
        "queues:\n  - {id: bob, name: Q, email: q@x.example}  # <-\n",
        "the rep or queue 'bob' is there twice",
    ),
    "a queue of a rep's address": (
        "queues:\n  - {id: q, name: Q, email: Ann@northwind-data.example}  # <-\n",
        "'ann@northwind-data.example' is there twice",
    ),
    "a manager that is a queue": (
        rep_with("manager: q") + "queues: [{id: q, name: Q, email: q@x.example}]\n",
        "manager 'q' is a queue. Name somebody who can be asked",
    ),
    "reps that are no list": ("queues: low-touch  # <-\n", "queues is not a list"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), ROSTER_MISTAKES.values(), ids=ROSTER_MISTAKES)
def test_a_mistake_in_the_roster_is_refused_with_its_line_and_a_mend(tmp_path: Path, text: str, said: str) -> None:
    problems = refused(tmp_path, POLICY, ROSTER + text)
    assert places(problems) == marked("roster.yaml", ROSTER + text), problems
    assert any(said in problem for problem in problems), problems


SECTIONS: dict[str, Any] = {
    "disputes": [{"account": "a.example", "claimed_by": "hal", "reason": "x"}],
    "overrides": [
        {"account": "a.example", "owner": "ann", "reason": "x", "requested_by": "gary", "approved_by": "hal"},
    ],
}


@pytest.mark.parametrize("section", SECTIONS)
def test_who_claimed_asked_or_approved_may_have_left_since(tmp_path: Path, section: str) -> None:
    assert policy(tmp_path, f"{section}: {json.dumps(SECTIONS[section])}\n")
