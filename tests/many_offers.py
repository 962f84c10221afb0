"""Many offers at once: firms that fall to pools, whose reps are asked to accept them."""

from __future__ import annotations

from dataclasses import replace

from ownership.model import Account, Ref
from ownership.policy import Roster
from tasks.assignment import assign_accounts
from tasks.rehearsal import Rehearsal

MARKETS = (("US", "smb"), ("DE", "mid_market"), ("GB", "mid_market"), ("US", "enterprise"))


def made_offers(company: Rehearsal, number: int) -> None:
    """Offer so many firms, `acc_0` and so on, to reps who may own any number."""
    policy, reps = company.context.policy, company.context.policy.roster.reps
    company.adopt(replace(policy, roster=Roster({id_: replace(rep, capacity=None) for id_, rep in reps.items()})))
    company.new_run()
    company.context.store.run(lambda uow: uow.accounts.save([firm(each) for each in range(number)], company.now[0]))
    assign_accounts(company.context)


def firm(number: int) -> Account:
    country, segment = MARKETS[number % len(MARKETS)]
    domain = f"firma{number}.example"
    fields = {"country": country, "segment": segment, "domain": domain, "domains": [domain], "in_crm": True}
    return Account(f"acc_{number}", f"Firma {number}", fields, (Ref("salesforce", "Account", f"001{number:07}"),))
