"""The job over real steps and a real database, with CRMs in memory: what people outside see of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater
from connectors.memory import MemoryTarget
from ownership.acceptance import NotYours
from ownership.policy import Roster
from tasks.acceptance import accept_account, escalate_due
from tasks.assignment import assign_accounts, preview_accounts
from tasks.audit import audit_completeness, audit_ledger, audit_target
from tasks.matching import match_accounts
from tasks.notices import deliver_notices
from tasks.pull import pull_records, pull_stream
from tasks.rehearsal import Rehearsal, rehearse
from tasks.scope import UnknownTerritory, accounts_in_territory, accounts_showing, without_existing_owner

US_SMB = {"country": "US", "state": "NY", "employees": 20}
DACH = {"country": "Germany", "employees": 300}


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    founded = rehearse(tmp_path, database_url=store_url)
    yield founded
    founded.context.store.close()


def test_a_new_account_gets_an_owner_whom_every_crm_shows(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme Inc.", website="acme.example.com", **US_SMB)
    company.account("hubspot", "77", name="ACME", website="https://www.acme.example.com/", **US_SMB)
    company.assign()
    company.push()
    owner = company.owner("salesforce", "001A")
    assert owner is not None
    assert {company.shown("salesforce", "001A"), company.shown("hubspot", "77")} == {owner}


def test_a_second_run_changes_nothing_and_writes_nothing(company: Rehearsal) -> None:
    for number in range(30):
        company.account("salesforce", f"001{number:02}", name=f"Company {number}", owner=None, **US_SMB)
    company.assign()
    company.push()
    written = {name: len(target.written) for name, target in company.targets.items()}
    again = company.assign()
    company.push()
    assert (again.moves, again.recorded, again.writes) == ((), 0, 0)
    assert {name: len(target.written) for name, target in company.targets.items()} == written


def test_an_owner_in_the_crm_is_adopted_and_nobody_is_written(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", owner="grace-liu", **US_SMB)
    company.assign()
    company.push()
    assert company.owner("salesforce", "001A") == "grace-liu"
    assert company.targets["salesforce"].written == []


def test_accounts_of_a_rep_who_left_move_on(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", owner="gary-sutton", **US_SMB)
    company.assign()
    company.push()
    assert company.shown("salesforce", "001A") not in {None, "gary-sutton"}


def test_an_owner_nobody_knows_counts_as_nobody(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", owner_external_id="005-legacy-sync", **US_SMB)
    company.assign()
    company.push()
    assert company.shown("salesforce", "001A") == company.owner("salesforce", "001A")


def test_a_record_that_cannot_be_read_harms_only_itself_and_waits_for_a_person(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.account("salesforce", "001B", name="Broken", employees="many", country="US")
    company.assign()
    assert company.owner("salesforce", "001A") is not None
    assert company.exceptions() == {"bad_record": 1}
    company.account("salesforce", "001B", employees=12)
    company.assign()
    assert company.exceptions() == {}
    assert company.owner("salesforce", "001B") is not None


def test_an_account_without_a_country_waits_and_goes_on_when_it_is_filled_in(company: Rehearsal) -> None:
    company.account("hubspot", "77", name="Acme", employees=20)
    company.assign()
    assert (company.owner("hubspot", "77"), company.exceptions()) == (None, {"missing_data": 1})
    company.account("hubspot", "77", country="US")
    company.assign()
    assert company.owner("hubspot", "77") is not None
    assert company.exceptions() == {}


def test_a_persons_edit_of_the_owner_is_held_and_never_overwritten(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.assign()
    company.push()
    company.account("salesforce", "001A", owner="dana-whitfield")
    company.assign()
    company.push()
    assert company.shown("salesforce", "001A") == "dana-whitfield"
    assert company.exceptions() == {"owner_drift": 1}


def test_an_edit_between_decision_and_push_is_held_too(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    company.account("salesforce", "001A", owner="dana-whitfield")
    company.push()
    assert company.shown("salesforce", "001A") == "dana-whitfield"
    assert company.exceptions() == {"owner_drift": 1}


def test_drift_is_settled_when_the_person_puts_the_owner_back(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.assign()
    company.push()
    ours = company.owner("salesforce", "001A")
    company.account("salesforce", "001A", owner="dana-whitfield")
    company.assign()
    company.account("salesforce", "001A", owner=ours)
    company.assign()
    assert company.exceptions() == {}


def test_an_account_that_is_deleted_everywhere_needs_nobody_any_more(company: Rehearsal) -> None:
    company.account("hubspot", "77", name="Acme", employees=20)
    company.assign()
    company.hubspot.delete("accounts", "77")
    company.assign()
    assert company.exceptions() == {}


def test_a_child_follows_its_parents_owner(company: Rehearsal) -> None:
    company.account("salesforce", "001P", name="Parent AG", owner="jonas-keller", **DACH)
    company.account("salesforce", "001C", name="Child GmbH", parent_external_id="001P", **DACH)
    company.assign()
    assert company.owner("salesforce", "001C") == "jonas-keller"


def test_a_territory_rerun_shows_its_diff_and_then_does_the_same(company: Rehearsal) -> None:
    for number in range(6):
        company.account("salesforce", f"001{number}", name=f"Firma {number}", owner="grace-liu", **DACH)
    company.assign()
    company.push()
    policy = company.context.policy.policy
    wanted, rules = accounts_in_territory(policy, "mm-dach"), without_existing_owner(policy)
    would = preview_accounts(company.context, wanted, rules)
    assert len(would.moves) == 6
    assert {move.before for move in would.moves} == {"grace-liu"}
    company.new_run()
    done = assign_accounts(company.context, wanted, rules)
    assert done.moves == would.moves
    company.push()
    assert {company.shown("salesforce", f"001{number}") for number in range(6)} == {"jonas-keller", "sabine-hartmann"}


def test_a_territory_nobody_has_heard_of_is_refused_with_those_there_are(company: Rehearsal) -> None:
    with pytest.raises(UnknownTerritory, match="no territory 'narnia' in the policy; there are: amer"):
        accounts_in_territory(company.context.policy.policy, "narnia")


def test_a_change_event_reads_the_record_itself_and_decides_only_its_account(company: Rehearsal) -> None:
    company.account("hubspot", "77", name="Acme", employees=20)
    company.account("hubspot", "78", name="Zenith", employees=20)
    company.assign()
    company.account("hubspot", "77", country="US")
    company.account("hubspot", "78", country="US")
    company.new_run()
    pull_records(company.context, "hubspot", ["77"])
    match_accounts(company.context)
    assigned = assign_accounts(company.context, accounts_showing("hubspot", ["77"]))
    assert assigned.looked_at == 1
    assert company.owner("hubspot", "77") is not None
    assert company.owner("hubspot", "78") is None


def test_a_system_out_of_reach_keeps_its_changes_until_it_is_back(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", website="acme.example.com", owner=None, **US_SMB)
    company.account("hubspot", "77", name="Acme", website="acme.example.com", owner=None, **US_SMB)
    company.assign()
    company.salesforce.fail_with = RetryLater("salesforce", "away")
    with pytest.raises(RetryLater):
        company.push()
    company.pass_time(minutes=5)
    company.push()
    owner = company.owner("salesforce", "001A")
    assert (company.shown("salesforce", "001A"), company.shown("hubspot", "77")) == (owner, owner)


def test_a_write_without_an_answer_is_read_before_anything_else(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    target = company.targets["salesforce"]
    lost = _lose_the_answer(target, monkeypatch)
    company.push()
    assert company.outbox() == {("salesforce", "unknown"): 1}
    lost.undo()
    company.pass_time(minutes=5)
    company.push()
    assert len(target.written) == 1, "the second push must find the first one's write, not repeat it"
    assert company.shown("salesforce", "001A") == company.owner("salesforce", "001A")


def _lose_the_answer(target: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    write = target.update_owners

    def silent(changes: list[OwnerChange]) -> tuple[OwnerResult, ...]:
        write(changes)
        return tuple(OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NO_ANSWER") for change in changes)

    monkeypatch.setattr(target, "update_owners", silent)
    return monkeypatch


def test_a_connector_that_stops_says_so_and_the_other_goes_on(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.salesforce.fail_with = ConnectorStopped("salesforce", "no login", mend="Check STEWARD_SALESFORCE_DOMAIN")
    company.new_run()
    with pytest.raises(ConnectorStopped, match="Check STEWARD_SALESFORCE_DOMAIN"):
        pull_stream(company.context, "salesforce", "accounts")
    assert pull_stream(company.context, "hubspot", "accounts").rows == 0


def test_an_unanswered_offer_goes_to_the_next_then_the_manager_then_to_the_queue(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Firma", owner=None, **DACH)
    company.assign()
    holders = [company.owner("salesforce", "001A")]
    for _ in range(3):
        company.pass_time(hours=25)
        company.new_run()
        escalate_due(company.context)
        holders.append(company.owner("salesforce", "001A"))
    first, second, manager, queue = holders
    assert {first, second} == {"jonas-keller", "sabine-hartmann"}
    assert manager == "peter-novak"
    assert queue == "peter-novak", "the provisional owner stays while a person looks"
    assert company.exceptions() == {"unaccepted": 1}


def test_an_accepted_offer_stays_where_it_is(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Firma", owner=None, **DACH)
    company.assign()
    owner = str(company.owner("salesforce", "001A"))
    assert "is accepted for" in accept_account(company.context, "Firma", owner)
    company.pass_time(hours=100)
    company.new_run()
    assert escalate_due(company.context).looked_at == 0
    assert company.owner("salesforce", "001A") == owner
    assert "waits for no answer; it belongs to" in accept_account(company.context, "Firma", owner)


def test_whoever_accepts_too_late_is_told_the_holder_though_nobody_knows_them_any_more(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Firma", owner=None, **DACH)
    company.assign()
    owner = str(company.owner("salesforce", "001A"))
    accept_account(company.context, "Firma", owner)
    loaded = company.context.policy
    others = {id_: rep for id_, rep in loaded.roster.reps.items() if id_ != owner}
    company.adopt(replace(loaded, roster=Roster(others)))
    assert f"it belongs to {owner}." in accept_account(company.context, "Firma", "peter-novak")


def test_only_the_one_who_is_asked_or_their_manager_may_accept(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Firma", owner=None, **DACH)
    company.assign()
    with pytest.raises(NotYours, match="only they or their manager"):
        accept_account(company.context, "Firma", "dana-whitfield")
    with pytest.raises(NotYours, match="nobody on the roster"):
        accept_account(company.context, "Firma", "mallory")
    assert "is accepted for" in accept_account(company.context, "Firma", "peter-novak")


def test_an_offer_is_never_escalated_early_nor_twice(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Firma", owner=None, **DACH)
    company.assign()
    company.pass_time(hours=23.99)
    company.new_run()
    assert escalate_due(company.context).looked_at == 0
    company.pass_time(hours=0.02)
    assert escalate_due(company.context).looked_at == 1
    assert escalate_due(company.context).looked_at == 0


def test_each_new_owner_is_told_once_in_one_message(company: Rehearsal) -> None:
    for number in range(12):
        company.account("salesforce", f"001{number:02}", name=f"Firma {number}", owner=None, **DACH)
    company.assign()
    deliver_notices(company.context)
    deliver_notices(company.context)
    notices = list(company.notifier.delivered.values())
    assert sorted(notice.email.split("@")[0] for notice in notices) == ["jonas.keller", "sabine.hartmann"]
    assert {notice.subject for notice in notices} == {"You now own 6 accounts"}


def test_the_audit_accounts_for_every_record_and_reads_every_crm(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.account("salesforce", "001B", name="Broken", employees="many")
    company.account("hubspot", "77", name="Nowhere Ltd", employees=20)
    company.assign()
    company.push()
    complete = audit_completeness(company.context)
    assert complete.holds
    assert (complete.pulled, complete.linked, complete.excepted_rows) == (3, 2, 1)
    assert (complete.accounts, complete.owned, complete.waiting) == (2, 1, 1)
    assert audit_target(company.context, "salesforce").agree == 1
    assert audit_target(company.context, "hubspot").explained == 1
    assert audit_ledger(company.context) is None


def test_the_audit_finds_what_a_crm_shows_behind_our_back(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", **US_SMB)
    company.account("salesforce", "001B", name="Broken", employees="many")
    company.assign()
    company.push()
    company.account("salesforce", "001A", owner="dana-whitfield")
    truth = audit_target(company.context, "salesforce")
    assert truth.unexplained == ("001A",)
    assert company.exceptions() == {"bad_record": 1, "owner_differs": 1}
