"""Fixtures all suites may use, and which tests wait for vendors."""

from pathlib import Path

import pytest

pytest_plugins = ("tests.postgres", "tests.databases")
WITH_VENDORS = {"contract", "emulators"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever speaks to an emulated vendor runs after the tests that speak to nobody."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in WITH_VENDORS:
            item.add_marker("vendors")
