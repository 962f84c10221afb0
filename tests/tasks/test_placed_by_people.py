"""Overrides and disputes made in the running system: who may, that they hold at once, and that they are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from ownership.placed_by_people import MayNot, Person
from store.accounts import Accounts
from store.turns import Turns
from tasks.lent import end_what_was_lent
from tasks.placed_by_people import (
    answer_override,
    note_overdue_disputes,
    open_dispute,
    request_override,
    rule_on_dispute,
)
from tasks.rehearsal import Rehearsal, rehearse

GRACE, DIEGO = Person("grace-liu", "rep"), Person("diego-marin", "rep")
OPS = Person("ops@steward.example", "ops")


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    founded = rehearse(tmp_path, database_url=store_url)
    founded.account("salesforce", "001A", name="Acme", owner="grace-liu", country="US", state="CA", employees=300)
    founded.assign()
    founded.new_run()
    yield founded
    founded.context.store.close()


def owner(company: Rehearsal) -> str | None:
    return company.owner("salesforce", "001A")


def test_an_approved_override_holds_at_once_and_no_later_run_undoes_it(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "they know him")
    assert owner(company) == "grace-liu"
    answer_override(company.context, asked.override_id, OPS, "approved", "agreed with both")
    assert owner(company) == "diego-marin"
    with company.context.store.transaction(readonly=True) as uow:
        last = uow.decisions.explanation(asked.account_id)
    assert last is not None
    assert (last.decision.reason, (last.snapshot or {})["overrides"][0][:2]) == (
        "override",
        ["diego-marin", "they know him"],
    )
    company.assign()
    assert owner(company) == "diego-marin"


def test_nobody_approves_what_they_asked_for_or_would_gain_and_a_rep_approves_nothing(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "hannah-kelly", "time zones")
    for person in (DIEGO, Person("hannah-kelly", "ops"), GRACE, Person("carmen-ortiz", "manager")):
        with pytest.raises(MayNot):
            answer_override(company.context, asked.override_id, person, "approved", "fine")
    assert owner(company) == "grace-liu"


def test_of_two_answers_the_first_stands(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "they know him")
    answer_override(company.context, asked.override_id, OPS, "refused", "not now")
    with pytest.raises(MayNot, match="refused already, by ops@"):
        answer_override(company.context, asked.override_id, Person("o2@steward.example", "ops"), "approved", "yes")
    assert owner(company) == "grace-liu"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"owner": "nobody-here"}, "nobody on the roster"),
        ({"owner": "gary-sutton"}, "not with the company"),
        ({"reason": " "}, "No reason"),
        ({"until": "2001-01-01"}, "before it begins"),
        ({"until": "2199-01-01"}, "366 days at most"),
        ({"then": "return"}, "Say until when"),
    ],
)
def test_a_request_that_cannot_stand_says_what_to_mend(company: Rehearsal, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(MayNot, match=said):
        request_override(company.context, "Acme", DIEGO, **{"owner": "diego-marin", "reason": "why", **wrong})


def test_when_a_lent_account_is_over_it_goes_back(company: Rehearsal) -> None:
    until = company.context.today()
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "holiday cover", until, "return")
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    assert owner(company) == "diego-marin"
    company.pass_time(days=1)
    company.assign()
    assert owner(company) == "grace-liu"


def test_a_disputed_account_is_frozen_until_the_ruling_which_moves_it(company: Rehearsal) -> None:
    opened = open_dispute(company.context, "Acme", DIEGO, "I called them first", "call of 3 March")
    assert company.exceptions() == {"disputed": 1}
    asked = request_override(company.context, "Acme", GRACE, "hannah-kelly", "time zones")
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    assert owner(company) == "grace-liu", "nothing moves it before the ruling"
    with pytest.raises(MayNot, match="disputed already"):
        open_dispute(company.context, "Acme", Person("hannah-kelly", "rep"), "mine")
    with pytest.raises(MayNot, match="your own"):
        rule_on_dispute(company.context, opened.dispute_id, Person("diego-marin", "ops"), "diego-marin", "mine")
    rule_on_dispute(company.context, opened.dispute_id, OPS, "diego-marin", "the call is on record")
    assert (owner(company), company.exceptions()) == ("diego-marin", {})


def test_who_disputes_locks_the_pools_before_the_account_as_every_run_does(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[str] = []
    pools, accounts = Turns.load, Accounts.lock

    def lock_pools(turns: Turns, names: Iterable[str], lock: bool = True) -> dict[str, Mapping[str, Any]]:
        locked.extend(["pools"] if lock else [])
        return pools(turns, names, lock)

    def lock_accounts(them: Accounts, ids: Iterable[str]) -> dict[str, str]:
        locked.append("accounts")
        return accounts(them, ids)

    monkeypatch.setattr(Turns, "load", lock_pools)
    monkeypatch.setattr(Accounts, "lock", lock_accounts)
    open_dispute(company.context, "Acme", DIEGO, "I called them first")
    assert locked[:2] == ["pools", "accounts"], "a batch under way would wait for the account and be waited for"


def test_a_ruling_that_is_overdue_is_an_exception_once_and_until_it_comes(company: Rehearsal) -> None:
    opened = open_dispute(company.context, "Acme", DIEGO, "I called them first")
    company.pass_time(hours=47)
    assert note_overdue_disputes(company.context) == 0
    company.pass_time(hours=1)
    assert [note_overdue_disputes(company.context), note_overdue_disputes(company.context)] == [1, 1]
    assert company.exceptions() == {"disputed": 1, "dispute_overdue": 1}
    rule_on_dispute(company.context, opened.dispute_id, OPS, "grace-liu", "no call is on record")
    assert note_overdue_disputes(company.context) == 0
    assert (owner(company), company.exceptions()) == ("grace-liu", {})


def test_of_two_who_approve_at_once_one_does(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "they know him")
    both = Barrier(2)

    def approve(who: str) -> str:
        both.wait()
        try:
            return answer_override(company.context, asked.override_id, Person(who, "ops"), "approved", "fine")
        except MayNot as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as people:
        said = sorted(people.map(approve, ("o1@x.example", "o2@x.example")))
    assert said[0] == "Diego Marín: approved."
    assert said[1].startswith("It is approved already, by o")
    assert owner(company) == "diego-marin"


def test_what_was_lent_goes_back_with_the_first_scan_of_the_day_after_without_a_pull(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "a launch", "2026-11-25", "return")
    answer_override(company.context, asked.override_id, OPS, "approved", "for the launch")
    assert owner(company) == "diego-marin"

    def scan_at(*at: int) -> int:
        company.now[0] = datetime(2026, 11, *at, tzinfo=UTC)
        company.new_run()
        return len(end_what_was_lent(company.context).moves)

    assert (scan_at(25, 23, 59), owner(company)) == (0, "diego-marin")
    assert (scan_at(26, 0, 0), owner(company)) == (1, "grace-liu")
    assert [scan_at(26, 0, 1), scan_at(27, 0, 0)] == [0, 0]


def test_a_scan_that_is_killed_before_it_commits_is_made_again_by_the_next(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "a launch", "2026-11-23", "return")
    answer_override(company.context, asked.override_id, OPS, "approved", "for the launch")
    company.pass_time(days=1)
    company.new_run()
    with monkeypatch.context() as patch:
        patch.setattr("store.cursors.Cursors.advance", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            end_what_was_lent(company.context)
    assert owner(company) == "diego-marin"
    assert len(end_what_was_lent(company.context).moves) == 1
    assert owner(company) == "grace-liu"


def test_a_lent_account_that_is_in_no_system_any_more_stays_in_nobodys_book(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "a launch", "2026-11-23", "return")
    answer_override(company.context, asked.override_id, OPS, "approved", "for the launch")
    company.context.store.run(lambda uow: uow.accounts.mark_gone([asked.account_id], company.now[0]))
    company.pass_time(days=1)
    company.new_run()
    assert end_what_was_lent(company.context).looked_at == 0
    with company.context.store.transaction(readonly=True) as uow:
        assert {owner: size for owner, size in uow.ledger.book_sizes().items() if size} == {}
