"""What goes with the owner of a Salesforce account: its team goes with every change, and can be put back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from connectors.base import DependentTarget, OwnerChange, TeamTarget, WriteOutcome
from connectors.errors import SchemaChanged
from emulators.salesforce import selection
from emulators.world.ids import salesforce_id
from ownership.transfers import CONTACTS, OPPORTUNITIES, Teammate
from tests.contract.test_salesforce import ACCOUNTS, BATCH, GONE, IDS, INTEGRATION, OWNERS, UNKNOWN, Org
from tests.contract.wire import Wire

READ, TEAMS = 250, 500  # accounts of one query
LEVELS = {"AccountAccessLevel": "Edit", "OpportunityAccessLevel": "Read", "CaseAccessLevel": "None"}


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Org:
    return Org(Wire(monkeypatch), ACCOUNTS[:600])


def create(org: Org, kind: str, **fields: Any) -> str:
    return str(org.vendor.edit({"object": kind, "action": "create", "fields": fields})["Id"])


def team_of(org: Org, account_id: str) -> dict[str, str | None]:
    """By the org's own tables."""
    rows = org.vendor.org.tables["AccountTeamMember"].values()
    return {
        row["UserId"]: row["TeamMemberRole"] for row in rows if row["AccountId"] == account_id and not row["IsDeleted"]
    }


def put_on(org: Org, account_id: str, user_id: str, role: str = "CSM") -> None:
    create(org, "AccountTeamMember", AccountId=account_id, UserId=user_id, TeamMemberRole=role, **LEVELS)


@pytest.mark.parametrize("how", ["collections", "conditional"])
def test_a_change_of_owner_takes_the_team_away_whichever_way_it_is_made(org: Org, how: str) -> None:
    put_on(org, IDS[0], INTEGRATION)
    change = OwnerChange("Account", IDS[0], OWNERS[0])
    if how == "collections":
        org.connector.update_owners([change])
    else:
        version = org.connector.read_owners([IDS[0]])[0].version
        assert org.connector.update_owner_if(change, str(version)).outcome is WriteOutcome.WRITTEN
    assert team_of(org, IDS[0]) == {}
    assert org.connector.read_teams(IDS[:1]) == {}


def test_a_team_read_before_can_be_put_back_with_its_roles_and_rights(org: Org) -> None:
    assert isinstance(org.connector, TeamTarget)
    put_on(org, IDS[0], INTEGRATION)
    put_on(org, IDS[0], OWNERS[0], "Overlay")
    read = org.connector.read_teams([IDS[0], IDS[1], UNKNOWN, "no id"])
    assert read.keys() == {IDS[0]}
    assert {mate.user_id: (mate.role, mate.access) for mate in read[IDS[0]]} == {
        INTEGRATION: ("CSM", LEVELS),
        OWNERS[0]: ("Overlay", LEVELS),
    }
    org.connector.update_owners([OwnerChange("Account", IDS[0], OWNERS[0])])
    results = org.connector.add_teammates([(IDS[0], mate) for mate in read[IDS[0]]])
    assert [result.outcome for result in results] == [WriteOutcome.WRITTEN] * 2
    again = org.connector.read_teams(IDS[:1])
    assert sorted(again[IDS[0]], key=str) == sorted(read[IDS[0]], key=str)


def test_an_org_without_account_teams_has_none_and_a_missing_field_is_no_such_org(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = selection.find_kind
    with monkeypatch.context() as patch:
        patch.setattr(selection, "find_kind", lambda name: None if name == "AccountTeamMember" else known(name))
        assert org.connector.read_teams(IDS[:2]) == {}
    monkeypatch.setattr("connectors.salesforce_transfers.ACCESS", ("NoSuchLevel",))
    with pytest.raises(SchemaChanged, match="NoSuchLevel"):
        org.connector.read_teams(IDS[:2])


def test_putting_somebody_back_twice_leaves_one_place(org: Org) -> None:
    mate = Teammate(INTEGRATION, "CSM", LEVELS)
    for _ in range(2):
        org.connector.add_teammates([(IDS[0], mate)])
    assert org.connector.read_teams(IDS[:1]) == {IDS[0]: (mate,)}


def test_who_left_and_what_is_gone_are_refused_and_harm_only_themselves(org: Org) -> None:
    mate = Teammate(INTEGRATION, "CSM")
    results = org.connector.add_teammates([(IDS[0], Teammate(GONE, "SE")), (UNKNOWN, mate), (IDS[0], mate)])
    rejected, written = WriteOutcome.REJECTED, WriteOutcome.WRITTEN
    assert [result.outcome for result in results] == [rejected, rejected, written]
    assert results[0].code == "INACTIVE_OWNER_OR_USER"
    assert team_of(org, IDS[0]) == {INTEGRATION: "CSM"}


def test_short_ids_are_answered_as_they_were_asked(org: Org) -> None:
    put_on(org, IDS[0], INTEGRATION)
    short = IDS[0][:15]
    assert org.connector.read_teams([short]).keys() == {short}
    create(org, "Contact", AccountId=IDS[0], LastName="Ada", OwnerId=OWNERS[1])
    (found,) = org.connector.dependents([short], {CONTACTS}, [OWNERS[1]])
    assert found.on == short


def test_teams_cost_one_call_for_each_500_accounts_and_what_hangs_on_them_one_for_each_250(org: Org) -> None:
    org.connector.read_teams(IDS[:600])
    assert org.calls("query_all") == math.ceil(600 / TEAMS)
    org.wire.journal.clear()
    org.connector.dependents(IDS[:600], {CONTACTS, OPPORTUNITIES}, [OWNERS[1]])
    assert org.calls("query_all") == 2 * math.ceil(600 / READ)
    org.connector.add_teammates([(id_, Teammate(INTEGRATION, "CSM")) for id_ in IDS[:450]])
    assert org.calls("collections_create") == math.ceil(450 / BATCH)


def test_an_answer_that_never_came_leaves_the_places_in_doubt(org: Org) -> None:
    org.fail("collections_create", "reset", after_commit=True)
    (result,) = org.connector.add_teammates([(IDS[0], Teammate(INTEGRATION, "CSM"))])
    assert result.outcome is WriteOutcome.UNKNOWN
    assert team_of(org, IDS[0]) == {INTEGRATION: "CSM"}


def test_only_open_opportunities_and_contacts_of_these_owners_are_found_and_moved(org: Org) -> None:
    assert isinstance(org.connector, DependentTarget)
    deal = {"AccountId": IDS[0], "Name": "Deal", "StageName": "Proposal", "CloseDate": "2026-12-31"}
    theirs = create(org, "Contact", AccountId=IDS[0], LastName="Ada", OwnerId=OWNERS[1])
    create(org, "Contact", AccountId=IDS[0], LastName="Bo", OwnerId=INTEGRATION)
    create(org, "Contact", AccountId=IDS[1], LastName="Cy", OwnerId=OWNERS[1])
    running = create(org, "Opportunity", **deal, OwnerId=OWNERS[1])
    won = create(org, "Opportunity", **deal, OwnerId=OWNERS[1])
    org.vendor.org.tables["Opportunity"][won]["IsClosed"] = True
    found = org.connector.dependents(IDS[:1], {CONTACTS, OPPORTUNITIES}, [OWNERS[1]])
    assert {(each.object_type, each.id, each.on) for each in found} == {
        ("Contact", theirs, IDS[0]),
        ("Opportunity", running, IDS[0]),
    }
    moves = [OwnerChange(each.object_type, each.id, OWNERS[0]) for each in found]
    unknown = OwnerChange("Contact", salesforce_id("003", 900_000), OWNERS[0])
    results = org.connector.move_dependents([*moves, unknown])
    written, rejected = WriteOutcome.WRITTEN, WriteOutcome.REJECTED
    assert [result.outcome for result in results] == [written, written, rejected]
    assert org.vendor.org.tables["Contact"][theirs]["OwnerId"] == OWNERS[0]
    assert org.vendor.org.tables["Opportunity"][won]["OwnerId"] == OWNERS[1]
    assert [each.object_type for each in org.connector.dependents(IDS[:1], {CONTACTS}, [OWNERS[1]])] == []


def test_an_object_that_does_not_hang_on_accounts_is_refused(org: Org) -> None:
    with pytest.raises(ValueError, match="Account"):
        org.connector.move_dependents([OwnerChange("Account", IDS[0], OWNERS[0])])
