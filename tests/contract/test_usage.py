"""Product usage keeps every promise, from a database and from a file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.errors import ConnectorStopped, SchemaChanged
from connectors.usage import COLUMNS, UsageConnector
from tests.contract.promises import SourceCase, SourcePromises, everything

START = datetime(2026, 11, 1, tzinfo=UTC)
QUERY = f"SELECT {', '.join(COLUMNS)} FROM workspace_usage"


def workspace(n: int, **other: Any) -> dict[str, Any]:
    # Two workspaces share each instant, so that a page can end between them.
    at = (START + timedelta(hours=n // 2)).isoformat()
    row = dict(zip(COLUMNS, (f"ws_{n:03}", f"Team {n}", f"o{n}@acme.example", "", 5 + n, at, at), strict=True))
    return row | other


class TestUsageDatabase(SourcePromises):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'usage.db'}")
        rows = [workspace(n) for n in range(7)]
        with engine.begin() as db:
            db.execute(sa.text(f"CREATE TABLE workspace_usage ({', '.join(COLUMNS)})"))
            names = ", ".join(f":{column}" for column in COLUMNS)
            db.execute(sa.text(f"INSERT INTO workspace_usage VALUES ({names})"), rows)

        def set_(column: str, value: str, id_: str) -> None:
            with engine.begin() as db:
                statement = sa.text(f"UPDATE workspace_usage SET {column} = :value WHERE workspace_id = :id")
                db.execute(statement, {"value": value, "id": id_})

        return SourceCase(
            UsageConnector(str(engine.url), QUERY, page_size=3),
            "usage",
            [row["workspace_id"] for row in rows],
            "ws_999",
            change=lambda id_: set_("updated_at", (START + timedelta(days=9)).isoformat(), id_),
            damage=lambda id_: set_("active_seats", "a few", id_),
        )

    def test_a_renamed_column_stops_the_stream_and_is_named(self) -> None:
        values = {column: f"'x' AS {column}" for column in COLUMNS if column != "active_seats"}
        query = f"SELECT {', '.join(values.values())}"
        with pytest.raises(SchemaChanged, match="active_seats"):
            UsageConnector("sqlite://", query).check()

    def test_a_missing_table_stops_the_stream(self) -> None:
        with pytest.raises(SchemaChanged, match="workspace_usage"):
            list(UsageConnector("sqlite://", QUERY).pull("usage"))

    def test_a_url_of_an_unknown_database_names_the_setting(self) -> None:
        with pytest.raises(ConnectorStopped, match="STEWARD_USAGE_URL"):
            UsageConnector("oracle-of-delphi://x", QUERY)


class TestUsageFile(SourcePromises):
    @pytest.fixture
    def case(self, tmp_path: Path) -> SourceCase:
        path = tmp_path / "usage.csv"
        rows = {f"ws_{n:03}": workspace(n) for n in range(7)}

        def write() -> None:
            with path.open("w", newline="") as out:
                writer = csv.DictWriter(out, COLUMNS)
                writer.writeheader()
                writer.writerows(rows.values())

        def set_(column: str, value: str, id_: str) -> None:
            rows[id_][column] = value
            write()

        write()
        return SourceCase(
            UsageConnector(str(path), page_size=3),
            "usage",
            list(rows),
            "ws_999",
            change=lambda id_: set_("updated_at", (START + timedelta(days=9)).isoformat(), id_),
            damage=lambda id_: set_("active_seats", "a few", id_),
        )

    def test_an_instant_shared_by_two_workspaces_loses_neither(self, case: SourceCase) -> None:
        rows, _ = everything(case.source, case.stream)
        assert len(rows) == len(case.ids)

    def test_a_missing_file_names_the_setting(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectorStopped, match="STEWARD_USAGE_URL"):
            UsageConnector(str(tmp_path / "none.csv")).check()
