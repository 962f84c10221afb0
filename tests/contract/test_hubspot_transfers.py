"""What goes with the owner of a HubSpot company: contacts and open deals, found by their associations."""

from __future__ import annotations

import pytest

from connectors.base import DependentTarget, OwnerChange, TeamTarget, WriteOutcome
from emulators.hubspot.portal import Record
from emulators.hubspot.properties import COMPANIES, CONTACTS, DEALS
from ownership.transfers import CONTACTS as PEOPLE
from ownership.transfers import OPPORTUNITIES
from tests.contract.test_hubspot import GONE, IDS, OWNERS, Account
from tests.contract.wire import Wire


@pytest.fixture(params=["v3", "2026-03"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(Wire(monkeypatch), request.param)


def person(account: Account, company_id: str, owner: str = OWNERS[0], primary: str | None = None) -> str:
    """A contact linked to a company, which is its primary one unless another is named."""
    values = {"lastname": "Ada", "hubspot_owner_id": owner, "associatedcompanyid": primary or company_id}
    made = account.vendor.portal.create(CONTACTS, values, "CRM_UI")
    account.vendor.portal.link(CONTACTS, made.id, COMPANIES, company_id)
    return made.id


def deal(account: Account, company_id: str, owner: str = OWNERS[0], *, closed: bool = False) -> str:
    portal = account.vendor.portal
    made = portal.create(DEALS, {"dealname": "Deal", "hubspot_owner_id": owner}, "CRM_UI")
    properties = {**made.properties, "hs_is_closed": "true" if closed else "false"}
    portal.records["deals"][made.id] = Record(made.id, properties, made.created_at, made.updated_at)
    portal.link(DEALS, made.id, COMPANIES, company_id)
    return made.id


def owner_of(account: Account, plural: str, id_: str) -> str | None:
    return account.vendor.portal.records[plural][id_].properties["hubspot_owner_id"]


def test_contacts_and_open_deals_of_these_owners_are_found_and_moved_and_no_others(account: Account) -> None:
    assert isinstance(account.connector, DependentTarget)
    assert not isinstance(account.connector, TeamTarget)
    theirs, running = person(account, IDS[0]), deal(account, IDS[0])
    person(account, IDS[0], OWNERS[1])
    person(account, IDS[0], primary=IDS[5])
    person(account, IDS[1])
    won = deal(account, IDS[0], closed=True)
    found = account.connector.dependents(IDS[:1], {PEOPLE, OPPORTUNITIES}, [OWNERS[0]])
    ours = {(each.object_type, each.id) for each in found if each.on == IDS[0]}
    assert ours == {("contact", theirs), ("deal", running)}
    moves = [OwnerChange(each.object_type, each.id, OWNERS[1]) for each in found if each.on == IDS[0]]
    results = account.connector.move_dependents(moves)
    assert [result.outcome for result in results] == [WriteOutcome.WRITTEN] * 2
    assert (owner_of(account, "contacts", theirs), owner_of(account, "deals", running)) == (OWNERS[1], OWNERS[1])
    assert owner_of(account, "deals", won) == OWNERS[0]


def test_companies_without_any_have_none_and_cost_one_call_for_each_thousand(account: Account) -> None:
    assert account.connector.dependents(IDS, {PEOPLE, OPPORTUNITIES}, [OWNERS[0]]) == ()
    assert account.wire.journal.count("hubspot", "associations_read") == 0
    assert len([e for e in account.wire.journal.entries("hubspot") if "associations" in e.operation]) == 2


def test_more_contacts_than_a_page_of_associations_are_all_found(account: Account) -> None:
    people = {person(account, IDS[0]) for _ in range(620)}
    found = account.connector.dependents(IDS[:2], {PEOPLE}, [OWNERS[0]])
    assert {each.id for each in found} == people


def test_one_refused_contact_harms_only_itself(account: Account) -> None:
    one, other = person(account, IDS[0]), person(account, IDS[0])
    results = account.connector.move_dependents(
        [OwnerChange("contact", one, GONE), OwnerChange("contact", other, "78")]
    )
    assert [result.outcome for result in results] == [WriteOutcome.REJECTED, WriteOutcome.WRITTEN]
    with pytest.raises(ValueError, match="company"):
        account.connector.move_dependents([OwnerChange("company", IDS[0], "78")])
