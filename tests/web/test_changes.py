"""A burst of deliveries starts a few runs, and every record is in one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from web import changes
from web.changes import RECORDS_A_RUN, Changes


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The runs that were asked for: of which source, for which records."""
    runs: list[tuple[str, list[str]]] = []

    def start(source: str, external_ids: Sequence[str]) -> None:
        if "unreachable" in external_ids:
            raise ConnectionError("no Prefect server answers")
        runs.append((source, list(external_ids)))

    monkeypatch.setattr(changes, "pass_on", start)
    monkeypatch.setattr(changes, "GATHER_S", 0.01)
    return runs


def deliver(gathered: Changes, *deliveries: tuple[str, list[str]]) -> list[BaseException | None]:
    """All at once, as a vendor with many connections does; how each ended."""

    async def at_once() -> list[BaseException | None]:
        return await asyncio.gather(*(gathered.pass_on(*each) for each in deliveries), return_exceptions=True)

    return asyncio.run(at_once())


def test_what_comes_at_once_starts_one_run_for_each_source(started: list[tuple[str, list[str]]]) -> None:
    deliver(Changes(), ("hubspot", ["2", "1"]), ("salesforce", ["001"]), ("hubspot", ["3", "1"]), ("hubspot", []))
    assert sorted(started) == [("hubspot", ["1", "2", "3"]), ("salesforce", ["001"])]


def test_what_comes_later_starts_a_run_of_its_own(started: list[tuple[str, list[str]]]) -> None:
    gathered = Changes()
    deliver(gathered, ("hubspot", ["1"]))
    deliver(gathered, ("hubspot", ["1"]))
    assert started == [("hubspot", ["1"]), ("hubspot", ["1"])]


def test_a_flood_is_shared_out_and_every_record_is_in_one_run(started: list[tuple[str, list[str]]]) -> None:
    records = [f"{number:05}" for number in range(2 * RECORDS_A_RUN + 1)]
    deliver(Changes(), *(("hubspot", records[at : at + 100]) for at in range(0, len(records), 100)))
    assert [len(ids) for _, ids in started] == [RECORDS_A_RUN, RECORDS_A_RUN, 1]
    assert [id_ for _, ids in started for id_ in ids] == records


def test_a_run_that_cannot_be_started_holds_up_nothing_that_comes_later(started: list[tuple[str, list[str]]]) -> None:
    gathered = Changes()
    assert isinstance(deliver(gathered, ("hubspot", ["unreachable"]))[0], ConnectionError)
    deliver(gathered, ("hubspot", ["1"]))
    assert started == [("hubspot", ["1"])]


def test_nothing_changed_starts_nothing(started: list[tuple[str, list[str]]]) -> None:
    deliver(Changes(), ("hubspot", []))
    assert started == []
