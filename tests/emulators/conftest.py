"""One small world, served once for each test module, and real clients that reach it through the gateway."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce

from emulators.server import EmulatedVendors
from emulators.world import build_world


@pytest.fixture(scope="session")
def built_world() -> dict[str, Any]:
    return build_world(400)


@pytest.fixture
def world(built_world: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(built_world)


@pytest.fixture
def running(world: dict[str, Any], tmp_path: Any) -> Iterator[EmulatedVendors]:
    with EmulatedVendors(world, tmp_path / "emulators") as served:
        yield served


def through_gateway(running: EmulatedVendors) -> requests.Session:
    """A session as the product has it: production URLs, the gateway as its only way out."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(running.ca_file)
    session.proxies = {"https": running.gateway_url, "http": running.gateway_url}
    return session


@pytest.fixture
def session(running: EmulatedVendors) -> Iterator[requests.Session]:
    with through_gateway(running) as opened:
        yield opened


@pytest.fixture
def salesforce(world: dict[str, Any], session: requests.Session) -> Salesforce:
    access = world["salesforce"]
    return Salesforce(
        consumer_key=access["client_id"],
        consumer_secret=access["client_secret"],
        domain=access["domain"],
        version="66.0",
        session=session,
    )
