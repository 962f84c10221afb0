"""Real companies in two spellings with the right answer, from a folder of public data, as matching is measured on.

T1  names of patent holders: the spelling used most is the account, up to four others are leads
T2  US companies in two systems: the SEC's record is the account, another provider's the lead
T3  abbreviated names of exchange listings, with country and city: the company with its web site is the account
T4  former names of US companies: the present name is the account, a former one the lead
C   charities and schools in Chicago from several lists, with phone and address

Of some companies the account is left out, so that their leads belong to nobody. Which, follows from the company's id,
and so does the half in which a company is: thresholds are chosen on the first, figures are taken on the second.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ownership.matching.company import Company

Rows = list[dict[str, str]]


@dataclass
class GoldSet:
    """`gold` is the account a lead belongs to, None for none; `entity` the company of a lead, by lead."""

    name: str
    accounts: list[Company] = field(default_factory=list)
    leads: list[Company] = field(default_factory=list)
    gold: dict[str, str | None] = field(default_factory=dict)
    entity: dict[str, str] = field(default_factory=dict)

    def add_lead(self, lead: Company, account: str | None, entity: str) -> None:
        self.leads.append(lead)
        self.gold[lead.id] = account
        self.entity[lead.id] = entity


def part(text: str, of: int) -> int:
    """A number below `of` that follows from a text."""
    return int(sha256(text.encode()).hexdigest()[:8], 16) % of


def is_first_half(entity: str) -> bool:
    """Six of ten companies: those whose leads thresholds are chosen on."""
    return part("half" + entity, 10) < 6


def load(name: str, folder: Path) -> GoldSet:
    """One of the sets. Raises `FileNotFoundError` naming the file that is missing."""
    return SETS[name](folder)


def patent_holders(folder: Path) -> GoldSet:
    made = GoldSet("T1")
    spellings: Mapping[str, dict[str, int]] = defaultdict(dict)
    for row in rows_of(folder, "nber_assignee_clusters"):
        spellings[row["entity_id"]][row["name"]] = int(row["mentions"])
    for entity, names in spellings.items():
        order = sorted(names, key=lambda name: (-names[name], name))
        absent = part("absent" + entity, 1000) < 190
        if not absent:
            made.accounts.append(Company(entity, order[0]))
        others = sorted(order if absent else order[1:], key=lambda name: part(name, 10**6))
        for name in others[:4]:
            made.add_lead(Company(f"{entity}#{name}", name), None if absent else entity, entity)
    return made


def two_systems(folder: Path) -> GoldSet:
    made = GoldSet("T2")
    gold = {row["cik"]: row for row in rows_of(folder, "xcrm_sec_fd_gold")}
    for row in rows_of(folder, "sec_company_records"):
        if row["cik"] not in gold or part("absent" + row["cik"], 1000) >= 260:
            made.accounts.append(_sec(row))
    known = {account.id for account in made.accounts}
    for cik, row in gold.items():
        place = {"state": row["fd_state"], "city": row["fd_city"], "postcode": row["fd_postcode"]}
        lead = Company(f"q{cik}", row["fd_name"], (row["website"],), country="US", **place)
        made.add_lead(lead, cik if cik in known else None, cik)
    return made


def listings(folder: Path) -> GoldSet:
    made = GoldSet("T3")
    pairs = rows_of(folder, "fd_listing_name_pairs")
    absent = {row["domain"] for row in pairs if part("absent" + row["domain"], 1000) < 200}
    companies = {row["domain"]: row for row in rows_of(folder, "fd_company_records")}
    for row in companies.values():
        if row["domain"] not in absent:
            place = {name: row[name] for name in ("country", "state", "city", "postcode")}
            made.accounts.append(Company(row["domain"], row["name"], (row["website"],), **place))
    for number, row in enumerate(pairs):
        lead = Company(f"q{number}", row["listing_name"], country=row["country"], city=row["city"])
        made.add_lead(lead, None if row["domain"] in absent else row["domain"], row["domain"])
    return made


def former_names(folder: Path, with_aliases: bool = True) -> GoldSet:
    """With aliases, an account knows all former names but, for each lead, it is as if only those in the register were
    known: half of the companies keep theirs, the other half have none."""
    made = GoldSet("T4")
    names: Mapping[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows_of(folder, "sec_company_name_history"):
        names[row["cik"]].append((row["start_date"], row["name"]))
    for record in rows_of(folder, "sec_company_records"):
        former = sorted({name for _, name in names[record["cik"]]} - {record["name"]})
        account = _sec(record)
        aliases = tuple(former) if with_aliases else ()
        made.accounts.append(Company(account.id, account.name, country="US", aliases=aliases))
        for number, name in enumerate(former[:2]):
            made.add_lead(Company(f"{account.id}#{number}", name, country="US"), account.id, account.id)
    return made


def chicago(folder: Path) -> GoldSet:
    made = GoldSet("C")
    records: Mapping[str, Rows] = defaultdict(list)
    for row in rows_of(folder, "dedupe_chicago_orgs"):
        records[row["true_id"]].append(row)
    for entity, rows in records.items():
        absent = part("absent" + entity, 1000) < 150
        if not absent:
            made.accounts.append(_charity(entity, rows[0]))
        for row in rows if absent else rows[1:]:
            made.add_lead(_charity(f"{entity}#{row['id']}", row), None if absent else entity, entity)
    return made


SETS: Mapping[str, Callable[[Path], GoldSet]] = {
    "T1": patent_holders,
    "T2": two_systems,
    "T3": listings,
    "T4": former_names,
    "C": chicago,
}


def rows_of(folder: Path, name: str) -> Rows:
    """The rows of one public file. Raises `FileNotFoundError` naming it when it is missing."""
    with gzip.open(folder / f"{name}_dev.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sec(row: Mapping[str, str]) -> Company:
    place = {"state": row["state_or_country"], "city": row["city"], "street": row["street"]}
    return Company(row["cik"], row["name"], country="US", postcode=row["postcode"], phone=row["phone"], **place)


def _charity(id_: str, row: Mapping[str, str]) -> Company:
    websites, emails = (row["website"],) if row["website"] else (), (row["email"],) if row["email"] else ()
    said = {"street": row["address"], "postcode": row["zip"], "phone": row["phone"]}
    return Company(id_, row["name"].strip(), websites, emails, **said)
