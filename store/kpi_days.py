"""Key figures by day, so that there is a line over time. One value for each day, scope, period and figure: measuring a
day again replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import Row

from ownership.kpis.measuring import Figure, Part
from store.statements import upsert
from store.tables import kpi_day, pipeline_run

STANDING = 0
"""The period of figures about how things stand."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure as it was measured. `period` is `STANDING` for how things stand, else so many days."""

    scope: str
    period: int
    day: str
    kpi: str
    figure: Figure
    measured_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Night:
    """What a figure was on a day, and the run that took it, with its run in Prefect where it has one."""

    day: str
    value: float | None
    run_id: str
    flow: str | None
    flow_run_id: str | None


class KpiDays:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(
        self, day: str, figures: Mapping[tuple[str, int, str], Figure], run_id: str, measured_at: datetime
    ) -> None:
        """Keep a day's figures by scope, period and id."""
        rows = [
            {
                "scope": scope,
                "period": period,
                "day": day,
                "kpi": kpi,
                "value": figure.value,
                "n": figure.n,
                "note": figure.note,
                "parts": [asdict(part) for part in figure.parts],
                "measured_at": measured_at,
                "run_id": run_id,
            }
            for (scope, period, kpi), figure in figures.items()
        ]
        upsert(self._connection, kpi_day, rows)

    def last_day(self) -> str | None:
        """The last day (ISO date) of which there are figures."""
        day: str | None = self._connection.execute(select(func.max(kpi_day.c.day))).scalar_one()
        return day

    def of_day(self, day: str, scope: str, period: int) -> dict[str, Measured]:
        """The figures of a scope on a day by id: those of how things stood, and those over this period."""
        columns = kpi_day.c
        rows = self._connection.execute(
            select(kpi_day).where(columns.scope == scope, columns.period.in_((STANDING, period)), columns.day == day)
        )
        return {row.kpi: _to_measured(row) for row in rows}

    def lines(self, scope: str, period: int, since: str) -> dict[str, list[tuple[str, float | None]]]:
        """Each figure's values by day since a day, the oldest first."""
        columns = kpi_day.c
        rows = self._connection.execute(
            select(columns.kpi, columns.day, columns.value)
            .where(columns.scope == scope, columns.period.in_((STANDING, period)), columns.day >= since)
            .order_by(columns.day)
        )
        found: dict[str, list[tuple[str, float | None]]] = {}
        for kpi, day, value in rows:
            found.setdefault(kpi, []).append((day, value))
        return found

    def nights(self, scope: str, period: int, kpi: str, since: str) -> list[Night]:
        """One figure's values by day since a day, the latest first."""
        one, run = kpi_day.c, pipeline_run.c
        rows = self._connection.execute(
            select(one.day, one.value, one.run_id, run.flow, run.flow_run_id)
            .outerjoin(pipeline_run, run.run_id == one.run_id)
            .where(one.scope == scope, one.period == period, one.kpi == kpi, one.day >= since)
            .order_by(one.day.desc())
        )
        return [Night(*row) for row in rows]


def _to_measured(row: Row[Any]) -> Measured:
    parts = tuple(Part(**part) for part in row.parts)
    figure = Figure(row.value, row.n, row.note, parts)
    return Measured(row.scope, row.period, row.day, row.kpi, figure, row.measured_at, row.run_id)
