"""The drift guard over real steps and a real database: what others wrote over our owners, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from config.settings import POLICY_DIR
from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import RetryLater
from connectors.memory import MemoryTarget
from ownership.drift import DriftGuard
from ownership.entries import NamedAccount
from ownership.placed_by_people import MayNot, Person
from ownership.policy import STEPS
from store.drift import DriftEvent, DriftEvents
from store.outbox import AttemptResult, OutboxRow
from tasks.assignment import assign_accounts
from tasks.audit import audit_target
from tasks.drift import Guarded, act_on_drift, note_differences
from tasks.drift_scan import find_differences
from tasks.drift_settling import release_target, restore_changed_by, restore_record
from tasks.drift_words import drift_lines
from tasks.explanation import exception_lines
from tasks.identity_words import Refused, Word
from tasks.matching import match_changed_accounts
from tasks.pull import pull_records
from tasks.rehearsal import Rehearsal, rehearse, user_id
from tasks.resolving import resolve
from tasks.scope import accounts_showing
from tests.policies import read_policy

pytestmark = pytest.mark.slow

US_SMB = {"country": "US", "state": "NY", "employees": 20}
SYNC = "005SYNC"
GUARD = DriftGuard(
    integrations=frozenset({f"salesforce/{SYNC}", f"hubspot/{SYNC}"}),
    steward_users=frozenset({"salesforce/steward", "hubspot/steward"}),
)
DANA = Word("dana", "asked the team")
Start = Callable[[DriftGuard], Rehearsal]


@pytest.fixture
def start(tmp_path: Path, store_url: str) -> Iterator[Start]:
    """A company under a policy with this guard: one account in both CRMs, owned, pushed and confirmed."""
    opened: list[Rehearsal] = []

    def found(guard: DriftGuard) -> Rehearsal:
        loaded = read_policy(POLICY_DIR)
        policy = replace(loaded, policy=replace(loaded.policy, drift=guard, order=STEPS))
        company = rehearse(tmp_path, policy, store_url)
        opened.append(company)
        company.account("salesforce", "001A", name="Acme", website="acme.com", owner="gary-sutton", **US_SMB)
        company.account("hubspot", "77", name="Acme", website="acme.com", owner="gary-sutton", **US_SMB)
        assign_and_push(company)
        return company

    yield found
    for company in opened:
        company.context.store.close()


@pytest.fixture
def company(start: Start) -> Rehearsal:
    """Gary, who has left, stood on Acme's records before us, and that is what a stale integration knows."""
    return start(GUARD)


def assign_and_push(company: Rehearsal) -> None:
    company.assign()
    company.push()


def guard(company: Rehearsal, lately_minutes: int | None = None) -> dict[str, Guarded]:
    """One run of the flow."""
    company.new_run()
    found = [find_differences(company.context, target, lately_minutes) for target in company.targets]
    note_differences(company.context, found)
    return {target: act_on_drift(company.context, target) for target in company.targets}


def set_owner(company: Rehearsal, source: str, id_: str, rep: str | None, by: str = SYNC) -> None:
    fields = {"owner_external_id": user_id(source, rep) if rep else None}
    company.sources[source].put("accounts", id_, fields, by=by)


def events(company: Rehearsal) -> list[DriftEvent]:
    with company.context.store.transaction(readonly=True) as uow:
        return uow.drift.recent(1000)


def told(company: Rehearsal) -> list[tuple[str, str, str, str]]:
    """Record, hand, action and state, newest first."""
    return [(event.remote_id, event.hand, event.action, event.state) for event in events(company)]


def problems(company: Rehearsal, kind: str) -> list[str]:
    with company.context.store.transaction(readonly=True) as uow:
        return [str(item.detail["problem"]) for item in uow.exceptions.open_items(kind)]


def written(company: Rehearsal) -> int:
    return sum(len(target.written) for target in company.targets.values())


# --- nothing happened ---


def test_where_nobody_changed_anything_the_guard_writes_nothing(company: Rehearsal) -> None:
    before = written(company)
    for minutes in (None, 15):
        assert all(each.events == {} for each in guard(company, minutes).values())
    company.push()
    assert (written(company), events(company), company.exceptions()) == (before, [], {})


def test_what_waits_to_be_pushed_is_no_drift(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", owner="gary-sutton", **US_SMB)
    company.assign()
    guard(company)
    assert events(company) == []


def test_an_owner_that_could_not_be_told_yet_is_no_drift(company: Rehearsal) -> None:
    """The record shows what we confirmed last, because a later push was refused: an exception tells of it already."""
    target, refuse = company.targets["salesforce"], WriteOutcome.REJECTED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, "update_owners", lambda cs: tuple(OwnerResult(c.remote_id, refuse, "NO") for c in cs))
        patch.setattr(target, "update_owner_if", lambda c, version: OwnerResult(c.remote_id, refuse, "NO"))
        move_to(company, "grace-liu")
        company.push()
    guard(company)
    assert [event for event in events(company) if event.target == "salesforce"] == []


def move_to(company: Rehearsal, rep: str) -> None:
    """A decision gives Acme to somebody: a named account in the policy."""
    loaded = company.context.policy
    named = (NamedAccount("acme.com", rep),)
    hashed = f"named for {rep}"
    company.adopt(replace(loaded, policy=replace(loaded.policy, named=named, policy_hash=hashed), policy_hash=hashed))
    company.assign()


def test_a_lead_that_became_a_contact_is_nobodys_to_guard_any_more(company: Rehearsal) -> None:
    company.lead("salesforce", "00Q1", name="Jo", company="Bolt", email="jo@bolt.com", owner="grace-liu", **US_SMB)
    assign_and_push(company)
    company.lead("salesforce", "00Q1", converted=True)
    company.assign()
    company.sources["salesforce"].put("leads", "00Q1", {"owner_external_id": None}, by=SYNC)
    guard(company)
    assert events(company) == []


def test_a_lead_is_guarded_like_an_account(company: Rehearsal) -> None:
    company.lead("salesforce", "00Q1", name="Jo", company="Bolt", email="jo@bolt.com", owner="grace-liu", **US_SMB)
    assign_and_push(company)
    company.sources["salesforce"].put("leads", "00Q1", {"owner_external_id": None}, by=SYNC)
    guard(company)
    assert [event[0] for event in told(company)] == ["00Q1"]


# --- a stale integration ---


def test_a_stale_integration_is_written_over_without_a_new_decision(company: Rehearsal) -> None:
    owner, history = company.owner("salesforce", "001A"), company.history("salesforce", "001A")
    turn = company.next_in("smb-amer") if "smb-amer" in _pools(company) else None
    set_owner(company, "salesforce", "001A", "gary-sutton")
    assert guard(company)["salesforce"].events == {"reassert": 1}
    company.push()
    assert company.shown("salesforce", "001A") == owner
    assert company.history("salesforce", "001A") == history
    assert turn is None or company.next_in("smb-amer") == turn
    assert told(company) == [("001A", "integration", "reassert", "done")]


def _pools(company: Rehearsal) -> set[str]:
    return {pool.id for pool in company.context.policy.policy.pools}


def test_the_exception_that_a_pull_had_opened_is_closed_once_the_owner_is_shown_again(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    company.assign()
    assert company.exceptions() == {"owner_drift": 1}
    assert guard(company, 15)["salesforce"].writes == 1, "the record was just found changed"
    company.push()
    company.assign()
    assert company.exceptions() == {}


def test_an_edit_between_decision_and_push_by_an_integration_is_written_over_too(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", owner="gary-sutton", **US_SMB)
    company.assign()
    set_owner(company, "salesforce", "001B", None)
    company.push()
    assert company.exceptions() == {"owner_drift": 1}
    guard(company)
    company.push()
    assert company.shown("salesforce", "001B") == company.owner("salesforce", "001B")


def test_a_second_scan_makes_no_second_row(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    for _ in range(3):
        guard(company)
    assert len(events(company)) == 1
    assert company.outbox()[("salesforce", "pending")] == 1


def test_the_newer_decision_wins_over_writing_the_old_owner_again(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    company.new_run()
    note_differences(company.context, [find_differences(company.context, name) for name in company.targets])
    move_to(company, "grace-liu")
    for _ in range(2):
        guard(company)
        company.push()
    assert company.shown("salesforce", "001A") == "grace-liu"


# --- a person ---


def test_a_persons_edit_is_held_and_the_person_is_told_who_and_how_to_settle_it(company: Rehearsal) -> None:
    before = written(company)
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    assert guard(company)["salesforce"].events == {"hold": 1}
    company.push()
    assert (company.shown("salesforce", "001A"), written(company)) == ("dana-whitfield", before)
    assert company.exceptions() == {"owner_drift": 1}
    assert "salesforce/005HUMAN changed it" in problems(company, "owner_drift")[0]
    company.assign()
    lines = "\n".join(exception_lines(company.context))
    assert "salesforce/005HUMAN changed it" in lines
    assert "steward drift restore salesforce/001A" in lines


def test_a_held_edit_stays_a_persons_when_an_integration_touches_the_record_later(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    guard(company)
    company.sources["salesforce"].put("accounts", "001A", {"phone": "1"}, by=SYNC)
    guard(company)
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    assert company.shown("salesforce", "001A") == "gary-sutton"
    assert [event.action for event in events(company)] == ["hold", "hold"]
    assert "somebody has been asked" in events(company)[0].because


def person_then_integration(company: Rehearsal) -> None:
    """Somebody gives Acme back to Gary, who had it before; a sync then touches another field, before any scan."""
    set_owner(company, "salesforce", "001A", "gary-sutton", by="005HUMAN")
    company.sources["salesforce"].put("accounts", "001A", {"phone": "1"}, by=SYNC)
    guard(company)
    company.push()


def test_an_edit_stays_a_persons_though_an_integration_touches_the_record_before_any_scan(company: Rehearsal) -> None:
    person_then_integration(company)
    assert company.shown("salesforce", "001A") == "gary-sutton"
    assert [(event.hand, event.action, event.modified_by) for event in events(company)] == [
        ("person", "hold", "005HUMAN")
    ]


def test_without_the_systems_history_such_an_edit_passes_for_the_integrations(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the history is read: it is the one thing that tells the two apart."""
    monkeypatch.setattr(MemoryTarget, "who_set", lambda self, shown, object_type: {})
    owner = company.owner("salesforce", "001A")
    person_then_integration(company)
    assert company.shown("salesforce", "001A") == owner


def test_an_edit_that_the_person_took_back_is_settled_and_protects_nothing_afterwards(company: Rehearsal) -> None:
    owner = company.owner("salesforce", "001A")
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    guard(company)
    set_owner(company, "salesforce", "001A", owner, by="005HUMAN")
    guard(company)
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    assert company.shown("salesforce", "001A") == owner
    assert [event[1:] for event in told(company)] == [
        ("integration", "reassert", "done"),
        ("person", "hold", "overtaken"),
    ]


def test_an_accepted_edit_is_adopted_by_the_next_run_once_the_guard_knows_it_is_a_persons(start: Start) -> None:
    company = start(replace(GUARD, human_edit="accept"))
    owner = company.owner("salesforce", "001A")
    set_owner(company, "salesforce", "001A", "grace-liu", by="005HUMAN")
    company.assign()
    assert company.owner("salesforce", "001A") == owner, "nobody knows yet whose hand it was"
    guard(company, 15)
    assign_and_push(company)
    assert (company.owner("salesforce", "001A"), company.shown("hubspot", "77")) == ("grace-liu", "grace-liu")


def test_where_edits_are_accepted_a_stale_integration_is_not_adopted(start: Start) -> None:
    company = start(replace(GUARD, human_edit="accept"))
    move_to(company, "grace-liu")
    company.push()
    move_to_nobody_in_particular(company)
    owner = company.owner("salesforce", "001A")
    set_owner(company, "salesforce", "001A", "dana-whitfield", by=SYNC)
    company.assign()
    guard(company)
    company.assign()
    assert company.owner("salesforce", "001A") == owner


def move_to_nobody_in_particular(company: Rehearsal) -> None:
    loaded = company.context.policy
    hashed = "nobody is named"
    company.adopt(replace(loaded, policy=replace(loaded.policy, named=(), policy_hash=hashed), policy_hash=hashed))
    company.assign()


# --- settling ---


def test_a_person_may_have_the_owner_shown_again(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    guard(company)
    assert "shows its owner of record again" in restore_record(company.context, "salesforce/001A", DANA)
    assign_and_push(company)
    company.assign()
    assert company.shown("salesforce", "001A") == company.owner("salesforce", "001A")
    assert company.exceptions() == {}
    assert "as dana asked (asked the team)" in "\n".join(drift_lines(company.context, None, 10))


def test_what_one_user_changed_may_be_restored_at_once(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005OLD-TOOL")
    guard(company)
    said = restore_changed_by(company.context, "salesforce/005OLD-TOOL", DANA)
    assert said.startswith("1 records that salesforce/005OLD-TOOL changed")
    company.push()
    assert company.shown("salesforce", "001A") == company.owner("salesforce", "001A")


def test_only_what_is_held_or_stopped_can_be_settled(company: Rehearsal) -> None:
    with pytest.raises(Refused, match="holds no record salesforce/001A"):
        restore_record(company.context, "salesforce/001A", DANA)
    with pytest.raises(Refused, match="no record that salesforce/005X changed"):
        restore_changed_by(company.context, "salesforce/005X", DANA)
    with pytest.raises(Refused, match="nothing is stopped in salesforce"):
        release_target(company.context, "salesforce", DANA)
    with pytest.raises(Refused, match="no system 'pipedrive' is connected; there are: hubspot, salesforce"):
        release_target(company.context, "pipedrive", DANA)


def test_the_list_says_what_was_found_by_whom_and_what_was_done(company: Rehearsal) -> None:
    assert list(drift_lines(company.context, None, 10)) == ["No system has shown an owner that others wrote."]
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    record, done = drift_lines(company.context, "salesforce", 10)
    assert "salesforce/001A" in record
    assert "Acme: " in record
    assert record.endswith("Gary Sutton found")
    assert f"by {SYNC} (integration): salesforce/{SYNC} is an integration; written again" in done


# --- a late write of ours ---


def test_a_write_of_ours_that_lands_late_is_healed_within_one_reconcile_period(start: Start) -> None:
    company = start(GUARD)
    target, kept = company.targets["salesforce"], list[OwnerChange]()
    with pytest.MonkeyPatch.context() as patch:
        keep_for_later(target, kept, patch)
        move_to(company, "grace-liu")
        company.push()
    move_to_nobody_in_particular(company)
    move_to(company, "dana-whitfield")
    company.pass_time(minutes=2)
    company.push()
    owner = company.owner("salesforce", "001A")
    assert (company.shown("salesforce", "001A"), owner) == ("dana-whitfield", "dana-whitfield")
    target.update_owners(kept)
    assert company.shown("salesforce", "001A") == "grace-liu"
    company.pass_time(minutes=5)
    assert guard(company, 15)["salesforce"].events == {"reassert": 1}
    company.push()
    assert company.shown("salesforce", "001A") == owner
    assert told(company)[0][1] == "ours"


def keep_for_later(target: MemoryTarget, kept: list[OwnerChange], patch: pytest.MonkeyPatch) -> None:
    """The vendor takes writes, answers nothing, and carries them out only when somebody replays them."""

    def silent(changes: list[OwnerChange]) -> tuple[OwnerResult, ...]:
        kept.extend(changes)
        return tuple(OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NO_ANSWER") for change in changes)

    patch.setattr(target, "update_owners", silent)
    patch.setattr(target, "update_owner_if", lambda change, version: silent([change])[0])


def test_the_reconcile_reads_only_what_was_settled_lately(company: Rehearsal) -> None:
    company.pass_time(hours=1)
    company.account("salesforce", "001B", name="Bolt", owner="gary-sutton", **US_SMB)
    assign_and_push(company)
    assert find_differences(company.context, "salesforce", 15).read == 1
    assert find_differences(company.context, "salesforce").read == 2


# --- the breaker ---


def book(company: Rehearsal, count: int) -> list[str]:
    ids = [f"002{number:03}" for number in range(count)]
    for id_ in ids:
        company.account("salesforce", id_, name=f"Company {id_}", owner="gary-sutton", **US_SMB)
    assign_and_push(company)
    return ids


def test_a_storm_stops_the_guard_and_asks_one_person_once(company: Rehearsal) -> None:
    ids, before = book(company, 40), 0
    for id_ in ids[:25]:
        set_owner(company, "salesforce", id_, "gary-sutton")
    before = written(company)
    guarded = guard(company)
    guard(company)
    company.push()
    assert (guarded["salesforce"].events, written(company)) == ({"stopped": 25}, before)
    assert company.exceptions() == {"drift_storm": 1}
    (problem,) = problems(company, "drift_storm")
    assert problem.startswith("25 of 41 records of salesforce were given another owner within a day")


def test_a_storm_is_released_from_its_exception_by_ops_alone_and_the_owners_are_written_again(
    company: Rehearsal,
) -> None:
    ids = book(company, 25)
    for id_ in ids:
        set_owner(company, "salesforce", id_, "gary-sutton")
    guard(company)
    with company.context.store.transaction(readonly=True) as uow:
        (item,) = uow.exceptions.open_items("drift_storm")
    with pytest.raises(MayNot, match="Only sales operations"):
        resolve(company.context, item.exception_id, "release", Person("peter-novak", "manager"), "a stale sync")
    resolve(company.context, item.exception_id, "release", Person("ops@x.example", "ops"), "a stale sync")
    company.push()
    with company.context.store.transaction(readonly=True) as uow:
        assert uow.exceptions.get(item.exception_id).resolved_by == "ops@x.example"
    assert all(company.shown("salesforce", id_) == company.owner("salesforce", id_) for id_ in ids)


def test_a_storm_that_runs_have_pulled_is_one_exception_and_no_other(company: Rehearsal) -> None:
    for id_ in book(company, 25):
        set_owner(company, "salesforce", id_, "gary-sutton")
    company.assign()
    assert company.exceptions() == {"owner_drift": 25}
    guard(company)
    company.assign()
    assert company.exceptions() == {"drift_storm": 1}
    release_target(company.context, "salesforce", DANA)
    company.push()
    company.assign()
    assert company.exceptions() == {}


def test_a_storm_in_one_system_does_not_stop_another(company: Rehearsal) -> None:
    for id_ in book(company, 25):
        set_owner(company, "salesforce", id_, "gary-sutton")
    set_owner(company, "hubspot", "77", "gary-sutton")
    assert guard(company)["hubspot"].events == {"reassert": 1}


def test_nothing_more_is_written_in_a_stopped_system_until_a_person_releases_it(company: Rehearsal) -> None:
    ids = book(company, 25)
    for id_ in ids[:24]:
        set_owner(company, "salesforce", id_, "gary-sutton")
    guard(company)
    company.pass_time(days=3)
    set_owner(company, "salesforce", ids[24], "gary-sutton")
    assert guard(company)["salesforce"].events == {"stopped": 1}
    said = release_target(company.context, "salesforce", DANA)
    assert said.startswith("25 events in salesforce are released: 25 records are written again")
    company.push()
    assert {company.shown("salesforce", id_) for id_ in ids}.isdisjoint({"gary-sutton"})
    company.assign()
    assert (guard(company)["salesforce"].events, company.exceptions()) == ({}, {})


def test_a_trickle_over_a_day_is_a_storm_too(company: Rehearsal) -> None:
    ids = book(company, 25)
    done = []
    for id_ in ids:
        set_owner(company, "salesforce", id_, "gary-sutton")
        done.append(guard(company)["salesforce"].events)
        company.push()
        company.pass_time(minutes=30)
    assert done == [{"reassert": 1}] * 19 + [{"stopped": 1}] * 6


def test_persons_edits_in_a_released_storm_are_held_one_by_one(company: Rehearsal) -> None:
    ids = book(company, 25)
    for number, id_ in enumerate(ids):
        set_owner(company, "salesforce", id_, "gary-sutton", by="005HUMAN" if number < 5 else SYNC)
    guard(company)
    release_target(company.context, "salesforce", DANA)
    company.push()
    assert [company.shown("salesforce", id_) == "gary-sutton" for id_ in ids] == [True] * 5 + [False] * 20
    assert company.exceptions() == {"owner_drift": 5}


# --- kills, outages, races ---


@pytest.mark.parametrize("made", ["nothing", "everything"], ids=["before it made anything", "before it said so"])
def test_a_run_killed_between_noting_and_acting_is_finished_by_the_next(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    set_owner(company, "hubspot", "77", "dana-whitfield", by="77")
    killed_once(monkeypatch, made)
    with pytest.raises(KeyboardInterrupt):
        guard(company)
    assert {event.state for event in events(company)} == {"noted"}
    assert company.outbox().get(("salesforce", "pending")) is None
    guard(company)
    guard(company)
    assert {event[1:] for event in told(company)} == {
        ("integration", "reassert", "done"),
        ("person", "hold", "done"),
    }
    assert company.outbox()[("salesforce", "pending")] == 1
    assert company.exceptions() == {"owner_drift": 1}


def killed_once(monkeypatch: pytest.MonkeyPatch, made: str) -> None:
    """The process dies while it acts: before it made anything, or before it could say that it had."""
    settle = DriftEvents.settle

    def dies_before(self: DriftEvents, *args: Any) -> Any:
        monkeypatch.undo()
        raise KeyboardInterrupt

    def dies_after(self: DriftEvents, ids: Iterable[str], state: str, now: datetime) -> None:
        if state == "done":
            monkeypatch.undo()
            raise KeyboardInterrupt
        settle(self, ids, state, now)

    if made == "nothing":
        monkeypatch.setattr(DriftEvents, "write_again", dies_before)
    else:
        monkeypatch.setattr(DriftEvents, "settle", dies_after)


def test_an_account_with_a_record_in_a_system_out_of_reach_waits_for_the_next_scan(company: Rehearsal) -> None:
    ids = book(company, 1)
    set_owner(company, "salesforce", "001A", "gary-sutton")
    set_owner(company, "salesforce", ids[0], "gary-sutton")
    company.hubspot.fail_with = RetryLater("hubspot", "away")
    with pytest.raises(RetryLater):
        find_differences(company.context, "hubspot")
    company.new_run()
    note_differences(company.context, [find_differences(company.context, "salesforce")])
    act_on_drift(company.context, "salesforce")
    assert [event.remote_id for event in events(company)] == ids
    guard(company)
    assert {event.remote_id for event in events(company)} == {"001A", *ids}


def test_what_is_decided_while_the_book_is_read_is_no_drift(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    found = [find_differences(company.context, name) for name in company.targets]
    guard(company)
    company.push()
    with company.context.store.transaction(readonly=True) as uow:
        before = len(uow.drift.recent(10))
    company.new_run()
    assert note_differences(company.context, found) == 0, "what was read is older than what was confirmed"
    assert len(events(company)) == before


def test_a_record_changed_between_scan_and_push_is_not_written_over(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    company.push()
    assert company.shown("salesforce", "001A") == "dana-whitfield"
    assert company.exceptions() == {"owner_drift": 1}


def test_a_person_who_sets_an_owner_we_once_sent_before_the_push_is_not_written_over(company: Rehearsal) -> None:
    move_to(company, "grace-liu")
    company.push()
    move_to(company, "dana-whitfield")
    company.push()
    move_to(company, "ben-castillo")
    set_owner(company, "salesforce", "001A", "grace-liu", by="005HUMAN")
    company.push()
    assert company.shown("salesforce", "001A") == "grace-liu"
    assert company.exceptions() == {"owner_drift": 1}


def test_a_decision_made_while_the_one_before_is_pushed_finds_that_one_on_the_record(company: Rehearsal) -> None:
    move_to(company, "grace-liu")
    row = claim_one(company)
    move_to(company, "dana-whitfield")
    company.targets["salesforce"].update_owners([OwnerChange("Account", "001A", user_id("salesforce", "grace-liu"))])
    settle_written(company, row)
    company.push()
    assert (company.shown("salesforce", "001A"), company.exceptions()) == ("dana-whitfield", {})


def claim_one(company: Rehearsal) -> OutboxRow:
    now = company.context.now()
    (row,) = company.context.store.run(lambda uow: uow.outbox.claim("salesforce", 10, "a push", 60, now))
    return row


def settle_written(company: Rehearsal, row: OutboxRow) -> None:
    now = company.context.now()
    done = AttemptResult("written", "", "", row.desired_owner, "a push", now, now)
    company.context.store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "confirmed", done))


def test_the_webhook_of_our_own_write_makes_nothing(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    before, told_before = written(company), told(company)
    company.new_run()
    pull_records(company.context, "salesforce", ["001A"])
    match_changed_accounts(company.context)
    done = assign_accounts(company.context, accounts_showing("salesforce", ["001A"]))
    guard(company, 15)
    company.push()
    assert (done.recorded, done.writes, written(company), told(company)) == (0, 0, before, told_before)


def test_the_audit_knows_what_the_guard_holds(company: Rehearsal) -> None:
    set_owner(company, "salesforce", "001A", "dana-whitfield", by="005HUMAN")
    guard(company)
    assert audit_target(company.context, "salesforce").unexplained == ()


def test_the_audit_does_not_repeat_a_storm_record_by_record(company: Rehearsal) -> None:
    ids = book(company, 25)
    for id_ in ids:
        set_owner(company, "salesforce", id_, "gary-sutton")
    guard(company)
    assert audit_target(company.context, "salesforce").explained == 25
    assert company.exceptions() == {"drift_storm": 1}


# --- incidents: the two-way owner mapping between HubSpot and Salesforce ---


def test_hubspot_salesforce_sync_that_puts_a_stale_owner_back_each_night_ends_with_a_person(company: Rehearsal) -> None:
    """The mapping of owners can only be two-way, and the latest value wins: the stale one of last year, each night."""
    owner, nights = company.owner("salesforce", "001A"), []
    for _ in range(6):
        company.pass_time(days=1)
        set_owner(company, "salesforce", "001A", "gary-sutton")
        guard(company)
        company.push()
        nights.append(company.shown("salesforce", "001A") == owner)
    assert nights == [True, True, True, False, False, False]
    assert company.exceptions() == {"owner_drift": 1}
    assert "3 times within 7 days and still comes back" in problems(company, "owner_drift")[0]


def test_hubspot_salesforce_sync_that_cannot_match_an_owner_makes_itself_the_owner(company: Rehearsal) -> None:
    """A HubSpot owner without a Salesforce user: the record goes to the integration's own user."""
    company.sources["salesforce"].put("accounts", "001A", {"owner_external_id": SYNC}, by=SYNC)
    guard(company)
    company.push()
    assert company.shown("salesforce", "001A") == company.owner("salesforce", "001A")


def test_hubspot_salesforce_sync_that_carries_a_persons_edit_across_is_not_written_over(company: Rehearsal) -> None:
    """Somebody gives the company to Gary again in HubSpot, and the sync copies that to Salesforce as its own write."""
    set_owner(company, "hubspot", "77", "gary-sutton", by="77")
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    assert (company.shown("salesforce", "001A"), company.shown("hubspot", "77")) == ("gary-sutton", "gary-sutton")
    assert {event.action for event in events(company)} == {"hold"}


def test_hubspot_salesforce_sync_that_carries_an_edit_across_days_after_it_was_held_is_not_written_over(
    company: Rehearsal,
) -> None:
    set_owner(company, "hubspot", "77", "gary-sutton", by="77")
    guard(company)
    company.pass_time(days=2)
    company.assign()
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    assert company.shown("salesforce", "001A") == "gary-sutton"
    assert [event.action for event in events(company)] == ["hold", "hold"]


def test_hubspot_salesforce_sync_and_our_writes_do_not_chase_each_other(company: Rehearsal) -> None:
    """Each of our writes into one CRM comes back from the other with the value of before."""
    for _ in range(10):
        set_owner(company, "hubspot", "77", "gary-sutton")
        set_owner(company, "salesforce", "001A", "gary-sutton")
        guard(company, 15)
        company.push()
        company.pass_time(minutes=5)
    by_record = [event.remote_id for event in events(company) if event.action == "reassert"]
    assert (by_record.count("001A"), by_record.count("77")) == (3, 3)
    assert company.exceptions() == {"owner_drift": 2}


def test_without_a_named_integration_everything_is_a_persons(start: Start) -> None:
    company = start(DriftGuard())
    set_owner(company, "salesforce", "001A", "gary-sutton")
    guard(company)
    company.push()
    assert company.shown("salesforce", "001A") == "gary-sutton"
    assert [event[1:3] for event in told(company)] == [("person", "hold")]
