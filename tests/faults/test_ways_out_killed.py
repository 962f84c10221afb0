"""A way out of an exception whose process ends at a commit: all of it is there, or nothing, and it can be taken again.

A process that is gone leaves what it has committed. So the process ends before and after each commit, in turn.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ownership.exception_kinds import EXPLAIN, SNOOZE
from ownership.placed_by_people import Person
from store.engine import Store
from store.exceptions import ExceptionItem
from store.tables import metadata
from tasks.rehearsal import Rehearsal, rehearse
from tasks.resolving import resolve
from tests.tasks.test_resolving import CALIFORNIA, edited_by_diego, only

OPS = Person("ops@steward.example", "ops")
UNTIL = "2026-12-20"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    founded.account("salesforce", "001A", name="Acme", website="acme.com", owner="grace-liu", **CALIFORNIA)
    founded.assign()
    founded.push()
    yield founded
    founded.context.store.close()


def shadow_account(company: Rehearsal) -> ExceptionItem:
    company.account("stripe", "c1", name="Zeta", email="pay@zeta.com", active=True)
    company.assign()
    return only(company, "shadow_account")


def two_records(company: Rehearsal) -> ExceptionItem:
    company.account("stripe", "c1", name="Acme", email="x@gmail.com", links={"salesforce": "001A"})
    company.account("hubspot", "7", name="Acme", country="Germany", links={"salesforce": "001A"})
    company.assign()
    return only(company, "doubtful_match")


def lacks_what_it_now_has(company: Rehearsal) -> ExceptionItem:
    company.account("salesforce", "001B", name="Bolt", website="bolt.com", owner=None)
    company.assign()
    item = only(company, "missing_data")
    with company.context.store.transaction() as uow:
        (bolt,) = (account for account in uow.accounts.all() if account.name == "Bolt")
        bolt.fields.update(CALIFORNIA, segment="mid_market")
        uow.accounts.save([bolt], company.context.now())
    return item


WAYS: dict[str, Callable[[Rehearsal], ExceptionItem]] = {
    "restore": edited_by_diego,
    "keep-theirs": edited_by_diego,
    "same": two_records,
    "different": two_records,
    "decide": lacks_what_it_now_has,
    EXPLAIN: shadow_account,
    SNOOZE: shadow_account,
}


def take(company: Rehearsal, item: ExceptionItem, way: str) -> str:
    return resolve(company.context, item.exception_id, way, OPS, "because", UNTIL)


@contextmanager
def ends_at(store: Store, place: int) -> Iterator[None]:
    """The process ends at this place: 0 before its first commit, 1 after it, 2 before the second, and so on."""
    dialect, passed = store._engine.dialect, [0]
    commit = dialect.do_commit

    def reach() -> None:
        passed[0] += 1
        if passed[0] == place + 1:
            raise Killed

    def commit_or_die(connection: Any) -> None:
        reach()
        commit(connection)
        reach()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", commit_or_die)
        yield


def kept(company: Rehearsal) -> dict[str, list[Any]]:
    """Every row of every table."""
    with company.context.store.transaction(readonly=True) as uow:
        return {
            table.name: sorted(map(repr, uow._connection.execute(select(table)))) for table in metadata.sorted_tables
        }


def answers(company: Rehearsal, item: ExceptionItem) -> int:
    with company.context.store.transaction(readonly=True) as uow:
        return len(uow.exceptions.answers([item.exception_id]))


@pytest.mark.parametrize("way", WAYS)
def test_what_was_done_is_noted_wherever_the_process_ends(company: Rehearsal, way: str) -> None:
    item = WAYS[way](company)
    before, place, is_over = kept(company), 0, False
    while not is_over:
        try:
            with ends_at(company.context.store, place):
                take(company, item, way)
            is_over = True  # it passed fewer places than that
        except Killed:
            if answers(company, item):
                break  # all of it was committed
            assert kept(company) == before, f"something was done that nobody noted, at place {place}"
        place += 1
    assert answers(company, item) == 1
    assert kept(company) != before
    assert place >= 1
