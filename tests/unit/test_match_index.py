"""An index in a folder answers as the one it was saved from, to any process that reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.companies import make_market
from ownership.matching.company import Company
from ownership.matching.index import Index
from ownership.matching.normal import normalise
from tasks.match_index import ABOUT, UnreadableIndex, load_index, save_index

MARKET = make_market(300, 60, seed=5)
ACCOUNTS = [normalise(each) for each in MARKET.accounts]
LEADS = [normalise(each) for each in MARKET.leads]


def answers(index: Index) -> list[object]:
    found = [(index.candidates(lead), index.holders("slug", lead.slug)) for lead in LEADS]
    return [*found, *(index.get(each.id) for each in ACCOUNTS if each.id != "a0000007"), index.word_weight("bank")]


def test_an_index_read_from_its_folder_answers_as_the_one_that_was_saved(tmp_path: Path) -> None:
    index = Index(ACCOUNTS[:200])
    index.put(ACCOUNTS[150:])
    index.remove(["a0000007"])
    before = answers(index)
    save_index(index, tmp_path)
    assert answers(index) == answers(load_index(tmp_path)) == before


def test_what_is_done_to_an_index_that_was_read_changes_no_file_of_it(tmp_path: Path) -> None:
    save_index(Index(ACCOUNTS[:200]), tmp_path)
    changed = load_index(tmp_path)
    changed.put(ACCOUNTS)
    changed.remove(["a0000007"])
    whole = Index(ACCOUNTS)
    whole.remove(["a0000007"])
    assert answers(changed) == answers(whole)
    assert len(load_index(tmp_path)) == 200


@pytest.mark.parametrize("accounts", [[], [normalise(Company("none"))], [normalise(Company("\ud800", "Odd Id"))]])
def test_an_index_of_nearly_nothing_can_be_saved_and_read(accounts: list[object], tmp_path: Path) -> None:
    index = Index(accounts)  # type: ignore[arg-type]
    save_index(index, tmp_path)
    read = load_index(tmp_path)
    assert len(read) == len(accounts)
    assert [read.candidates(lead) for lead in LEADS] == [index.candidates(lead) for lead in LEADS]


def test_a_folder_without_a_whole_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnreadableIndex, match="build it again"):
        load_index(tmp_path)
    save_index(Index(ACCOUNTS[:10]), tmp_path)
    (tmp_path / "rows.npy").write_bytes(b"")
    with pytest.raises(UnreadableIndex, match="build it again"):
        load_index(tmp_path)
    save_index(Index(ACCOUNTS[:10]), tmp_path)
    about = json.loads((tmp_path / ABOUT).read_text())
    (tmp_path / ABOUT).write_text(json.dumps(about | {"norm_version": -1}))
    with pytest.raises(UnreadableIndex, match="another release"):
        load_index(tmp_path)
