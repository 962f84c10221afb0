"""What vendors do to a pull, to what is decided from it, and to the deliveries that ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connectors.base import SourceRow
from connectors.errors import ConnectorError
from store.engine import Store
from tasks.assignment import assign_accounts
from tasks.inbox import ChangeNote, take_in
from tasks.matching import match_accounts
from tasks.pull import pull_records, pull_stream
from tasks.rehearsal import Rehearsal
from tests.faults.outside import TROUBLE_IDS, TROUBLES, decided, ledger_owners
from tests.faults.steps import DACH, FIRMS, founded, pulled
from tests.store.business import MONDAY


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
