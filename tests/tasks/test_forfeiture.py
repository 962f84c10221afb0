"""Owners are warned of accounts they are about to lose for want of activity, in time and once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.policy_files import LoadedPolicy
from ownership.entries import Keeping, NamedAccount
from tasks.assignment import assign_accounts
from tasks.forfeiture import warn_of_forfeiture
from tasks.rehearsal import START, Rehearsal, rehearse
from tests.faults.outside import POLICY
from tests.many_offers import firm, made_offers

FIRM = "acc_1"


def policy(**keeping: int) -> LoadedPolicy:
    rules = replace(POLICY.policy, keeping=Keeping(forfeit_after_days=14, **keeping))
    return replace(POLICY, policy=rules)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    yield from with_two_firms(rehearse(tmp_path, policy()))


@pytest.fixture
def on_either(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    """The same on SQLite and on PostgreSQL."""
    yield from with_two_firms(rehearse(tmp_path, policy(), database_url=store_url))


def with_two_firms(company: Rehearsal) -> Iterator[Rehearsal]:
    """Two firms have had their owners since today, and nothing has happened on them since."""
    made_offers(company, 2)
    yield company
    company.context.store.close()


def something_happens(company: Rehearsal, days: int) -> None:
    """On one of the firms, so many days after the beginning."""
    one = firm(1)
    active = replace(one, fields={**one.fields, "activity_on": (START + timedelta(days=days)).date().isoformat()})
    company.context.store.run(lambda uow: uow.accounts.save([active], company.now[0]))


def on_day(company: Rehearsal, number: int) -> int:
    """How many accounts owners are warned of so many days after the beginning."""
    company.now[0] = START + timedelta(days=number)
    company.new_run()
    return warn_of_forfeiture(company.context)


def told(company: Rehearsal) -> list[tuple[str, str]]:
    """Who was warned, in which words."""
    with company.context.store.transaction(readonly=True) as uow:
        waiting = uow.notifications.pending(["slack"])
    return sorted((each.email, *each.lines) for each in waiting if each.subject.startswith("You are about to lose"))


def test_an_owner_is_warned_three_days_before_they_lose_an_account_and_once(on_either: Rehearsal) -> None:
    something_happens(on_either, 10)
    assert [on_day(on_either, number) for number in (11, 12, 12)] == [0, 1, 0]
    ((_, said),) = told(on_either)
    assert said == (
        "Firma 0: nothing has happened on it since 2026-11-23; it goes to somebody else on 2026-12-08 "
        "unless something happens on it"
    )
    on_day(on_either, 13)
    assert len(told(on_either)) == 1


def test_on_the_day_that_was_named_it_goes_to_somebody_else_and_not_before(company: Rehearsal) -> None:
    def owners() -> dict[str, str]:
        assign_accounts(company.context)
        with company.context.store.transaction(readonly=True) as uow:
            return {id_: each.owner_id for id_, each in uow.ledger.current().items()}

    on_day(company, 12)
    before = owners()
    on_day(company, 14)
    assert owners() == before
    on_day(company, 15)
    after = owners()
    assert all(after[id_] != before[id_] for id_ in before)


def test_who_did_something_and_then_nothing_again_is_warned_again(company: Rehearsal) -> None:
    on_day(company, 12)
    something_happens(company, 13)
    assert on_day(company, 16) == 0
    on_day(company, 26)
    mine = [said for _, said in told(company) if said.startswith("Firma 1")]
    assert ["since 2026-11-23" in mine[0], "since 2026-12-06" in mine[1]] == [True, True]


def test_nobody_is_warned_where_the_policy_says_so_or_forfeits_nothing(company: Rehearsal) -> None:
    for quiet in (policy(warn_days_before=0), POLICY):
        company.adopt(quiet)
        assert on_day(company, 12) == 0
    company.adopt(policy(warn_days_before=10))
    assert on_day(company, 5) == 2


def test_what_leadership_placed_is_lost_to_nobody_and_nobody_is_warned(company: Rehearsal) -> None:
    with company.context.store.transaction(readonly=True) as uow:
        owner = uow.ledger.current()[FIRM].owner_id
    rules = replace(policy().policy, named=(NamedAccount("firma1.example", owner),))
    company.adopt(replace(POLICY, policy=rules, policy_hash="placed by hand"))
    on_day(company, 12)
    assert [said[:7] for _, said in told(company)] == ["Firma 0"]


def test_a_pass_that_was_killed_is_done_again_and_tells_nobody_twice(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("store.cursors.Cursors.advance", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            on_day(company, 12)
    assert told(company) == []
    assert on_day(company, 12) == 2
    assert len(told(company)) == 2
