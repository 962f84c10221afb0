"""Accounts that are somebody else's until they are accepted, over weeks of whatever can happen to them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from config.policy_files import LoadedPolicy, load_policy
from store.offers import OFFERED
from tasks.acceptance import accept_account, decline_account, escalate_due
from tasks.rehearsal import Rehearsal, rehearse

pytestmark = pytest.mark.slow

PEOPLE = ("ann", "bob", "cem", "dee")
ROSTER = {
    "apiVersion": "steward/v1",
    "kind": "Roster",
    "reps": [
        {
            **{"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales"},
            **({"manager": "dee"} if id_ != "dee" else {}),
            **({"capacity": 6} if id_ == "bob" else {}),
        }
        for id_ in PEOPLE
    ],
    "queues": [{"id": "desk", "name": "Desk", "email": "desk@team.example"}],
}
POLICY = {
    "apiVersion": "steward/v1",
    "kind": "Policy",
    "name": "Waiting",
    "order": [
        *("do_not_route", "gate", "override", "named", "returned", "parent_owner", "rules"),
        *("existing_owner", "territory"),
    ],
    "named": [{"domain": "company3.com", "owner": "cem"}],
    "drift": {"human_edit": "accept"},
    "rules": [{"id": "selling", "when": {"lifecycle": "opportunity"}, "assign": {"pool": "sales"}}],
    "pools": [{"id": "sales", "members": [{"rep": rep} for rep in ("ann", "bob", "cem")], "memory": "rule"}],
    "team": [{"role": "csm", "when": {"employees": {"gte": 500}}, "assign": {"pool": "sales"}}],
    "territories": [{"id": "us", "when": {"country": "US"}, "pool": "sales"}],
    "existing_owner": {"forfeit_after_days": 10},
}


def loaded(folder: Path, meanwhile: Any) -> LoadedPolicy:
    policy = {**POLICY, "acceptance": {"hours": 24, "meanwhile": meanwhile}}
    (folder / "policy.yaml").write_text(json.dumps(policy))
    (folder / "roster.yaml").write_text(json.dumps(ROSTER))
    return load_policy(folder)


def something_happens(company: Rehearsal, chance: Random, number: int) -> None:
    id_ = f"00{number}"
    above = {"parent_external_id": f"00{chance.randrange(number)}"} if number and chance.random() < 0.2 else {}
    fields = {"country": chance.choice(["US", "US", "PE"]), "employees": chance.choice([50, 600]), **above}
    owner = chance.choice([None, None, "dee", "bob"])
    company.account("salesforce", id_, name=f"C {number}", website=f"company{number}.com", owner=owner, **fields)
    for _ in range(3):
        other = f"00{chance.randrange(number + 1)}"
        if chance.random() < 0.5:
            company.account("salesforce", other, lifecycle=chance.choice(["opportunity", "customer"]))
        elif chance.random() < 0.2:
            company.account("salesforce", other, owner=chance.choice(PEOPLE))
        else:
            company.account("salesforce", other, do_not_route=chance.random() < 0.3)


def somebody_answers(company: Rehearsal, chance: Random) -> None:
    with company.context.store.transaction(readonly=True) as uow:
        offers = [offer for rep in PEOPLE for offer in uow.offers.of_owner(rep)]
    for offer in chance.sample(offers, (len(offers) + 1) // 2):
        answer = chance.random()
        if answer < 0.4:
            accept_account(company.context, offer.account_id, offer.owner_id)
        elif answer < 0.7:
            decline_account(company.context, offer.account_id, offer.owner_id, "no")


def check(company: Rehearsal) -> None:
    """One owner of record who is there for each account, one open offer at most, and books that add up."""
    with company.context.store.transaction(readonly=True) as uow:
        owners = {id_: each.owner_id for id_, each in uow.ledger.current().items()}
        offers = Counter(offer.account_id for rep in PEOPLE for offer in uow.offers.of_owner(rep, OFFERED))
        waiting = {account: (asked, owner) for account, asked, owner in uow.offers.before_acceptance()}
        kinds = {account.id: account.kind for account in uow.accounts.all()}
        books, broken = uow.ledger.book_sizes(), uow.ledger.verify()
    assert broken is None
    assert set(owners.values()) <= {*PEOPLE, "desk"}
    assert set(offers.values()) <= {1}
    assert all(owner == owners[account] != asked for account, (asked, owner) in waiting.items())
    assert books == Counter(owner for id_, owner in owners.items() if kinds[id_] == "account")


@pytest.mark.parametrize("meanwhile", ["offered", "previous", {"queue": "desk"}], ids=["offered", "previous", "queue"])
@pytest.mark.parametrize("seed", range(2))
def test_deciding_again_changes_nothing_and_one_owner_is_left_at_every_moment(
    seed: int, meanwhile: Any, tmp_path: Path
) -> None:
    company, chance = rehearse(tmp_path, loaded(tmp_path, meanwhile)), Random(seed)
    for number in range(8):
        something_happens(company, chance, number)
        company.assign()
        company.push()
        company.assign()
        again = company.assign()
        assert (again.recorded, again.moves, again.offers) == (0, (), ())
        check(company)
        somebody_answers(company, chance)
        check(company)
        company.now[0] += timedelta(hours=chance.choice([1, 25]))
        company.new_run()
        escalate_due(company.context)
        check(company)
    with company.context.store.transaction(readonly=True) as uow:
        answered = [offer for rep in PEOPLE for offer in uow.offers.of_owner(rep, None) if offer.state != OFFERED]
    company.context.store.close()
    assert answered, "and something was there to look at"
