"""What one change costs: `make bench-rematch`, ROWS=10000 for less.

One company's row changes among 100,000 staged ones (two CRMs, billing, and leads). The same change is matched by
linking everything and by linking what hangs together with it, each on a SQLite file, in one run; both have to come to
the same accounts. Comparing accounts that share no key is left out: only runs that link everything do it, once for each
account. The market is made up (`benchmarks/companies.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.companies import make_market
from ownership.matching.company import Company
from tasks import identity_likeness
from tasks.context import RunContext
from tasks.matching import Matched, match_accounts, match_changed_accounts
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal, rehearse

ROUNDS = 5


def main(rows: int) -> None:
    identity_likeness.MOST_COMPARED = 0
    with TemporaryDirectory() as folder:
        company = rehearse(Path(folder))
        names = fill(company, rows)
        pull(company)
        first = timed(company, match_accounts)
        part = [changed(company, names, number, match_changed_accounts) for number in range(ROUNDS)]
        before = accounts(company)
        company.new_run()
        match_accounts(company.context)
        same = before == accounts(company)
        whole = [changed(company, names, ROUNDS + number, match_accounts) for number in range(2)]
        company.context.store.close()
    figures = {
        "rows": rows,
        "first_full_s": round(first[0], 3),
        "full_s": round(min(seconds for seconds, _ in whole), 3),
        "incremental_s": round(sorted(seconds for seconds, _ in part)[ROUNDS // 2], 4),
        "rows_linked": max(matched.rows for _, matched in part),
        "same_accounts": same,
    }
    figures["times_faster"] = round(figures["full_s"] / figures["incremental_s"], 1)
    print(json.dumps(figures))


def fill(company: Rehearsal, rows: int) -> list[str]:
    """Put so many rows into the systems; returns the ids in Salesforce."""
    market = make_market(rows * 6 // 10, max(100, rows // 10))
    found = []
    for number, each in enumerate(market.accounts):
        company.account("salesforce", f"001{number:07}", **said_by(each))
        found.append(f"001{number:07}")
        if number % 3 == 0:
            company.account("hubspot", str(number), **said_by(each))
        if number % 6 == 0:
            company.account("stripe", f"cus_{number}", links={"salesforce": f"001{number:07}"}, mrr_cents=100)
    for number in range(rows // 10):
        domain = (market.accounts[number].websites or ("nowhere.example",))[0]
        company.lead("salesforce", f"00Q{number:07}", name=f"Person {number}", email=f"p{number}@{domain}")
    return found


def said_by(company: Company) -> dict[str, Any]:
    website = company.websites[0] if company.websites else None
    return {"name": company.name, "website": website, "country": company.country, "city": company.city}


def pull(company: Rehearsal) -> None:
    company.new_run()
    for source, connector in company.context.connectors.sources.items():
        for stream in connector.streams:
            pull_stream(company.context, source, stream)


def changed(
    company: Rehearsal, names: list[str], number: int, match: Callable[[RunContext], Matched]
) -> tuple[float, Matched]:
    """One company moves to another web domain."""
    id_ = names[(number + 1) * len(names) // (2 * ROUNDS + 2)]
    company.account("salesforce", id_, website=f"moved{number}.example")
    pull(company)
    return timed(company, match)


def timed(company: Rehearsal, match: Callable[[RunContext], Matched]) -> tuple[float, Matched]:
    start = time.perf_counter()
    matched = match(company.context)
    return time.perf_counter() - start, matched


def accounts(company: Rehearsal) -> dict[str, str]:
    """The content of every account and lead, as one hash each."""
    with company.context.store.transaction(readonly=True) as uow:
        return uow.accounts.hashes()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
