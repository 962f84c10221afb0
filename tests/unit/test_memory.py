"""The file in which one run of `steward decide` leaves to the next what it has to know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.case import Holding, LastLead, State
from ownership.day import Day
from ownership.entries import Leads
from ownership.model import Afterwards
from ownership.policy import Policy
from tasks.account_files import UnreadableFile
from tasks.memory import Lent, Memory, read_memory, write_memory
from tests.unit.random_files import WorldMaker
from tests.unit.small_company import NOON, company

LENT, LEAD = Lent("ann", Afterwards("bob")), LastLead("ann", NOON)


def day(sticky_days: int = 7) -> Day:
    return Day.of(Policy("p", leads=Leads(sticky_days=sticky_days)), company(), NOON)


@settings(max_examples=40, deadline=None, database=None)
@given(seed=st.integers(0, 2**32))
def test_what_was_written_is_read_again(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    memory = WorldMaker(Random(seed)).world(6, 2).memory
    path = tmp_path_factory.mktemp("memory") / "state.json"
    write_memory(memory, path)
    assert read_memory(path) == memory


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    assert read_memory(tmp_path / "state.json") == Memory()


@pytest.mark.parametrize(
    "content",
    [
        '{"turn": {}}',
        '{"turns": []}',
        '{"turns": {"east": 1}}',
        '{"marks": {"a1": {"rule": ["2026-11-23"]}}}',
        '{"teams": {"a1": "ann"}}',
        '{"lent": {"a1": "ann"}}',
        '{"leads": {"acme.com": ["ann", "yesterday"]}}',
        '{"leads": {"acme.com": ["ann", "2026-11-23T09:00:00"]}}',
        '{"east": {"credit": {}, "taken": {}}}',
    ],
)
def test_what_is_no_memory_is_refused_with_the_mend(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(UnreadableFile, match="Bring back the last good one, or remove it to start anew"):
        read_memory(path)


def test_an_account_that_was_given_back_or_given_away_is_not_lent_any_more() -> None:
    before = Memory(lent={"a1": LENT, "a2": LENT, "elsewhere": LENT})
    after = State({"a1": "bob", "a2": "ann"}, holdings={"a1": Holding(), "a2": Holding("", LENT.afterwards)})
    assert before.after(after, day()).lent == {"a2": LENT, "elsewhere": LENT}


def test_of_leads_is_kept_what_the_policy_asks_for() -> None:
    old = LastLead("bob", NOON - timedelta(days=7, seconds=1))
    state = State(recent={"acme.com": LEAD, "bolt.com": old})
    assert Memory().after(state, day()).leads == {"acme.com": LEAD}
    assert Memory().after(state, day(0)).leads == {}


def test_an_instant_keeps_its_time_zone(tmp_path: Path) -> None:
    write_memory(Memory(leads={"acme.com": LEAD}), tmp_path / "state.json")
    assert read_memory(tmp_path / "state.json").leads["acme.com"].at == datetime(2026, 11, 25, 12, tzinfo=UTC)
