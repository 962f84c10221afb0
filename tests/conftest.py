"""Fixtures all suites may use."""

pytest_plugins = ("tests.postgres", "tests.databases")
