"""The in-memory connectors keep every promise."""

from __future__ import annotations

import pytest

from connectors.base import OutsideUser
from connectors.memory import MemoryNotifier, MemorySource, MemoryTarget
from tests.contract.promises import (
    NotifierCase,
    NotifierPromises,
    OwnerTargetPromises,
    SourceCase,
    SourcePromises,
    TargetCase,
)

USERS = (
    OutsideUser("u1", "Dana Whitfield", "dana.whitfield@northwind-data.example", True),
    OutsideUser("u2", "Marcus Oyelaran", "marcus.oyelaran@northwind-data.example", True),
    OutsideUser("u3", "Gary Sutton", "gary.sutton@northwind-data.example", False),
)


def seeded() -> tuple[MemorySource, list[str]]:
    source = MemorySource(page_size=3)
    ids = [f"a{n}" for n in range(8)]
    for id_ in ids:
        source.put("accounts", id_, {"name": f"Company {id_}", "owner_external_id": "u2"})
    return source, ids


class TestMemorySource(SourcePromises):
    @pytest.fixture
    def case(self) -> SourceCase:
        source, ids = seeded()
        return SourceCase(
            source,
            "accounts",
            ids,
            "a99",
            change=lambda id_: source.put("accounts", id_, {"city": "Ulm"}),
            delete=lambda id_: source.delete("accounts", id_),
            damage=lambda id_: source.put("accounts", id_, {"employees": "about 50"}),
        )


class TestMemoryTarget(OwnerTargetPromises):
    @pytest.fixture
    def case(self) -> TargetCase:
        source, ids = seeded()
        target = MemoryTarget(source, USERS, write_batch=3)
        return TargetCase(
            target,
            ids,
            "a99",
            owners=("u1", "u2"),
            inactive_owner="u3",
            human_moves=lambda id_, owner: source.put("accounts", id_, {"owner_external_id": owner}, by="a person"),
        )


class TestMemoryNotifier(NotifierPromises):
    @pytest.fixture
    def case(self) -> NotifierCase:
        notifier = MemoryNotifier([USERS[0].email])
        return NotifierCase(notifier, USERS[0].email, lambda: len(notifier.delivered))
