"""A company of its own for each fault, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.rehearsal import Rehearsal, rehearse
from tests.faults.outside import POLICY


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    made = rehearse(tmp_path, POLICY, database_url=store_url)
    yield made
    made.context.store.close()
