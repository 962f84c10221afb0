"""Push: whose write counts when several come close, and which systems are left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cli import targets
from config.policy_files import LoadedPolicy, load_policy
from connectors.base import ObservedOwner, OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from store.targets import TargetState
from tasks.breaker import LONGEST_WAIT_S, OPENS_AFTER, after_failure, pause, resume
from tasks.push import push_target
from tasks.push_paths import ONE_BY_ONE_UP_TO, one_by_one
from tasks.rehearsal import START, Rehearsal, rehearse, user_id

ID = "001A"


def policy(folder: Path, owner: str) -> LoadedPolicy:
    people = [
        {"id": id_, "name": id_, "email": f"{id_}@x.example", "role": "ae", "team": "t"} for id_ in ("ann", "bob")
    ]
    named = [{"domain": "acorn.com", "owner": owner}]
    documents = {
        "policy": {
            "apiVersion": "steward/v1", "kind": "Policy", "name": "P", "named": named,
            "order": ["do_not_route", "gate", "named", "parent_owner", "existing_owner", "territory"],
            "territories": [{"id": "world", "owner": "bob"}],
        },
        "roster": {"apiVersion": "steward/v1", "kind": "Roster", "reps": people},
    }  # fmt: skip
    for name, document in documents.items():
        (folder / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")
    return load_policy(folder)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    """Acorn is Bob's by decision and nobody's in Salesforce yet."""
    made = rehearse(tmp_path, policy(tmp_path, "bob"))
    made.account("salesforce", ID, name="Acorn", website="acorn.com", owner=None)
    made.assign()
    yield made
    made.context.store.close()


def push(company: Rehearsal) -> dict[str, int]:
    company.new_run()
    return dict(push_target(company.context, "salesforce").states)


def no_answer(changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
    return tuple(OwnerResult(change.remote_id, WriteOutcome.UNKNOWN) for change in changes)


@pytest.mark.parametrize("late_s", [10, 60])
def test_a_write_the_vendor_does_late_does_not_win_over_a_newer_owner(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late_s: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(company.targets["salesforce"], "update_owners", no_answer)
        assert push(company) == {"unknown": 1}
    company.adopt(policy(tmp_path, "ann"))
    company.assign()
    assert company.owner("salesforce", ID) == "ann"
    company.pass_time(seconds=late_s - 1)
    assert push(company) == {}, "the newer owner waits until the older write can no longer happen"
    company.pass_time(seconds=1)
    company.salesforce.put("accounts", ID, {"owner_external_id": user_id("salesforce", "bob")}, by="steward")
    company.pass_time(minutes=2)
    assert push(company) == {"superseded": 1, "confirmed": 1}
    assert company.shown("salesforce", ID) == "ann"


@pytest.mark.parametrize("on_condition", [True, False])
def test_a_worker_held_up_before_its_read_does_not_write_over_a_newer_owner_who_was_there_before(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_condition: bool
) -> None:
    """Ann, Bob, and Ann again: what the worker for Bob reads at last is just what it expects to find."""
    target = company.targets["salesforce"]
    target.compare_and_set = frozenset({"Account"} if on_condition else ())
    push(company)
    for owner in ("ann", "bob"):
        company.adopt(policy(tmp_path, owner))
        company.assign()
        if owner == "ann":
            assert push(company) == {"confirmed": 1}
    read, times = target.read_owners, iter([1])

    def held_up(remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        if next(times, None):
            company.pass_time(minutes=5)
            company.adopt(policy(tmp_path, "ann"))
            company.assign()
            push(company)
        return read(remote_ids, object_type)

    monkeypatch.setattr(target, "read_owners", held_up)
    written = len(target.written)
    push(company)
    assert company.owner("salesforce", ID) == "ann"
    assert company.shown("salesforce", ID) == "ann"
    assert [change.owner_id for change in target.written[written:]] == []


def test_an_edit_between_our_read_and_our_write_is_not_written_over(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = company.targets["salesforce"]
    target.compare_and_set = frozenset({"Account"})
    write = target.update_owner_if

    def edited_first(change: OwnerChange, version: str) -> OwnerResult:
        company.account("salesforce", ID, owner="ann")
        return write(change, version)

    monkeypatch.setattr(target, "update_owner_if", edited_first)
    assert push(company) == {"pending": 1, "rejected": 1}
    assert company.shown("salesforce", ID) == "ann"
    assert company.exceptions() == {"owner_drift": 1}
    assert target.written == []


def test_an_edit_of_anything_else_in_between_costs_one_more_read(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = company.targets["salesforce"]
    target.compare_and_set = frozenset({"Account"})
    write, edits = target.update_owner_if, iter(["555-1", "555-2"])

    def edited_first(change: OwnerChange, version: str) -> OwnerResult:
        if phone := next(edits, None):
            company.account("salesforce", ID, phone=phone)
        return write(change, version)

    monkeypatch.setattr(target, "update_owner_if", edited_first)
    assert push(company) == {"pending": 2}
    company.pass_time(minutes=1)
    assert push(company) == {"confirmed": 1}


@given(st.lists(st.sampled_from(["Account", "Lead"]), max_size=30))
def test_only_few_records_of_what_can_be_compared_go_singly(kinds: list[str]) -> None:
    singly = one_by_one(kinds, {"Account"})
    assert singly == ({"Account"} if 0 < kinds.count("Account") <= ONE_BY_ONE_UP_TO else set())


def test_nothing_is_written_to_a_paused_system_until_it_is_resumed(company: Rehearsal) -> None:
    pause(company.context, "salesforce", "the org is being moved")
    company.new_run()
    assert push_target(company.context, "salesforce").held == "paused: the org is being moved"
    assert company.shown("salesforce", ID) is None
    resume(company.context, "salesforce")
    assert push(company) == {"confirmed": 1}


def test_a_system_that_keeps_failing_is_left_alone_then_tried_again(company: Rehearsal) -> None:
    for _ in range(OPENS_AFTER):
        company.salesforce.fail_with = RetryLater("salesforce", "down")
        with pytest.raises(RetryLater):
            push(company)
        company.pass_time(seconds=30)
    company.salesforce.fail_with = error = RetryLater("salesforce", "down")
    with pytest.raises(RetryLater, match="left alone"):
        push(company)
    assert company.salesforce.fail_with is error, "it was not asked"
    company.salesforce.fail_with = None
    company.pass_time(minutes=2)
    assert push(company) == {"confirmed": 1}


def test_a_retry_after_is_kept_from_the_first_failure(company: Rehearsal) -> None:
    company.salesforce.fail_with = RetryLater("salesforce", "busy", retry_after_s=300)
    with pytest.raises(RetryLater):
        push(company)
    company.pass_time(seconds=299)
    with pytest.raises(RetryLater, match="left alone"):
        push(company)
    company.pass_time(seconds=1)
    assert push(company) == {"confirmed": 1}


def test_revoked_credentials_are_an_exception_with_the_mend_until_the_system_answers(company: Rehearsal) -> None:
    company.salesforce.fail_with = ConnectorStopped("salesforce", "token revoked", mend="Set a new secret")
    with pytest.raises(ConnectorStopped):
        push(company)
    assert company.exceptions() == {"target_stopped": 1}
    with pytest.raises(ConnectorStopped, match="Set a new secret"):
        push(company)
    company.pass_time(minutes=1)
    assert push(company) == {"confirmed": 1}
    assert company.exceptions() == {}


@given(st.integers(0, 5000), st.none() | st.floats(0, 90_000))
def test_no_system_is_left_alone_longer_than_an_hour_unless_it_asks(failures: int, asked: float | None) -> None:
    problem = RetryLater("salesforce", "busy", retry_after_s=asked)
    retry_at = after_failure(TargetState("salesforce", failures=failures), problem, START).retry_at
    assert retry_at is not None
    assert timedelta(seconds=asked or 0) <= retry_at - START <= timedelta(seconds=max(LONGEST_WAIT_S, asked or 0))


# --- what people see and say ---


def say(company: Rehearsal, monkeypatch: pytest.MonkeyPatch, command: Command, *words: str) -> str:
    monkeypatch.setattr("tasks.context.open_context", lambda *_: company.context)
    result = CliRunner().invoke(command, words)
    assert result.exit_code == (2 if "Error" in result.output else 0), result.output
    return result.output


def test_a_paused_system_is_said_to_be_and_goes_on_when_resumed(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "steward resume salesforce" in say(company, monkeypatch, targets.pause, "salesforce", "--because", "sandbox")
    push(company)
    said = say(company, monkeypatch, targets.pushes, "--target", "salesforce")
    assert "paused since" in said
    assert "sandbox" in said
    assert "pending            1" in said
    say(company, monkeypatch, targets.resume, "salesforce")
    push(company)
    said = say(company, monkeypatch, targets.pushes)
    assert "is written to" in said
    assert "confirmed          1" in said


def test_a_refused_record_is_listed_with_the_vendors_words_and_what_to_do(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = OwnerResult(
        ID, WriteOutcome.REJECTED, "TRANSFER_REQUIRES_READ", "The new owner must have read permission"
    )
    monkeypatch.setattr(company.targets["salesforce"], "update_owners", lambda _: (refusal,))
    push(company)
    said = say(company, monkeypatch, targets.pushes)
    assert f"push_rejected      {ID}  TRANSFER_REQUIRES_READ The new owner must have read permission" in said
    assert "Give the new owner read access" in said


def test_a_system_there_is_not_is_named_with_those_there_are(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there are hubspot, salesforce" in say(company, monkeypatch, targets.pause, "salesforze")


def test_a_missing_field_leaves_the_rows_for_the_next_push_and_holds_none_under_a_lease(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = SchemaChanged("salesforce", "OwnerId is not there", code="INVALID_FIELD")

    def refuse(*_: object) -> None:
        raise gone

    with monkeypatch.context() as patch:
        patch.setattr(company.targets["salesforce"], "read_owners", refuse)
        with pytest.raises(SchemaChanged):
            push(company)
    company.pass_time(minutes=1)
    assert push(company) == {"confirmed": 1}
