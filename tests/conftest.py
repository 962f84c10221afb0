"""Fixtures all suites may use, and which tests come last: those that speak to vendors, and those that break things."""

import gc
from pathlib import Path

import pytest

pytest_plugins = ("tests.postgres", "tests.databases", "tests.statements")
# What these tell does not depend on the database, whose own statements tests/store runs on both.
AT_LENGTH_ON_POSTGRES = {
    "test_drift.py",
    "test_identity.py",
    "test_resolving.py",
    "test_the_job.py",
    "test_transfers_killed.py",
}
LATER = {"browser": "browser", "contract": "vendors", "emulators": "vendors", "faults": "slow", "simulation": "slow"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever speaks to an emulated vendor, or is made to fail, runs after the tests of what is meant to happen."""
    here = Path(__file__).parent
    for item in items:
        if marker := LATER.get(item.path.relative_to(here).parts[0]):
            item.add_marker(marker)
        if item.path.name in AT_LENGTH_ON_POSTGRES and item.get_closest_marker("postgres"):
            item.add_marker("long")
    items.sort(key=_comes_late)


def pytest_collection_finish() -> None:
    """What the imports made stays: the collector, which a full heap makes slow, has to look at it no more."""
    gc.collect()
    gc.freeze()


def _comes_late(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("browser", "vendors", "slow", "postgres"))
