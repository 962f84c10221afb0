"""Rows of a file of companies, as matching and de-duplicating read them. Files are `tasks/account_files.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ownership.matching.company import Company
from tasks.account_files import OVERFLOW, Row, read_table, without_empty

COLUMNS = (
    *("id", "name", "domain", "website", "email", "country", "state", "city", "street", "postcode", "phone"),
    *("industry", "parent_id", "aliases", "lei", "duns", "tax_id"),
    *("customer", "open_opportunities", "activity_on", "owner"),
)
IDENTIFIERS = ("lei", "duns", "tax_id")
YES = frozenset(["true", "yes", "1"])


@dataclass(frozen=True, slots=True)
class CompanyFile:
    """The companies of a file, by row. A row that cannot be used has a reason instead."""

    companies: tuple[Company | None, ...]
    ids: tuple[str, ...]
    problems: dict[int, str]
    ignored: tuple[str, ...]
    owners: dict[str, str]

    def readable(self) -> Iterator[Company]:
        return (company for company in self.companies if company is not None)

    def lines(self, what: str) -> Iterator[str]:
        """What people should know of the file: columns and rows that were passed over."""
        if self.ignored:
            yield f"ignored columns of {what}: {', '.join(self.ignored)}"
        for number, problem in sorted(self.problems.items())[:10]:
            yield f"{what}, row {number + 1}: {problem}"
        if len(self.problems) > 10:
            yield f"{what}: {len(self.problems)} rows passed over in all"


def read_companies(path: Path) -> CompanyFile:
    """Read a .csv or .parquet file. Raises `UnreadableFile`; a row that cannot be used harms only itself."""
    table = read_table(path, COLUMNS)
    companies: list[Company | None] = []
    ids: list[str] = []
    problems: dict[int, str] = {}
    owners: dict[str, str] = {}
    seen: set[str] = set()
    for number, cells in enumerate(table.frame.iter_rows(named=True)):
        row = without_empty(cells)
        ids.append(row.get("id", ""))
        problem = _problem(row, seen)
        if problem:
            problems[number] = problem
            companies.append(None)
            continue
        seen.add(row["id"])
        companies.append(to_company(row))
        if "owner" in row:
            owners[row["id"]] = row["owner"]
    return CompanyFile(tuple(companies), tuple(ids), problems, table.ignored, owners)


def to_company(row: Row) -> Company:
    """What a row says of a company; flags and numbers that cannot be read count as unknown."""
    return Company(
        id=row["id"],
        name=row.get("name"),
        websites=tuple(_present(row, "domain", "website")),
        emails=tuple(_present(row, "email")),
        country=row.get("country"),
        state=row.get("state"),
        city=row.get("city"),
        street=row.get("street"),
        postcode=row.get("postcode"),
        phone=row.get("phone"),
        industry=row.get("industry"),
        aliases=tuple(alias.strip() for alias in row.get("aliases", "").split(";") if alias.strip()),
        ids={kind: row[kind] for kind in IDENTIFIERS if kind in row},
        parent_id=row.get("parent_id"),
        customer=row.get("customer", "").casefold() in YES,
        open_opportunities=int(row["open_opportunities"]) if row.get("open_opportunities", "").isdigit() else 0,
        activity_on=row.get("activity_on"),
    )


def _present(row: Row, *columns: str) -> Iterable[str]:
    return (cell for column in columns for cell in row.get(column, "").split(";") if cell.strip())


def _problem(row: Row, seen: set[str]) -> str:
    if "id" not in row:
        return "id is empty, and every row needs one"
    if row["id"] in seen:
        return f"id {row['id'][:80]} is that of an earlier row"
    if OVERFLOW in row:
        return f"the row has a cell too many, {row[OVERFLOW][:80]}; put quotes around text with commas"
    return ""
