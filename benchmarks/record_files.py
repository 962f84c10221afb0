"""Files of records with the company of each known, as duplicates are measured and learnt on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.companies import make_market
from benchmarks.gold_sets import load
from ownership.matching.company import Company


@dataclass
class File:
    """One file of records; `entity` says which company each is, by id."""

    name: str
    records: list[Company]
    entity: dict[str, str]


def file_of(name: str, folder: Path) -> File:
    """A gold set with its leads among its accounts."""
    gold = load(name, folder)
    owner = {account: gold.entity[lead] for lead, account in gold.gold.items() if account}
    entity = {account.id: owner.get(account.id, account.id) for account in gold.accounts} | gold.entity
    return File(name, [*gold.accounts, *gold.leads], entity)


def made_up(accounts: int, seed: int = 1) -> File:
    """A market with duplicates and planted junk, of which nothing is real."""
    market = make_market(accounts, 1, seed=seed)
    return File("S", market.accounts, {id_: str(company) for id_, company in market.company_of.items()})
