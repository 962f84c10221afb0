"""Questions read what the account's decision needs, and get the answers that reading everything would give."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.registry import Connectors
from ownership.case import book_sizes
from ownership.counterfactual import Situation, what_if, why_not
from ownership.day import Day
from ownership.entries import Acceptance
from ownership.model import Account, Ref, Rep
from ownership.policy import Roster
from store.engine import open_store
from tasks.assignment import assign_accounts
from tasks.context import RunContext
from tasks.counterfactual import read_situation
from tasks.rules_in_effect import rules_in_effect
from tasks.state import load_state, with_missed_offers
from tests.store.business import owned_by, record
from tests.unit.test_assignment import NOW, World, any_world

QUEUE = Rep("waiting", "Waiting", "", "queue", "SMB")
MEANWHILE = st.sampled_from(["offered", "previous", "queue"])
some_ids = st.sets(st.sampled_from(["a0", "a1", "a2", "a3"]))


@contextmanager
def company(template: Path, world: World, leads: set[str], meanwhile: str, decided: set[str]) -> Iterator[RunContext]:
    """The world in a store of its own, after a run over the accounts in `decided`."""
    path = template.with_name("questions.db")
    shutil.copy(template, path)
    store = open_store(f"sqlite:///{path}")
    acceptance = Acceptance(meanwhile=meanwhile, queue=QUEUE.id if meanwhile == "queue" else "")
    policy = replace(world.policy, acceptance=acceptance)
    roster = Roster({**world.roster.reps, QUEUE.id: QUEUE})
    loaded = LoadedPolicy(policy, roster, policy.policy_hash, "{}")
    context = RunContext(Settings(_env_file=None), store, Connectors(), loaded, clock=lambda: NOW)
    accounts = [_stored(each, leads) for each in world.accounts] + [Account("outside", "Outside", {}, ())]
    store.run(lambda uow: uow.accounts.save(accounts, NOW))
    record(store, *(owned_by(id_, owner, pushes=()) for id_, owner in sorted(world.owners.items())))
    assign_accounts(context, lambda account: account.id in decided)
    try:
        yield context
    finally:
        store.close()


def _stored(account: Account, leads: set[str]) -> Account:
    """With records of its own: in a store each belongs to one account."""
    own = {ref: Ref(ref.source, ref.object_type, f"{account.id}-{ref.external_id}") for ref in account.refs}
    shown = {own[ref]: owner for ref, owner in account.crm_owners.items()}
    kind = "lead" if account.id in leads else "account"
    return replace(account, refs=tuple(own.values()), crm_owners=shown, kind=kind)


def with_everything_read(context: RunContext, account_id: str) -> Situation:
    """The situation of an account out of every account of the store, each counted."""
    with context.store.transaction(readonly=True) as uow:
        policy = rules_in_effect(uow, context.policy.policy)
        day = Day.of(policy, context.policy.roster, NOW)
        accounts = with_missed_offers(uow, day, list(uow.accounts.all()))
        owners = {id_: current.owner_id for id_, current in uow.ledger.current().items()}
        counted = Counter(book_sizes(accounts, owners, day.present, policy.system_of_record))
        if policy.acceptance.meanwhile != "offered":
            for each in accounts:
                offer = uow.offers.of_account(each.id)
                if offer and each.kind == "account":
                    counted.update({offer.owner_id: 1})
                    counted.subtract({owners[each.id]: 1})
        state = load_state(uow, day, accounts, counted, lock=False)
        account = next(each for each in accounts if each.id == account_id)
        return Situation(account, policy, context.policy.roster, state, day.now)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_world, some_ids, MEANWHILE, some_ids)
def test_why_not_and_what_if_answer_as_if_every_account_had_been_read(
    sqlite_template: Path, world: World, leads: set[str], meanwhile: str, decided: set[str]
) -> None:
    with company(sqlite_template, world, leads, meanwhile, decided) as context:
        for id_ in (each.id for each in world.accounts):
            narrow, whole = read_situation(context, id_), with_everything_read(context, id_)
            assert narrow is not None
            assert narrow.account == whole.account
            assert +Counter(narrow.state.load) == +Counter(whole.state.load)
            assert narrow.decide() == whole.decide()
            elsewhere = {"country": "DE", "do_not_route": None}
            assert what_if(narrow, elsewhere).decide() == what_if(whole, elsewhere).decide()
            for rep in ("ann", "bob", "cid", "zoe"):
                ours, theirs = why_not(narrow, rep), why_not(whole, rep)
                assert (ours.gate, ours.step) == (theirs.gate, theirs.step)
                assert [change.what for change in ours.changes] == [change.what for change in theirs.changes]
