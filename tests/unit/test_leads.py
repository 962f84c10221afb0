"""Leads: which records are one person, which account they belong to, and who gets them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.case import LastLead
from ownership.conditions import Test
from ownership.entries import Assign, Leads, Pool, Requirement, Rule
from ownership.leads import best_of, link_leads
from ownership.model import Account, LeadRecord, Period, Ref, Rep
from ownership.policy import LEAD_STEPS, Policy
from tests.unit.small_company import (
    NOON,
    WEDNESDAY,
    Desk,
    account,
    because,
    company,
    lead,
    queue,
    rep,
    said,
    step,
    turns_policy,
)


def record(id_: str, source: str = "salesforce", **known: Any) -> LeadRecord:
    kind = "Lead" if source == "salesforce" else "contact"
    return LeadRecord(source, kind, id_, known.pop("name", f"Person {id_}"), **known)


def linked(
    records: Sequence[LeadRecord],
    accounts: Sequence[Account] = (),
    known: dict[Ref, str] | None = None,
    owner_of: dict[tuple[str, str], str] | None = None,
) -> list[Account]:
    return link_leads(records, accounts, known or {}, lambda ref: f"lead-{ref.external_id}", owner_of or {})


# --- which records are one person ---


def test_records_of_one_address_are_one_person_whatever_system_they_are_in() -> None:
    both = [
        record("1", email="Eve@Acme.com"),
        record("7", "hubspot", email="eve@acme.com"),
        record("2", email="x@y.com"),
    ]
    leads = linked(both)
    assert [each.id for each in leads] == ["lead-2", "lead-7"], "new ones are called by their first record"
    assert leads[1].refs == (Ref("hubspot", "contact", "7"), Ref("salesforce", "Lead", "1"))
    assert leads[1].kind == "lead"


def test_records_without_an_address_are_people_of_their_own() -> None:
    assert len(linked([record("1"), record("2"), record("1", "hubspot")])) == 3


def test_somebody_keeps_the_id_they_had_and_of_several_the_lowest() -> None:
    known = {Ref("salesforce", "Lead", "1"): "lead-b", Ref("hubspot", "contact", "7"): "lead-a"}
    records = [record("1", email="eve@acme.com"), record("7", "hubspot", email="eve@acme.com")]
    assert [each.id for each in linked(records, known=known)] == ["lead-a"]
    assert [each.id for each in linked(records[:1], known=known)] == ["lead-b"]


def test_who_was_converted_has_become_part_of_an_account_and_is_no_lead_any_more() -> None:
    assert linked([record("1", email="eve@acme.com", converted=True)]) == []


def test_what_the_first_system_does_not_say_the_second_does() -> None:
    one = record("1", email="eve@acme.com", title="CTO", country="Germany", extra={"score": None})
    other = record("7", "hubspot", email="eve@acme.com", title="Boss", industry="Banks", extra={"score": 7})
    (someone,) = linked([other, one])
    fields = someone.fields
    assert (fields["title"], fields["country"], fields["industry"], fields["score"]) == ("CTO", "DE", "Banks", 7)


def test_one_record_that_must_not_be_routed_speaks_for_the_person() -> None:
    records = [record("1", email="eve@acme.com"), record("7", "hubspot", email="eve@acme.com", do_not_route=True)]
    assert linked(records)[0].fields["do_not_route"] is True


def test_a_lead_is_called_by_name_and_company() -> None:
    assert linked([record("1", name="Eve", company="Acme")])[0].name == "Eve (Acme)"
    assert linked([record("1", name=None)])[0].name == "1"


def test_what_nobody_says_is_missing_and_not_empty() -> None:
    (someone,) = linked([record("1")])
    assert set(someone.fields) == {"name", "subject", "do_not_route", "has_primary_contact", "has_account", "in_crm"}
    assert someone.fields["subject"] == "lead"


def test_who_each_crm_shows_is_a_rep_or_somebody_unknown() -> None:
    records = [record("1", email="e@a.com", owner_external_id="005"), record("7", "hubspot", email="e@a.com")]
    records[1] = replace(records[1], owner_external_id="99")
    (someone,) = linked(records, owner_of={("salesforce", "005"): "ann"})
    assert set(someone.crm_owners.values()) == {"ann", "?99"}


# --- which account they belong to ---


def test_a_lead_belongs_to_the_account_its_record_names() -> None:
    accounts = [account("a1"), account("a2", domains=["acme.com"])]
    (someone,) = linked([record("1", email="eve@acme.com", account_external_id="a1")], accounts)
    assert (someone.parent_id, someone.fields["has_account"]) == ("a1", True)


def test_a_lead_belongs_to_the_account_of_its_web_domain() -> None:
    accounts = [account("a1", domains=["acme.com"])]
    assert linked([record("1", email="eve@mail.acme.com")], accounts)[0].parent_id == "a1"
    assert linked([record("1", website="https://www.acme.com/de")], accounts)[0].parent_id == "a1"


def test_a_private_address_tells_nothing_of_the_company() -> None:
    someone = linked([record("1", email="eve@gmail.com")], [account("a1", domains=["gmail.com"])])[0]
    assert (someone.parent_id, "domain" in someone.fields) == (None, False)


def test_an_account_that_another_system_names_is_none_of_ours() -> None:
    stranger = record("7", "hubspot", account_external_id="a1")
    assert linked([stranger], [account("a1")])[0].parent_id is None


def test_a_lead_takes_over_what_only_its_account_knows() -> None:
    big = account("a1", domains=["acme.com"], employees=5000, segment="enterprise", activity_on="2026-11-20")
    fields = linked([record("1", email="eve@acme.com")], [big])[0].fields
    assert (fields["employees"], fields["segment"], fields["country"]) == (5000, "enterprise", "US")
    assert fields["activity_on"] == "2026-11-20"
    own = linked([record("1", email="eve@acme.com", employees=5, country="DE")], [big])[0].fields
    assert (own["employees"], own["segment"], own["country"]) == (5, "smb", "DE")


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"paying": True}, {"open_opportunities": 3, "activity_on": "2026-11-24"}),
        ({"lifecycle": "Customer"}, {"open_opportunities": 3}),
        ({"open_opportunities": 1}, {"activity_on": "2026-11-24"}),
        ({"activity_on": "2026-11-24"}, {"activity_on": "2026-11-23"}),
        ({"activity_on": "2026-01-01"}, {}),
        ({"activity_on": "2026-01-01"}, {"activity_on": "2025-12-31"}),
    ],
)
def test_of_accounts_with_one_domain_the_liveliest_is_meant(better: dict[str, Any], worse: dict[str, Any]) -> None:
    accounts = [account("a1", **worse), account("a2", **better)]
    assert best_of(accounts) == best_of(accounts[::-1]) == accounts[1]


def test_where_nothing_tells_accounts_apart_the_lowest_id_is_meant() -> None:
    assert best_of([account("a2"), account("a1")]) == account("a1")
    assert best_of([]) is None


records = st.builds(
    lambda id_, source, email, at, company: record(
        str(id_), source, email=email, account_external_id=at, company=company
    ),
    st.integers(0, 5),
    st.sampled_from(["salesforce", "hubspot", "elsewhere"]),
    st.sampled_from([None, "eve@acme.com", "EVE@acme.com", "max@bolt.com", "eve@gmail.com"]),
    st.sampled_from([None, "a1", "a9"]),
    st.sampled_from([None, "Acme"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(records, max_size=6, unique_by=lambda each: (each.source, each.external_id)), st.data())
def test_every_open_record_is_in_one_lead_whatever_the_order(found: list[LeadRecord], data: st.DataObject) -> None:
    accounts = [account("a1", domains=["acme.com"]), account("a2", domains=["acme.com", "bolt.com"])]
    leads = linked(found, accounts)
    refs = [ref for each in leads for ref in each.refs]
    assert sorted(refs) == sorted(Ref(each.source, each.object_type, each.external_id) for each in found)
    assert linked(data.draw(st.permutations(found)), data.draw(st.permutations(accounts))) == leads


# --- who gets them ---

INBOUND = Leads(sticky_days=30)


def desk(leads: Leads = INBOUND, *different: Rep, **more: Any) -> Desk:
    return Desk(turns_policy(leads=leads, **more), company(*different))


def active(days: int | None) -> dict[str, object]:
    return {} if days is None else {"activity_on": f"2026-11-{25 - days:02}"}


@pytest.mark.parametrize(("days", "owner"), [(0, "cid"), (14, "cid"), (15, "ann"), (None, "cid")])
def test_a_lead_of_an_account_somebody_works_goes_to_them(days: int | None, owner: str) -> None:
    office = desk().has({"a1": "cid"}, account())
    assert office.on(WEDNESDAY, lead(of="a1", **active(days))).owner_id == owner


def test_it_is_said_why_the_owner_of_an_idle_account_does_not_get_the_lead() -> None:
    office = desk().has({"a1": "cid"}, account())
    decided = office.on(WEDNESDAY, lead(of="a1", **active(20)))
    assert step(decided, "account_owner") == "its account is Cid's, who had no activity on it for 20 days, 14 at most"


def test_the_days_that_count_as_worked_are_the_policys() -> None:
    office = desk(Leads(inbound_activity_days=30)).has({"a1": "cid"}, account())
    assert office.on(WEDNESDAY, lead(of="a1", **active(20))).owner_id == "cid"


def test_a_lead_is_decided_after_the_account_it_belongs_to() -> None:
    """Also when its id comes first and the account is new in the same batch."""
    rules = (Rule("cids", Test("subject", "is", "account"), Assign(owner="cid")),)
    office = desk(rules=rules)
    assert [said(each) for each in office.decide(lead("a0", of="a1"), account())] == [
        ("account_owner", "cid"),
        ("rule", "cid"),
    ]


def test_a_lead_does_not_go_to_an_account_owner_who_left() -> None:
    office = desk(INBOUND, rep("cid", left_on="2026-11-24")).has({"a1": "cid"}, account())
    decided = office.on(WEDNESDAY, lead(of="a1"))
    assert decided.owner_id == "ann"
    assert step(decided, "account_owner") == "its account has no owner who is there"


def test_the_next_lead_of_a_company_goes_to_who_got_the_last() -> None:
    office = desk()
    leads = [lead("l1", domains=["acme.com"]), lead("l2", domains=["bolt.com"]), lead("l3", domains=["acme.com"])]
    decided = office.decide(*leads)
    assert [said(each) for each in decided] == [("pool", "ann"), ("pool", "bob"), ("sticky", "ann")]
    assert because(decided[2]) == "Ann got a lead of acme.com in the last 30 days"
    assert {domain: last.rep for domain, last in office.state.recent.items()} == {"acme.com": "ann", "bolt.com": "bob"}


def test_a_lead_sticks_to_nobody_once_the_last_one_is_too_long_ago() -> None:
    office = desk()
    office.state.recent["acme.com"] = LastLead("cid", NOON - timedelta(days=30))
    assert said(office.on(WEDNESDAY, lead("l1", domains=["acme.com"]))) == ("sticky", "cid")
    office.state.recent["acme.com"] = LastLead("cid", NOON - timedelta(days=30, seconds=1))
    assert said(office.on(WEDNESDAY, lead("l2", domains=["acme.com"]))) == ("pool", "ann")


def test_a_lead_sticks_to_nobody_in_a_policy_that_does_not_say_so() -> None:
    office = desk(Leads())
    leads = [lead("l1", domains=["acme.com"]), lead("l2", domains=["acme.com"])]
    decided = office.decide(*leads)
    assert [each.owner_id for each in decided] == ["ann", "bob"]
    assert "sticky" not in {each.rule for each in decided[0].path}


@pytest.mark.parametrize(
    "different",
    [
        rep("ann", left_on="2026-11-24"),
        rep("ann", active=False),
        rep("ann", leave=(Period("2026-11-20", "2026-11-30"),)),
    ],
)
def test_a_lead_does_not_stick_to_who_is_not_at_hand(different: Rep) -> None:
    office = desk(INBOUND, different)
    office.state.recent["acme.com"] = LastLead("ann", NOON)
    assert said(office.on(WEDNESDAY, lead(domains=["acme.com"]))) == ("pool", "bob")


def test_a_lead_does_not_stick_to_a_queue_which_keeps_nothing_from_the_rules() -> None:
    office = desk(INBOUND, queue())
    office.state.recent["acme.com"] = LastLead("low-touch", NOON)
    assert said(office.on(WEDNESDAY, lead(domains=["acme.com"]))) == ("pool", "ann")


def test_leads_have_requirements_and_an_order_of_their_own() -> None:
    consent = Requirement("consent", Test("consent", "is", True), "ask them")
    size = Requirement("size", Test("employees", "is_present", True), "fill it in")
    office = desk(Leads(requirements=(consent,)), requirements=(size,))
    no, yes = office.decide(lead("l1"), lead("l2", consent=True))
    assert (said(no), because(no)) == (("missing_data", None), "consent is missing: ask them")
    assert step(yes, "gate") == "has the data every lead needs"
    asked = [each.rule for each in yes.path]
    assert asked == [each for each in LEAD_STEPS if each in asked]
    assert "parent_owner" not in asked
    office.policy = replace(office.policy, lead_order=("territory",))
    assert [each.rule for each in office.on(WEDNESDAY, lead("l3")).path] == ["territory"]


def test_an_account_is_never_asked_what_only_leads_are() -> None:
    decided = desk().on(WEDNESDAY, account(do_not_route=False))
    assert not {"account_owner", "sticky"} & {each.rule for each in decided.path}


def test_rules_tell_leads_from_accounts() -> None:
    rules = (Rule("inbound", Test("subject", "is", "lead"), Assign(owner="mia")),)
    decided = desk(rules=rules).decide(account(), lead())
    assert [each.owner_id for each in decided] == ["ann", "mia"]


def test_leads_are_in_nobodys_book_and_fill_none() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1})), company(rep("ann", capacity=2)))
    decided = office.decide(lead("l1"), lead("l2"), lead("l3"), account("a1"))
    assert [each.owner_id for each in decided] == ["ann"] * 4
    assert office.state.load == {"ann": 1}


def test_whose_book_is_full_is_given_no_leads_either() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1})), company(rep("ann", capacity=1))).has({"a1": "ann"}, account())
    assert said(office.on(WEDNESDAY, lead())) == ("no_available_rep", None)


def test_who_has_a_lead_keeps_it_when_it_is_decided_again() -> None:
    office = desk().has({"a1": "cid"}, account())
    someone = lead(of="a1", domains=["acme.com"])
    assert office.on(WEDNESDAY, someone).owner_id == "cid"
    office.state.owners["a1"] = "bob"
    assert said(office.on(WEDNESDAY, someone)) == ("existing_owner", "cid")


def test_days_are_counted_for_leads_as_for_accounts() -> None:
    fields = linked([record("1", created_at=datetime(2026, 11, 20, 9, tzinfo=UTC))])[0].fields
    rules = (Rule("fresh", Test("days_since_created", "lte", 5), Assign(owner="cid")),)
    office = Desk(Policy("p", rules=rules))
    assert office.decide(replace(lead(), fields=fields), now=NOON)[0].owner_id == "cid"
