"""How long one pass takes when many offers run out in the same minute: `make bench-escalate`, OFFERS=1000 for fewer.

Made-up firms are assigned on a SQLite file, a day goes by without an answer, and one pass moves every offer on. Then a
twentieth of it once more on another file with one offer to a transaction, as a comparison. What has to hold is counted:
each offer ended once, and whoever is asked next is told once.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ownership.model import Account, Ref
from ownership.policy import Roster
from tasks import acceptance
from tasks.acceptance import escalate_due
from tasks.assignment import assign_accounts
from tasks.rehearsal import Rehearsal, rehearse

PART = 20
MARKETS = (("DE", "mid_market"), ("US", "smb"), ("GB", "mid_market"), ("US", "enterprise"))


def main(offers: int) -> None:
    whole = escalated(offers, acceptance.BATCH)
    one_by_one = escalated(max(offers // PART, 1), 1)
    figures = {
        **whole,
        "one_by_one_offers": one_by_one["offers"],
        "one_by_one_s": one_by_one["pass_s"],
        "times_faster": round(one_by_one["ms_each"] / whole["ms_each"], 1),
    }
    print(json.dumps(figures))


def escalated(number: int, batch: int) -> dict[str, Any]:
    """Let so many offers run out and move them on, `batch` to a transaction."""
    acceptance.BATCH = batch
    with TemporaryDirectory() as folder:
        company = offered(Path(folder), number)
        company.pass_time(hours=25)
        company.new_run()
        start = time.perf_counter()
        done = escalate_due(company.context)
        seconds = time.perf_counter() - start
        company.new_run()
        second = escalate_due(company.context)
        told = notices(company)
        company.context.store.close()
    return {
        "offers": done.looked_at,
        "pass_s": round(seconds, 2),
        "ms_each": round(1000 * seconds / max(done.looked_at, 1), 3),
        "asked_next": len(done.moves) + len(done.offers),
        "told_twice": len(told) - len(set(told)),
        "left_for_a_second_pass": second.looked_at,
    }


def offered(folder: Path, number: int) -> Rehearsal:
    """A company that has just offered so many accounts to its reps, who may own any number."""
    company = rehearse(folder)
    policy, reps = company.context.policy, company.context.policy.roster.reps
    company.adopt(replace(policy, roster=Roster({id_: replace(rep, capacity=None) for id_, rep in reps.items()})))
    company.new_run()
    accounts = [account(place) for place in range(number)]
    company.context.store.run(lambda uow: uow.accounts.save(accounts, company.now[0]))
    assign_accounts(company.context)
    return company


def account(place: int) -> Account:
    """A firm of one of four markets, each with a pool of its own."""
    country, segment = MARKETS[place % len(MARKETS)]
    fields = {"country": country, "segment": segment, "domain": f"firma{place}.example", "in_crm": True}
    return Account(f"acc_{place:07}", f"Firma {place}", fields, (Ref("salesforce", "Account", f"001{place:07}"),))


def notices(company: Rehearsal) -> list[tuple[str, str]]:
    """Who was told of which offer."""
    with company.context.store.transaction(readonly=True) as uow:
        return [(each.email + each.channel, each.offer_id) for each in uow.notifications.pending() if each.offer_id]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
