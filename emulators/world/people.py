"""The people of Northwind Data as its tools know them. A test keeps `people.csv` equal to the example roster."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the tools. `left_on` is an ISO date, empty while the person is here; `number` makes their ids."""

    number: int
    id: str
    name: str
    email: str
    role: str
    team: str
    left_on: str

    @property
    def active(self) -> bool:
        return not self.left_on

    @property
    def human(self) -> bool:
        """False for the integration user, which exists in Salesforce alone."""
        return self.role != "integration"


def load_people() -> tuple[Person, ...]:
    """Everyone in `people.csv`, in the file's order; the integration user is last."""
    text = resources.files("emulators.world").joinpath("people.csv").read_text(encoding="utf-8")
    return tuple(Person(number=number, **row) for number, row in enumerate(csv.DictReader(io.StringIO(text))))
