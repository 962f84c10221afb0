"""Marketing is shown who is being worked: written where it differs, once, cleared when it is over, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.policy_files import LoadedPolicy
from config.settings import POLICY_DIR
from connectors.base import FieldChange, OwnerResult, WriteOutcome
from connectors.errors import RetryLater
from connectors.memory import MemoryTarget
from ownership.entries import SuppressionRule
from store.engine import Store
from store.suppression import Suppressions
from tasks.acceptance import accept_account
from tasks.breaker import pause, resume
from tasks.rehearsal import Rehearsal, rehearse
from tasks.suppression import show_suppression
from tests.faults.test_killed_anywhere import Killed, Steps
from tests.policies import read_policy

ACME = {"name": "Acme", "website": "acme.com", "country": "US", "state": "NY", "employees": 20}
ENTRIES = (
    SuppressionRule("hubspot", "hubspot", "companies", 14, "busy", "free_on"),
    SuppressionRule("salesforce", "salesforce", "Account", 7, flag="Busy__c"),
)
BUSY = {"busy": True, "free_on": "2026-12-07"}


def with_entries(*entries: SuppressionRule) -> LoadedPolicy:
    loaded = read_policy(POLICY_DIR)
    return replace(loaded, policy=replace(loaded.policy, suppression=entries))


def begin(folder: Path) -> Rehearsal:
    """Acme is in both CRMs and has just been offered to somebody; nothing is pushed."""
    company = rehearse(folder, with_entries(*ENTRIES))
    company.account("hubspot", "71", **ACME)
    company.account("salesforce", "0011", **ACME)
    company.assign()
    return company


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Rehearsal]:
    company = begin(tmp_path)
    yield company
    company.context.store.close()


def held(company: Rehearsal, source: str = "hubspot", id_: str = "71") -> dict[str, Any]:
    """What the record itself holds in the fields made for this."""
    stored = company.sources[source].stored("accounts", id_)
    return {name: stored.fields[name] for name in ("busy", "free_on", "Busy__c") if stored and name in stored.fields}


def writes(company: Rehearsal) -> list[Any]:
    return [change for target in company.targets.values() for change in target.fields]


def states(company: Rehearsal) -> dict[tuple[str, str], int]:
    with company.context.store.transaction(readonly=True) as uow:
        return dict(uow.suppressions.counts())


def show(company: Rehearsal) -> None:
    """What the scheduled push does for marketing, in a run of its own."""
    company.new_run()
    for target in company.targets:
        show_suppression(company.context, target)


def accept(company: Rehearsal) -> None:
    company.new_run()
    assert "accepted" in accept_account(company.context, "Acme", company.owner("hubspot", "71") or "")


def test_who_is_asked_is_shown_in_both_systems_and_a_second_run_writes_nothing(acme: Rehearsal) -> None:
    acme.push()
    assert (held(acme), held(acme, "salesforce", "0011")) == (BUSY, {"Busy__c": True})
    assert len(writes(acme)) == 2
    acme.push()
    assert len(writes(acme)) == 2
    assert states(acme) == {("hubspot", "written"): 1, ("salesforce", "written"): 1}


def test_accepting_counts_the_days_anew_and_when_they_are_over_all_is_cleared_once(acme: Rehearsal) -> None:
    acme.push()
    acme.pass_time(hours=20)
    accept(acme)
    show(acme)
    assert held(acme) == {"busy": True, "free_on": "2026-12-08"}
    acme.pass_time(days=15)
    show(acme)
    show(acme)
    assert (held(acme), held(acme, "salesforce", "0011")) == ({"busy": False, "free_on": None}, {"Busy__c": False})
    assert len(writes(acme)) == 5
    assert states(acme) == {}


def test_fields_the_policy_has_dropped_are_cleared(acme: Rehearsal) -> None:
    acme.push()
    acme.adopt(with_entries(replace(ENTRIES[0], flag="busy_now", date="")))
    show(acme)
    stored = acme.hubspot.stored("accounts", "71")
    assert stored is not None
    assert (stored.fields["busy_now"], held(acme)) == (True, {"busy": False, "free_on": None})
    assert held(acme, "salesforce", "0011") == {"Busy__c": False}


def test_a_customer_who_keeps_the_owner_a_crm_had_is_not_kept_from_marketing(tmp_path: Path) -> None:
    company = rehearse(tmp_path, with_entries(*ENTRIES))
    company.account("hubspot", "71", owner="ben-castillo", **ACME)
    company.assign()
    company.push()
    assert company.owner("hubspot", "71") == "ben-castillo"
    assert writes(company) == []
    company.context.store.close()


def answering(outcome: WriteOutcome, said: str = "") -> Callable[[Sequence[FieldChange]], tuple[OwnerResult, ...]]:
    return lambda changes: tuple(OwnerResult(each.remote_id, outcome, "NO", said) for each in changes)


def test_a_refusal_says_why_harms_only_itself_and_is_tried_again_a_day_later(
    acme: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = answering(WriteOutcome.REJECTED, "there is no property busy")
    monkeypatch.setattr(acme.targets["hubspot"], "update_fields", refusing)
    acme.push()
    assert held(acme, "salesforce", "0011") == {"Busy__c": True}
    assert acme.shown("hubspot", "71") == acme.owner("hubspot", "71")
    with acme.context.store.transaction(readonly=True) as uow:
        (item,) = uow.exceptions.open_items("suppression_rejected")
    assert "there is no property busy" in item.detail["problem"]
    monkeypatch.undo()
    acme.pass_time(hours=23)
    show(acme)
    assert held(acme) == {}
    acme.pass_time(hours=2)
    show(acme)
    assert held(acme) == BUSY
    assert "suppression_rejected" not in acme.exceptions()


def test_a_refusal_is_over_when_there_is_nothing_to_show_any_more(
    acme: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme.targets["hubspot"], "update_fields", answering(WriteOutcome.REJECTED))
    acme.push()
    acme.adopt(with_entries())
    show(acme)
    assert "suppression_rejected" not in acme.exceptions()
    assert states(acme) == {}


def test_a_write_whose_answer_was_lost_is_sent_again_and_cleared_though_it_was_never_confirmed(
    acme: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hubspot = acme.targets["hubspot"]

    def lost(changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        MemoryTarget.update_fields(hubspot, changes)
        return answering(WriteOutcome.UNKNOWN)(changes)

    monkeypatch.setattr(hubspot, "update_fields", lost)
    acme.push()
    assert (held(acme), states(acme)[("hubspot", "unknown")]) == (BUSY, 1)
    monkeypatch.undo()
    acme.adopt(with_entries())
    show(acme)
    assert held(acme) == {"busy": False, "free_on": None}


def test_a_system_that_is_away_is_said_and_gets_it_later(acme: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        raise RetryLater("hubspot", "is away")

    monkeypatch.setattr(acme.targets["hubspot"], "update_fields", away)
    acme.new_run()
    with pytest.raises(RetryLater):
        show_suppression(acme.context, "hubspot")
    monkeypatch.undo()
    show(acme)
    assert held(acme) == BUSY


def test_a_system_that_a_person_paused_is_shown_nothing_until_they_resume_it(acme: Rehearsal) -> None:
    pause(acme.context, "hubspot", "its fields are being changed")
    show(acme)
    assert (held(acme), len(writes(acme))) == ({}, 1), "only Salesforce is written to"
    resume(acme.context, "hubspot")
    show(acme)
    assert held(acme) == BUSY


def test_a_record_that_is_gone_is_let_go_without_a_word(acme: Rehearsal) -> None:
    acme.push()
    acme.hubspot.delete("accounts", "71")
    acme.assign()
    show(acme)
    assert "suppression_rejected" not in acme.exceptions()
    assert states(acme) == {("salesforce", "written"): 1}


def test_a_contact_who_is_no_lead_any_more_is_cleared_though_it_is_nobodys(tmp_path: Path) -> None:
    company = rehearse(tmp_path, with_entries(SuppressionRule("c", "hubspot", "contact", 14, "busy")))
    company.lead(
        "hubspot", "l1", name="Ada", company="Elsewhere", email="ada@elsewhere.com", country="US", consent=True
    )
    company.assign()
    company.push()
    stored = company.hubspot.stored("leads", "l1")
    assert stored is not None
    assert stored.fields["busy"] is True
    company.lead("hubspot", "l1", converted=True)
    company.assign()
    show(company)
    stored = company.hubspot.stored("leads", "l1")
    assert stored is not None
    assert stored.fields["busy"] is False
    assert states(company) == {}
    company.context.store.close()


def test_a_record_that_another_run_is_writing_is_left_to_it_until_its_lease_runs_out(
    acme: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        raise Killed

    monkeypatch.setattr(acme.targets["hubspot"], "update_fields", die)
    acme.new_run()
    with pytest.raises(Killed):
        show_suppression(acme.context, "hubspot")
    monkeypatch.undo()
    show(acme)
    assert held(acme) == {}
    acme.pass_time(seconds=acme.context.settings.push_lease_s + 1)
    show(acme)
    assert held(acme) == BUSY


def left_by_a_run_killed_anywhere(
    tmp_path: Path, control: Callable[[pytest.MonkeyPatch], None] | None = None
) -> list[set[Any]]:
    """What records hold that were being shown when the run was killed, at each place it can be, and then were to show
    nothing."""
    found: list[set[Any]] = []
    while True:
        folder = tmp_path / str(len(found))
        folder.mkdir()
        company, steps, finished = begin(folder), Steps(len(found) + 1), False
        with pytest.MonkeyPatch.context() as patch:
            if control:
                control(patch)
            patch.setattr(Store, "run", steps.around(Store.run))
            for target in company.targets.values():
                patch.setattr(target, "update_fields", steps.around(target.update_fields))
            try:
                show(company)
                finished = True
            except Killed:
                pass
        company.pass_time(seconds=company.context.settings.push_lease_s + 1)
        company.adopt(with_entries())
        show(company)
        found.append({*held(company).values(), *held(company, "salesforce", "0011").values()})
        assert states(company) == {}
        company.context.store.close()
        if finished:
            return found


@pytest.mark.slow
def test_killed_anywhere_and_started_again_nothing_is_left_behind(tmp_path: Path) -> None:
    found = left_by_a_run_killed_anywhere(tmp_path)
    assert len(found) > 8
    assert all(left <= {False, None} for left in found)


@pytest.mark.slow
def test_a_value_that_is_noted_only_once_it_was_written_is_left_behind(tmp_path: Path) -> None:
    """The control: of a run killed between the two, nothing is known."""

    def forgetful(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Suppressions, "claim", lambda _, before, values, *__: replace(before, shown=values))

    found = left_by_a_run_killed_anywhere(tmp_path, forgetful)
    assert any(True in left for left in found)
