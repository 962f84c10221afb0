"""What vendors do to a step: busy, away, half done, refused, gone, hostile. Afterwards every record shows its owner of
record, or an exception says why, and nothing was sent twice. On both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

import pytest

from config.policy_files import load_policy
from config.settings import POLICY_DIR
from connectors.base import ObservedOwner, OutsideUser, OwnerChange, OwnerResult, SourceRow, WriteOutcome
from connectors.errors import ConnectorError, ConnectorStopped, RetryLater, SchemaChanged
from connectors.memory import MemoryTarget
from ownership.acceptance import NotYours
from ownership.policy import Roster
from store.engine import Store
from store.errors import StoreUnavailable
from tasks.acceptance import accept_account, decline_account, escalate_due
from tasks.assignment import assign_accounts
from tasks.audit import audit_completeness, audit_target
from tasks.inbox import ChangeNote, take_in
from tasks.matching import match_accounts
from tasks.notices import deliver_notices
from tasks.pull import pull_people, pull_records, pull_stream
from tasks.push import push_target
from tasks.rehearsal import Rehearsal, rehearse
from tests.faults.databases import full
from tests.faults.steps import DACH, FIRMS, assigned, edited_outside, founded, pulled, pushed, unanswered
from tests.store.business import MONDAY

POLICY = load_policy(POLICY_DIR)
HOSTILE = {
    "bytes-that-are-no-text": "Firma \udcff\udcfe",
    "a-name-of-400-kB": "Firma " + "x" * 400_000,
    "right-to-left": "Firma \u202egnp.exe",
    "a-null-character": "Firma \x00 GmbH",
    "a-formula": '=HYPERLINK("http://evil.example","Firma")',
}

TROUBLES = [
    RetryLater("salesforce", "busy", code="429", retry_after_s=86_400.0),
    RetryLater("salesforce", "HTTP 503"),
    ConnectorStopped("salesforce", "the session is no longer valid"),
    SchemaChanged("salesforce", "no field NumberOfEmployees"),
]
TROUBLE_IDS = ["busy", "5xx", "a-token-that-was-revoked", "a-field-that-is-gone"]


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    made = rehearse(tmp_path, POLICY, database_url=store_url)
    yield made
    made.context.store.close()


def push(company: Rehearsal, *, minutes: float = 5) -> None:
    """The next scheduled push; what stops it is reported by the flow and changes nothing here."""
    company.pass_time(minutes=minutes)
    with suppress(RetryLater, ConnectorStopped):
        push_target(company.context, "salesforce")


def shown(company: Rehearsal) -> dict[str, str | None]:
    return {id_: company.shown("salesforce", id_) for id_ in FIRMS}


def decided(company: Rehearsal) -> dict[str, str | None]:
    return {id_: company.owner("salesforce", id_) for id_ in FIRMS}


def ledger_owners(company: Rehearsal) -> dict[str, str]:
    with company.context.store.transaction(readonly=True) as work:
        return {account_id: current.owner_id for account_id, current in work.ledger.current().items()}


def written(company: Rehearsal) -> list[str]:
    return sorted(change.remote_id for change in company.targets["salesforce"].written)


def answer(
    target: MemoryTarget, patch: pytest.MonkeyPatch, refuse: Callable[[OwnerChange], OwnerResult | None]
) -> None:
    """The vendor answers the writes for which `refuse` has an answer so, and does the others."""
    write = target._write
    patch.setattr(target, "_write", lambda change: refuse(change) or write(change))


# --- push ---


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
    monkeypatch.setattr("tasks.push.CLAIM", 2)
    assigned(company)
    push(company)
    assert written(company) == list(FIRMS)


def test_several_pushes_at_once_write_every_record_once(company: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.push.CLAIM", 2)
    for number in range(40):
        company.account("salesforce", f"00A{number:02}", name=f"Haus {number}", website=f"haus{number}.de", **DACH)
    assigned(company)
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


# --- audit ---


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


# --- pull and decide ---


@pytest.mark.parametrize("trouble", TROUBLES, ids=TROUBLE_IDS)
def test_a_pull_that_cannot_be_ends_there_and_changes_nothing(company: Rehearsal, trouble: ConnectorError) -> None:
    pulled(company)
    assign_accounts(company.context)
    before = decided(company)
    company.salesforce.fail_with = trouble
    with pytest.raises(type(trouble)):
        pull_stream(company.context, "salesforce", "accounts")
    assert assign_accounts(company.context).moves == ()
    assert decided(company) == before
    company.account("salesforce", FIRMS[0], name="Renamed")
    assert pull_stream(company.context, "salesforce", "accounts").changed == 1


def test_rows_that_cannot_be_read_take_no_owner_away_and_are_as_before_once_they_can(company: Rehearsal) -> None:
    """A field that became text for every record is no reason to unassign everybody."""
    pulled(company)
    assign_accounts(company.context)
    before = ledger_owners(company)
    for employees in ("many", 300):
        for id_ in FIRMS:
            company.account("salesforce", id_, employees=employees)
        company.new_run()
        pull_stream(company.context, "salesforce", "accounts")
        match_accounts(company.context)
        assert assign_accounts(company.context).moves == ()
        assert company.exceptions() == ({"bad_record": len(FIRMS)} if employees == "many" else {})
        assert ledger_owners(company) == before
    assert len(decided(company)) == len(before)


def test_a_burst_of_accounts_is_decided_in_one_commit(company: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        company.account("salesforce", f"00A{number:02}", name=f"Haus {number}", website=f"haus{number}.de", **DACH)
    pulled(company)
    commits: list[int] = []
    run = Store.run
    monkeypatch.setattr(Store, "run", lambda store, work: commits.append(1) or run(store, work))  # type: ignore[func-returns-value]
    assert assign_accounts(company.context).recorded == 45
    assert len(commits) == 1


def test_an_account_deleted_between_pull_and_decision_is_decided_no_more_once_that_is_known(company: Rehearsal) -> None:
    pulled(company)
    company.salesforce.delete("accounts", FIRMS[0])
    pull_stream(company.context, "salesforce", "accounts")
    match_accounts(company.context)
    assign_accounts(company.context)
    assert len(ledger_owners(company)) == len(FIRMS) - 1


def test_a_rep_who_left_before_the_decision_gets_nothing(company: Rehearsal) -> None:
    founded(company)
    company.account("salesforce", FIRMS[0], owner="gary-sutton")
    pull_stream(company.context, "salesforce", "accounts")
    match_accounts(company.context)
    assign_accounts(company.context)
    assert "gary-sutton" not in decided(company).values()


# --- webhooks ---


def notes(*ids: str) -> list[ChangeNote]:
    return [ChangeNote(f"04l{id_}", id_, None, "") for id_ in ids]


def test_a_delivery_repeated_ten_times_is_kept_once(company: Rehearsal) -> None:
    store = company.context.store
    first = take_in(store, "salesforce", notes(*FIRMS), MONDAY)
    again = [take_in(store, "salesforce", notes(*reversed(FIRMS)), MONDAY) for _ in range(10)]
    assert (first, again) == (sorted(FIRMS), [[]] * 10)


def test_events_out_of_order_lead_to_what_the_record_says_now(company: Rehearsal) -> None:
    pulled(company)
    company.account("salesforce", FIRMS[0], name="Second name")
    company.account("salesforce", FIRMS[0], name="Third name")
    for late in ("third", "first", "second"):
        take_in(company.context.store, "salesforce", [ChangeNote(late, FIRMS[0], None, late)], company.context.now())
        pull_records(company.context, "salesforce", [FIRMS[0]])
    with company.context.store.transaction(readonly=True) as work:
        row = work.staging.get("salesforce", "accounts", FIRMS[0])
        assert work.inbox.waiting("salesforce") == 0
    assert isinstance(row and row.fields["name"], str)
    assert row is not None
    assert row.fields["name"] == "Third name"


def test_a_read_that_was_overtaken_does_not_put_the_older_row_back(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled(company)
    old = company.salesforce.pull_rows("accounts", [FIRMS[0]])
    company.account("salesforce", FIRMS[0], name="Newer name")
    pull_stream(company.context, "salesforce", "accounts")

    def overtaken(_stream: str, _ids: Sequence[str]) -> tuple[SourceRow, ...]:
        return old

    monkeypatch.setattr(company.salesforce, "pull_rows", overtaken)
    pull_records(company.context, "salesforce", [FIRMS[0]])
    with company.context.store.transaction(readonly=True) as work:
        row = work.staging.get("salesforce", "accounts", FIRMS[0])
    assert row is not None
    assert row.fields["name"] == "Newer name"


# --- notices ---


@pytest.mark.parametrize(
    "trouble",
    [
        RetryLater("slack", "busy", retry_after_s=30.0),
        RetryLater("slack", "HTTP 503"),
        ConnectorStopped("slack", "token"),
    ],
    ids=["busy", "5xx", "a-token-that-was-revoked"],
)
def test_messages_wait_while_the_messenger_is_away_and_are_told_once(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, trouble: ConnectorError
) -> None:
    assigned(company)

    def away(_notice: object) -> str:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(company.notifier, "notify", away)
        assert deliver_notices(company.context).sent == 0
    waiting = deliver_notices(company.context)
    assert (waiting.sent, waiting.refused, len(company.notifier.delivered)) == (2, 0, 2)
    assert deliver_notices(company.context).sent == 0


def test_a_person_the_messenger_does_not_know_keeps_nobody_else_from_being_told(company: Rehearsal) -> None:
    assigned(company)
    company.notifier._people = {"jonas.keller@northwind.example"}
    told = deliver_notices(company.context)
    assert told.sent + told.refused == 2
    assert told.refused >= 1
    assert deliver_notices(company.context).refused == 0


# --- acceptance and escalation ---


def test_an_answer_given_ten_times_counts_once(company: Rehearsal) -> None:
    assigned(company)
    owner = str(company.owner("salesforce", FIRMS[0]))
    answers = [accept_account(company.context, f"Firma {FIRMS[0]}", owner) for _ in range(10)]
    assert "is accepted for" in answers[0]
    assert all("waits for no answer" in later for later in answers[1:])
    assert len(company.history("salesforce", FIRMS[0])) == 1


def test_a_decline_after_the_account_moved_on_does_not_touch_the_new_owner(company: Rehearsal) -> None:
    unanswered(company)
    before = str(company.owner("salesforce", FIRMS[0]))
    escalate_due(company.context)
    after = company.owner("salesforce", FIRMS[0])
    assert after != before
    with suppress(Exception):
        decline_account(company.context, f"Firma {FIRMS[0]}", before, "too late")
    assert company.owner("salesforce", FIRMS[0]) == after


def test_an_accept_for_an_account_that_was_deleted_says_that_there_is_none(company: Rehearsal) -> None:
    assigned(company)
    owner = str(company.owner("salesforce", FIRMS[0]))
    company.salesforce.delete("accounts", FIRMS[0])
    pull_stream(company.context, "salesforce", "accounts")
    match_accounts(company.context)
    assert "accepted" not in accept_account(company.context, f"Firma {FIRMS[0]}", owner)


def test_who_left_can_accept_nothing_and_their_manager_passes_it_on(company: Rehearsal) -> None:
    assigned(company)
    asked = str(company.owner("salesforce", FIRMS[0]))
    reps = dict(POLICY.roster.reps)
    reps[asked] = replace(reps[asked], active=False)
    company.adopt(replace(POLICY, roster=Roster(reps)))
    with pytest.raises(NotYours):
        accept_account(company.context, f"Firma {FIRMS[0]}", asked)
    manager = str(reps[asked].manager)
    decline_account(company.context, f"Firma {FIRMS[0]}", manager, "has left")
    assert company.owner("salesforce", FIRMS[0]) != asked
