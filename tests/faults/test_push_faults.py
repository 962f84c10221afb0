"""What vendors do to a push and to the audit after it. Afterwards every record shows its owner of record, or an
exception says why, and nothing was sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Lock

import pytest

from connectors.base import ObservedOwner, OutsideUser, OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import ConnectorError, ConnectorStopped, RetryLater
from store.errors import StoreUnavailable
from tasks.assignment import assign_accounts
from tasks.audit import audit_completeness, audit_target
from tasks.matching import match_accounts
from tasks.pull import pull_people, pull_stream
from tasks.push import push_target
from tasks.rehearsal import Rehearsal
from tests.faults.databases import full
from tests.faults.outside import TROUBLE_IDS, TROUBLES, answer, decided, push, shown, stop_the_clock, written
from tests.faults.steps import DACH, FIRMS, assigned, edited_outside, founded, pushed

HOSTILE = {
    "bytes-that-are-no-text": "Firma \udcff\udcfe",
    "a-name-of-400-kB": "Firma " + "x" * 400_000,
    "right-to-left": "Firma \u202egnp.exe",
    "a-null-character": "Firma \x00 GmbH",
    "a-formula": '=HYPERLINK("http://evil.example","Firma")',
}


@pytest.mark.parametrize("retry_after_s", [None, 0.0, 30.0, 86_400.0])
def test_a_vendor_that_is_busy_gets_every_owner_later_and_once(company: Rehearsal, retry_after_s: float | None) -> None:
    assigned(company)
    company.salesforce.fail_with = RetryLater("salesforce", "busy", code="429", retry_after_s=retry_after_s)
    push(company)
    assert company.outbox() == {("salesforce", "pending"): len(FIRMS)}
    push(company, minutes=24 * 60 + 1)
    assert shown(company) == decided(company)
    assert written(company) == list(FIRMS)


@pytest.mark.parametrize(
    "outage",
    [RetryLater("salesforce", "HTTP 503"), ConnectorStopped("salesforce", "the session is no longer valid")],
    ids=["5xx", "a-token-that-was-revoked"],
)
def test_an_outage_costs_a_call_for_each_push_and_no_try_of_any_row(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, outage: ConnectorError
) -> None:
    assigned(company)
    calls: list[int] = []

    def away(*_: object) -> tuple[ObservedOwner, ...]:
        calls.append(1)
        raise outage

    with monkeypatch.context() as patch:
        patch.setattr(company.targets["salesforce"], "read_owners", away)
        for _ in range(3):
            push(company)
    assert len(calls) <= 3
    push(company)
    assert shown(company) == decided(company)
    with company.context.store.transaction(readonly=True) as work:
        rows = [row for id_ in work.ledger.current() for row in work.outbox.of_account(id_)]
    assert {row.attempts for row in rows} == {1}


def test_of_a_batch_the_refused_rows_alone_become_exceptions(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned(company)
    refused = {FIRMS[0], FIRMS[2], FIRMS[4]}
    no = OwnerResult("", WriteOutcome.REJECTED, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "a rule of the org says no")
    answer(company.targets["salesforce"], monkeypatch, lambda change: no if change.remote_id in refused else None)
    push(company)
    with company.context.store.transaction(readonly=True) as work:
        found = {item.detail["record"]: item.detail["problem"] for item in work.exceptions.open_items("push_rejected")}
    assert found == dict.fromkeys(refused, "a rule of the org says no")
    assert written(company) == [FIRMS[1], FIRMS[3]]


def test_a_row_that_stays_locked_is_given_to_a_person_after_a_few_tries(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned(company)
    lock = OwnerResult("", WriteOutcome.RETRY, "UNABLE_TO_LOCK_ROW", "locked by another user")
    answer(company.targets["salesforce"], monkeypatch, lambda change: lock if change.remote_id == FIRMS[1] else None)
    for _ in range(12):
        push(company, minutes=61)
    assert company.exceptions() == {"push_rejected": 1}
    assert written(company) == [id_ for id_ in FIRMS if id_ != FIRMS[1]]


def test_a_record_deleted_before_its_push_is_said_to_be_gone_and_the_others_are_written(company: Rehearsal) -> None:
    assigned(company)
    company.salesforce.delete("accounts", FIRMS[3])
    push(company)
    assert company.exceptions() == {"record_gone": 1}
    assert written(company) == [id_ for id_ in FIRMS if id_ != FIRMS[3]]


@pytest.mark.parametrize("known", [True, False], ids=["and-we-know", "and-we-do-not-know-yet"])
def test_an_owner_who_left_between_decision_and_push_is_written_nowhere(company: Rehearsal, known: bool) -> None:
    assigned(company)
    left = str(company.owner("salesforce", FIRMS[0]))
    theirs = [id_ for id_, owner in decided(company).items() if owner == left]
    target = company.targets["salesforce"]
    target.set_users([OutsideUser(u.id, u.name, u.email, u.id != f"salesforce-{left}") for u in target.users()])
    if known:
        pull_people(company.context, "salesforce")
    push(company)
    assert company.exceptions() == {"owner_has_no_user" if known else "push_rejected": len(theirs)}
    assert written(company) == [id_ for id_ in FIRMS if id_ not in theirs]


def test_an_owner_who_is_inactive_in_one_system_is_written_in_no_other_until_they_are_back(company: Rehearsal) -> None:
    for source, id_ in (("salesforce", "001A"), ("hubspot", "7")):
        company.account(source, id_, name="Zebra", website="zebra.de", owner=None, **DACH)
    company.assign()
    owner = str(company.owner("hubspot", "7"))
    target = company.targets["salesforce"]
    there, away = target.users(), f"salesforce-{owner}"
    target.set_users([OutsideUser(u.id, u.name, u.email, u.id != away) for u in there])
    pull_people(company.context, "salesforce")
    company.push()
    assert (company.shown("salesforce", "001A"), company.shown("hubspot", "7")) == (None, None)
    assert company.exceptions() == {"owner_has_no_user": 2}
    company.assign()  # everybody is a user again
    company.push()
    assert (company.shown("salesforce", "001A"), company.shown("hubspot", "7")) == (owner, owner)
    assert company.exceptions() == {}


def test_an_edit_seen_before_the_write_is_held_though_its_push_had_begun(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned(company)
    target = company.targets["salesforce"]
    read = target.read_owners

    def edited_first(remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        company.account("salesforce", FIRMS[0], owner="dana-whitfield")
        return read(remote_ids, object_type)

    monkeypatch.setattr(target, "read_owners", edited_first)
    push(company)
    assert company.exceptions() == {"owner_drift": 1}
    assert company.shown("salesforce", FIRMS[0]) == "dana-whitfield"


def test_a_burst_beyond_one_claim_is_drained_in_one_push(company: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.push.MOST", 2)
    assigned(company)
    push(company)
    assert written(company) == list(FIRMS)


def test_several_pushes_at_once_write_every_record_once(company: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.push.MOST", 2)
    for number in range(40):
        company.account("salesforce", f"00A{number:02}", name=f"Haus {number}", website=f"haus{number}.de", **DACH)
    assigned(company)
    stop_the_clock(company, monkeypatch)
    one_at_a_time = Lock()  # the in-memory vendor keeps its rows in a plain dictionary
    target = company.targets["salesforce"]
    write = target._write_batch

    def written_alone(batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        with one_at_a_time:
            return write(batch)

    monkeypatch.setattr(target, "_write_batch", written_alone)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: push_target(company.context, "salesforce"), range(4)))
    assert len(written(company)) == len(set(written(company))) == 45


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_harms_nobody_on_its_way_from_pull_to_push(company: Rehearsal, name: str) -> None:
    founded(company)
    company.account("salesforce", FIRMS[1], name=name)
    pull_stream(company.context, "salesforce", "accounts")
    match_accounts(company.context)
    assign_accounts(company.context)
    push(company)
    assert audit_completeness(company.context).holds
    assert set(written(company)) >= {id_ for id_ in FIRMS if id_ != FIRMS[1]}
    assert audit_target(company.context, "salesforce").holds


def test_with_no_space_left_when_a_push_would_confirm_the_next_one_reads_and_does_not_write_again(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned(company)
    target, space = company.targets["salesforce"], ExitStack()
    write = target.update_owners

    def written_at_the_last_moment(changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        results = write(changes)
        space.enter_context(full(company.context.store))
        return results

    with monkeypatch.context() as patch, space:
        patch.setattr(target, "update_owners", written_at_the_last_moment)
        with pytest.raises(StoreUnavailable):
            push_target(company.context, "salesforce")
    push(company)
    assert written(company) == list(FIRMS)
    assert company.outbox() == {("salesforce", "confirmed"): len(FIRMS)}


@pytest.mark.parametrize("trouble", TROUBLES, ids=TROUBLE_IDS)
def test_an_audit_that_cannot_read_says_so_and_accuses_nobody(company: Rehearsal, trouble: ConnectorError) -> None:
    edited_outside(company)
    company.salesforce.fail_with = trouble
    with pytest.raises(type(trouble)):
        audit_target(company.context, "salesforce")
    assert company.exceptions() == {}
    assert audit_target(company.context, "salesforce").unexplained == (FIRMS[0],)


def test_a_record_that_was_deleted_behind_our_back_is_found_by_the_audit(company: Rehearsal) -> None:
    pushed(company)
    company.salesforce.delete("accounts", FIRMS[2])
    assert audit_target(company.context, "salesforce").unexplained == (FIRMS[2],)
