"""Failures that others published, each played against our own code. The number is that of the project's issue.

The names say whose incident it was and what holds here. What the vendor or the tool did then stands in the docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base import Cursor, Page
from connectors.errors import RetryLater
from connectors.memory import MemorySource, MemoryTarget
from connectors.registry import Connectors
from connectors.usage import COLUMNS, UsageConnector
from store.cursors import Cursors
from store.engine import Store
from store.errors import CursorMoved
from store.staging import Staging
from tasks.context import RunContext
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal, rehearse
from tests.simulation.company import POLICY, SETTINGS
from tests.store.business import MONDAY

US_SMB = {"country": "US", "state": "NY", "employees": 20}


class Breaking(MemorySource):
    """A source whose connection breaks before its `breaks_at`-th page, once."""

    def __init__(self, rows: int = 9, breaks_at: int | None = None) -> None:
        super().__init__("crm", ("accounts",), page_size=3)
        self.breaks_at = breaks_at
        self.pages = 0
        for number in range(rows):
            self.put("accounts", f"{number:03}", {"name": f"Company {number}"})

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        for number, page in enumerate(super().pull(stream, cursor), 1):
            if number == self.breaks_at:
                self.breaks_at = None
                raise RetryLater(self.name, "the connection broke")
            self.pages += 1
            yield page


def run_over(store: Store, source: Any, target: MemoryTarget | None = None, now: datetime = MONDAY) -> RunContext:
    connectors = Connectors({source.name: source}, {target.name: target} if target else {})
    return RunContext(SETTINGS, store, connectors, POLICY, run_id="run", clock=lambda: now, sleep=lambda _: None)


def staged(store: Store) -> list[str]:
    with store.transaction(readonly=True) as work:
        return [row.external_id for row in work.staging.live()]


def high_water(store: Store, source: str = "crm", stream: str = "accounts") -> str | None:
    with store.transaction(readonly=True) as work:
        stored = work.cursors.get(source, stream)
    return stored.high_water if stored else None


def broken(store: Store, source: Breaking) -> RunContext:
    """A pull that ended with an error."""
    context = run_over(store, source)
    with pytest.raises(RetryLater):
        pull_stream(context, "crm", "accounts")
    return context


def test_airbyte_34869_a_failed_stream_keeps_its_cursor(store: Store) -> None:
    """A stream failed, its final state was sent all the same, and the next sync skipped the rows."""
    context = broken(store, Breaking(breaks_at=2))
    assert high_water(store) == "3"
    pull_stream(context, "crm", "accounts")
    assert len(staged(store)) == 9


def test_airbyte_36149_a_cursor_never_says_more_than_is_stored(store: Store) -> None:
    """Most losses were states that claimed rows nobody had."""
    for breaks_at in (1, 2, 3):
        source = Breaking(breaks_at=breaks_at)
        source.name = f"crm-{breaks_at}"
        with pytest.raises(RetryLater):
            pull_stream(run_over(store, source), source.name, "accounts")
        with store.transaction(readonly=True) as work:
            stored = len(list(work.staging.live(source.name)))
        assert int(high_water(store, source.name) or 0) == stored == 3 * (breaks_at - 1)


def test_airbyte_2627_what_was_pulled_before_a_failure_is_not_pulled_again(store: Store) -> None:
    """No checkpoint on failure: each try began from nothing and none ever got to the end (also 11832)."""
    source = Breaking(breaks_at=3)
    context = broken(store, source)
    pull_stream(context, "crm", "accounts")
    assert source.pages == 3


def test_airbyte_28415_when_the_store_fails_the_cursor_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source's offset moved on though the destination had failed."""
    context = run_over(store, Breaking())
    with monkeypatch.context() as patch:
        patch.setattr(Staging, "put", _fails)
        with pytest.raises(RuntimeError):
            pull_stream(context, "crm", "accounts")
    assert (high_water(store), staged(store)) == (None, [])


def test_airbyte_13692_failed_attempts_leave_no_duplicates(store: Store) -> None:
    """Each failed attempt left its rows behind beside those of the next."""
    source = Breaking(breaks_at=3)
    context = broken(store, source)
    source.breaks_at = 1
    with pytest.raises(RetryLater):
        pull_stream(context, "crm", "accounts")
    pull_stream(context, "crm", "accounts")
    assert staged(store) == sorted(set(staged(store)))
    assert len(staged(store)) == 9


def test_airbyte_29881_of_two_pulls_at_once_one_gives_way_and_nothing_is_lost(store: Store) -> None:
    """Two syncs deduplicated the same table at once and deleted each other's rows."""

    class Overtaken(Breaking):
        def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
            yield next(iter(super().pull(stream, cursor)))
            pull_stream(run_over(store, Breaking()), "crm", "accounts")
            yield from list(super().pull(stream, cursor))[1:]

    with pytest.raises(CursorMoved):
        pull_stream(run_over(store, Overtaken()), "crm", "accounts")
    assert (high_water(store), len(staged(store))) == ("9", 9)


def test_target_postgres_117_no_state_is_kept_while_its_rows_are_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STATE was passed on while the records before it were still in a buffer (also 120, 128, 130)."""
    context = run_over(store, Breaking())
    with monkeypatch.context() as patch:
        patch.setattr(Cursors, "advance", _fails_after(Cursors.advance))
        with pytest.raises(RuntimeError):
            pull_stream(context, "crm", "accounts")
    assert (high_water(store), staged(store)) == (None, [])


def test_dlt_2269_a_row_that_becomes_visible_late_is_found(store: Store, tmp_path: Path) -> None:
    """A transaction that stamps its rows early and commits late was behind the high-water mark for ever."""
    database = usage_database(tmp_path)
    usage = UsageConnector(str(database.url), f"SELECT {', '.join(COLUMNS)} FROM workspace_usage")
    add_workspace(database, "ws_1", MONDAY)
    pull_stream(run_over(store, usage), "usage", "usage")
    add_workspace(database, "ws_0", MONDAY - timedelta(minutes=5))
    pull_stream(run_over(store, usage), "usage", "usage")
    assert staged(store) == ["ws_0", "ws_1"]
    assert high_water(store, "usage", "usage") == f"text:{MONDAY.isoformat()}"


def test_dlt_4052_when_only_the_state_fails_to_be_kept_no_row_is_doubled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Salesforce pipeline loaded its rows, failed to update its state, and loaded them again beside the first."""
    context = run_over(store, Breaking())
    with monkeypatch.context() as patch:
        patch.setattr(Cursors, "advance", _fails)
        with pytest.raises(RuntimeError):
            pull_stream(context, "crm", "accounts")
    again = pull_stream(context, "crm", "accounts")
    assert (again.new, len(staged(store))) == (9, 9)


def test_dlt_3998_a_pull_with_nothing_new_takes_nothing_away(tmp_path: Path, store_url: str) -> None:
    """An incremental load without changes emptied the destination."""
    company = founded(tmp_path, store_url)
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    before = company.owner("salesforce", "001A")
    for _ in range(2):
        assert company.assign().moves == ()
    assert before is not None
    assert company.owner("salesforce", "001A") == before
    assert staged(company.context.store) == ["001A"]
    company.context.store.close()


def test_dlt_4030_many_rows_of_one_instant_leave_a_cursor_of_one_row(store: Store, tmp_path: Path) -> None:
    """To tell rows at the boundary apart their ids were all kept in the state, which grew without end."""
    database = usage_database(tmp_path)
    for number in range(300):
        add_workspace(database, f"ws_{number:03}", MONDAY)
    usage = UsageConnector(str(database.url), f"SELECT {', '.join(COLUMNS)} FROM workspace_usage", page_size=40)
    pull_stream(run_over(store, usage), "usage", "usage")
    with store.transaction(readonly=True) as work:
        stored = work.cursors.get("usage", "usage")
    assert stored is not None
    assert (len(staged(store)), stored.tie_break) == (300, "ws_299")


def founded(folder: Path, store_url: str) -> Rehearsal:
    return rehearse(folder, database_url=store_url)


def usage_database(folder: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{folder / 'usage.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE workspace_usage ({', '.join(COLUMNS)})"))
    return engine


def add_workspace(engine: sa.Engine, id_: str, at: datetime) -> None:
    row = dict(zip(COLUMNS, (id_, "Team", "o@acme.example", "", 5, at.isoformat(), at.isoformat()), strict=True))
    with engine.begin() as connection:
        names = ", ".join(f":{column}" for column in COLUMNS)
        connection.execute(sa.text(f"INSERT INTO workspace_usage VALUES ({names})"), row)


def _fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the destination failed")


def _fails_after(call: Callable[..., Any]) -> Callable[..., Any]:
    def done_then_failed(*args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        raise RuntimeError("the destination failed")

    return done_then_failed
