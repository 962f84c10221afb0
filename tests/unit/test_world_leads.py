"""The people who came in by themselves, in both CRMs: sound, and recognisable in every way there is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from emulators.hubspot.properties import CONTACT_TYPES, EMPLOYEE_BANDS, STAGES
from emulators.salesforce.schema import BY_NAME
from emulators.world import build_world
from emulators.world.companies import load_companies
from emulators.world.ids import salesforce_checksum
from emulators.world.inbound import BY_DOMAIN, NO_COMPANY, UNKNOWN_COMPANY
from emulators.world.inbound import BY_NAME as BY_COMPANY_NAME
from emulators.world.lead_rows import LEAD_STAGES
from emulators.world.usage_rows import FREE_MAIL_DOMAINS

Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> Row:
    return build_world()


@pytest.fixture(scope="module")
def leads(world: Row) -> dict[str, Row]:
    return {lead["Id"]: lead for lead in world["salesforce"]["leads"]}


@pytest.fixture(scope="module")
def contacts(world: Row) -> dict[str, Row]:
    return {contact["id"]: contact["properties"] for contact in world["hubspot"]["contacts"]}


def test_there_are_about_three_hundred_people_and_each_crm_knows_some_of_them(world: Row) -> None:
    known = Counter((bool(lead["salesforce"]), bool(lead["hubspot"])) for lead in world["truth"]["leads"])
    assert sum(known.values()) == pytest.approx(300, abs=5)
    assert known[False, False] == 0
    assert all(known[places] > 40 for places in ((True, True), (True, False), (False, True)))


def test_the_truth_names_each_lead_of_the_crms_once(world: Row, leads: Row, contacts: dict[str, Row]) -> None:
    told = world["truth"]["leads"]
    assert sorted(id_ for lead in told for id_ in lead["salesforce"]) == sorted(leads)
    people = {id_ for lead in told for id_ in lead["hubspot"]}
    others = {id_: contacts[id_]["lifecyclestage"] for id_ in contacts.keys() - people}
    assert people <= contacts.keys()
    assert len(others) == pytest.approx(61, abs=2)
    assert set(others.values()) <= {"customer", "evangelist", "other"}


def test_one_person_has_one_address_in_both_crms_and_nobody_else_has_it(
    world: Row, leads: dict[str, Row], contacts: dict[str, Row]
) -> None:
    for lead in world["truth"]["leads"]:
        addresses = {leads[id_]["Email"] for id_ in lead["salesforce"]}
        addresses |= {contacts[id_]["email"] for id_ in lead["hubspot"]}
        assert len(addresses) == 1
    for shown in ([lead["Email"] for lead in leads.values()], [one["email"] for one in contacts.values()]):
        assert len(set(shown)) == len(shown)


def test_a_company_is_told_by_the_mail_domain_by_its_name_alone_or_not_at_all(
    world: Row, leads: dict[str, Row], contacts: dict[str, Row]
) -> None:
    known = {company.key for company in load_companies()}
    ways = Counter(lead["told_by"] for lead in world["truth"]["leads"])
    assert min(ways[way] for way in (BY_DOMAIN, BY_COMPANY_NAME, UNKNOWN_COMPANY, NO_COMPANY)) > 30
    for lead in world["truth"]["leads"]:
        emails = [leads[id_]["Email"] for id_ in lead["salesforce"]] + [contacts[i]["email"] for i in lead["hubspot"]]
        domain = emails[0].split("@")[1]
        assert (domain in FREE_MAIL_DOMAINS) == (lead["told_by"] in (BY_COMPANY_NAME, NO_COMPANY))
        assert domain.endswith(".example") == (lead["told_by"] == UNKNOWN_COMPANY)
        assert (lead["company"] in known) == (lead["told_by"] in (BY_DOMAIN, BY_COMPANY_NAME))
        if lead["told_by"] == BY_DOMAIN:
            assert domain.removeprefix("eu.") == lead["company"]


def test_the_company_of_a_lead_is_in_a_crm(world: Row) -> None:
    in_a_crm = {c["key"] for c in world["truth"]["companies"] if c["salesforce"] or c["hubspot"]}
    assert {lead["company"] for lead in world["truth"]["leads"]} - {None} <= in_a_crm


def test_leads_wait_in_a_queue_with_nobody_with_reps_who_left_and_with_those_who_are_here(
    world: Row, leads: dict[str, Row], contacts: dict[str, Row]
) -> None:
    users = {user["Id"]: user["IsActive"] for user in world["salesforce"]["users"]}
    queue = world["salesforce"]["queues"][0]["Id"]
    owners = Counter(lead["OwnerId"] for lead in leads.values())
    assert owners.keys() <= users.keys() | {queue}
    assert owners[queue] > 10
    assert owners[world["truth"]["integration_user"]] > 10
    assert sum(count for owner, count in owners.items() if users.get(owner) is False) > 10
    archived = {owner["id"]: owner["archived"] for owner in world["hubspot"]["owners"]}
    shown = Counter(contact["hubspot_owner_id"] for contact in contacts.values())
    assert shown.keys() <= archived.keys() | {""}
    assert shown[""] > 10
    assert sum(count for owner, count in shown.items() if archived.get(owner)) > 0


def test_a_converted_lead_names_the_account_it_became_part_of(world: Row, leads: dict[str, Row]) -> None:
    accounts = {c["key"]: c["salesforce"] for c in world["truth"]["companies"]}
    converted = [lead for lead in world["truth"]["leads"] if lead["converted"]]
    assert converted
    for lead in converted:
        (shown,) = (leads[id_] for id_ in lead["salesforce"])
        assert shown["IsConverted"]
        assert shown["ConvertedAccountId"] in accounts[lead["company"]]
    assert sum(lead["IsConverted"] for lead in leads.values()) == len(converted)


def test_a_contact_says_its_company_only_where_hubspot_knows_that_company(world: Row, contacts: dict[str, Row]) -> None:
    companies = {company["id"] for company in world["hubspot"]["companies"]}
    linked = [one["associatedcompanyid"] for one in contacts.values() if "associatedcompanyid" in one]
    assert set(linked) <= companies
    of_leads = [one for one in contacts.values() if one["lifecyclestage"] in LEAD_STAGES]
    assert 20 < sum("associatedcompanyid" in one for one in of_leads) < len(of_leads) / 2


def test_some_want_no_email_and_some_are_not_to_be_routed(leads: dict[str, Row], contacts: dict[str, Row]) -> None:
    assert 5 < sum(lead["HasOptedOutOfEmail"] for lead in leads.values()) < len(leads) / 5
    assert sum(lead["Do_Not_Route__c"] for lead in leads.values()) > 0
    assert sum(one.get("hs_email_optout") == "true" for one in contacts.values()) > 5


def test_rows_are_such_as_the_crms_would_hold(leads: dict[str, Row], contacts: dict[str, Row]) -> None:
    fields = {field.name for field in BY_NAME["lead"].fields.values()}
    for id_, lead in leads.items():
        assert id_.startswith("00Q")
        assert id_[15:] == salesforce_checksum(id_[:15])
        assert lead.keys() <= fields
        assert all(lead[name] for name in ("LastName", "Company", "Status", "OwnerId"))
    for contact in contacts.values():
        assert contact.keys() <= CONTACT_TYPES.keys()
        assert contact.get("numemployees", "1-5") in EMPLOYEE_BANDS
        assert contact["lifecyclestage"] in STAGES
        assert all(isinstance(value, str) for value in contact.values())


def test_nobody_comes_in_after_the_moment_the_world_is_frozen_at(leads: dict[str, Row]) -> None:
    assert all(lead["CreatedDate"] <= lead["SystemModstamp"] < "2026-11-20T09" for lead in leads.values())
