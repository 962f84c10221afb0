"""The real companies the world is made of. Their source and licence are in LICENSE-DATA.md."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Company:
    """A company as public data describes it. Unknown strings are empty.

    `key` is its web domain; a subsidiary that shares its parent's domain has "domain#name".
    `size` is a band of market value ("mega" … "nano"), empty when unknown. `parent` is the parent's key.
    """

    key: str
    name: str
    website: str
    domain: str
    country: str
    state: str
    city: str
    postcode: str
    sector: str
    industry: str
    size: str
    parent: str


def load_companies() -> tuple[Company, ...]:
    """Every company of the shipped file, in the file's order."""
    packed = resources.files("emulators.world").joinpath("companies.csv.gz").read_bytes()
    rows = csv.DictReader(io.StringIO(gzip.decompress(packed).decode("utf-8")))
    return tuple(Company(**row) for row in rows)
