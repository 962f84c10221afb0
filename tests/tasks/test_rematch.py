"""Matching only what changed comes to the same as matching everything, whatever happens in whatever order."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.policy_files import LoadedPolicy
from config.settings import POLICY_DIR
from ownership.linking import CROWD, PROBLEM_KINDS
from ownership.model import ACCOUNT
from tasks import identity_likeness
from tasks.identity_words import Refused, Word, say_parent, say_same, say_split, withdraw
from tasks.matching import match_accounts, match_changed_accounts
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal, rehearse
from tests.policies import read_policy

Change = tuple[Any, ...]
Place = tuple[str, str]
Said = str | None
RECORDS = [("salesforce", "1"), ("salesforce", "2"), ("salesforce", "3"), ("hubspot", "7"), ("hubspot", "8")]
RECORDS += [("zendesk", "5"), ("zendesk", "6")]  # of a tool that follows
PLACES = [*RECORDS, ("stripe", "c1"), ("usage", "w1"), ("usage", "w2")]
SITES = st.sampled_from([None, "acme.com", "bolt.com", "cask.com"])
NAMES = st.sampled_from([None, "Acme", "Bolt", "ACME Inc."])
COUNTRIES = st.sampled_from([None, "US", "DE"])
LINKS = st.dictionaries(
    st.sampled_from(["salesforce", "hubspot", "stripe"]), st.sampled_from(["1", "2", "7", "c1"]), max_size=1
)

records = st.tuples(
    st.just("put"), st.sampled_from(RECORDS), SITES, NAMES, COUNTRIES, LINKS, st.sampled_from([None, "1", "2"])
)
facts = st.tuples(
    st.just("fact"),
    st.sampled_from([("stripe", "c1"), ("usage", "w1"), ("usage", "w2")]),
    SITES,
    LINKS,
    st.integers(1, 9),
)
leads = st.tuples(
    st.just("lead"),
    st.sampled_from([("salesforce", "L1"), ("hubspot", "L2")]),
    st.sampled_from(["ann@acme.com", "bob@bolt.com", "eve@gmail.com"]),
    st.sampled_from([None, "1", "7"]),
)
merges = st.tuples(st.just("merge"), st.permutations(RECORDS[:3]))
deletes = st.tuples(st.just("delete"), st.sampled_from(PLACES))
crowds = st.tuples(st.just("crowd"), st.sampled_from(["acme.com", "bolt.com"]), st.integers(CROWD - 1, CROWD + 2))
words = st.tuples(st.sampled_from(["same", "split", "withdraw", "parent"]), st.permutations(RECORDS))
changes = st.one_of(records, records, records, facts, leads, deletes, merges, crowds, words)


def pulled(company: Rehearsal) -> None:
    company.new_run()
    for source, connector in company.context.connectors.sources.items():
        for stream in connector.streams:
            pull_stream(company.context, source, stream)


def happen(company: Rehearsal, change: Change) -> None:
    """Something happens outside, or somebody says something."""
    what, *of = change
    acts: dict[str, Callable[..., None]] = {"put": put, "fact": bill, "lead": inbound, "crowd": crowd, "merge": merge}
    if what in acts:
        acts[what](company, *of)
    elif what == "delete":
        delete(company, *of[0])
    else:
        say(company, what, [f"{source}/{id_}" for source, id_ in of[0][:2]])


def put(company: Rehearsal, place: Place, domain: Said, name: Said, country: Said, links: Any, parent: Said) -> None:
    company.account(*place, name=name, website=domain, country=country, links=links, parent_external_id=parent)


def bill(company: Rehearsal, place: Place, domain: Said, links: Any, seats: int) -> None:
    company.account(*place, email=f"pay@{domain}" if domain else None, links=links, active_seats=seats)


def inbound(company: Rehearsal, place: Place, email: str, account: Said) -> None:
    company.lead(*place, email=email, account_external_id=account)


def crowd(company: Rehearsal, domain: str, count: int) -> None:
    for number in range(CROWD + 2):
        id_ = f"{domain[0]}{number:02}"
        if number < count:
            company.account("hubspot", id_, website=domain, name=None)
        else:
            delete(company, "hubspot", id_)


def merge(company: Rehearsal, places: list[Place]) -> None:
    (source, loser), (_, winner), _ = places
    stored = [company.sources[source].stored("accounts", id_) for id_ in (loser, winner)]
    if all(row and not row.deleted for row in stored):
        company.sources[source].merge("accounts", loser, winner)


def delete(company: Rehearsal, source: str, id_: str) -> None:
    row = company.sources[source].stored("accounts", id_)
    if row and not row.deleted:
        company.sources[source].delete("accounts", id_)


def say(company: Rehearsal, what: str, names: Sequence[str]) -> None:
    if what == "parent":
        with suppress(Refused):
            say_parent(company.context, *names, Word("ann"))
        return
    speak = {"same": say_same, "split": say_split, "withdraw": withdraw}[what]
    with suppress(Refused):  # in both companies alike
        speak(company.context, names, Word("ann"))


def seen(company: Rehearsal) -> dict[str, Any]:
    """Accounts, what leads from old ids to them, and what is in review."""
    with company.context.store.transaction(readonly=True) as uow:
        accounts = list(uow.accounts.all())
        return {
            "accounts": accounts,
            "aliases": uow.identity.now_ids(None),
            "review": sorted(
                (item.kind, item.dedup_key, item.account_id or "", str(item.detail))
                for kind in PROBLEM_KINDS
                for item in uow.exceptions.open_items(kind)
            ),
        }


@pytest.fixture(scope="module")
def policy() -> LoadedPolicy:
    return read_policy(POLICY_DIR)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory, policy: LoadedPolicy) -> Path:
    folder = tmp_path_factory.mktemp("blank")
    rehearse(folder, policy).context.store.close()
    return folder / "steward.db"


@pytest.fixture(autouse=True)
def _compare_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only comparing finds is left to the run that links everything."""
    monkeypatch.setattr(identity_likeness, "MOST_COMPARED", 0)


def company_in(folder: Path, blank: Path, policy: LoadedPolicy) -> Rehearsal:
    folder.mkdir()
    shutil.copy(blank, folder / "steward.db")
    return rehearse(folder, policy, tools=["zendesk"])


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.lists(changes, min_size=1, max_size=3), min_size=2, max_size=6))
def test_matching_what_changed_comes_to_the_same_as_matching_everything(
    days: list[list[Change]], blank: Path, policy: LoadedPolicy
) -> None:
    with TemporaryDirectory() as folder:
        one, other = (company_in(Path(folder) / name, blank, policy) for name in ("part", "whole"))
        for day in days:
            for company, match in ((one, match_changed_accounts), (other, match_accounts)):
                for change in day:
                    happen(company, change)
                pulled(company)
                match(company.context)
                company.pass_time(hours=1)
            assert seen(one) == seen(other)
        one.new_run()
        before = seen(one)
        match_accounts(one.context)
        assert seen(one) == before
        for company in (one, other):
            company.context.store.close()


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.lists(changes, min_size=1, max_size=3), min_size=2, max_size=5), settled=st.booleans())
def test_at_every_moment_each_account_has_one_owner_or_an_open_exception_and_books_and_ledger_hold(
    days: list[list[Change]], settled: bool, blank: Path, policy: LoadedPolicy
) -> None:
    with TemporaryDirectory() as folder:
        company = company_in(Path(folder) / "one", blank, policy)
        if settled:
            survivor = replace(policy.policy, conflicting_owners="survivor")
            company.adopt(replace(policy, policy=survivor))
        for number, day in enumerate(days):
            for change in day:
                happen(company, change)
            company.assign(changed=number % 2 == 1)
            company.pass_time(hours=1)
            with company.context.store.transaction(readonly=True) as uow:
                live = {account.id: account for account in uow.accounts.all()}
                owners = {id_: owner.owner_id for id_, owner in uow.ledger.current().items() if id_ in live}
                assert set(live) <= owners.keys() | uow.exceptions.open_accounts()
                books = Counter(owner for id_, owner in owners.items() if live[id_].kind == ACCOUNT)
                assert uow.ledger.book_sizes() == dict(books)
                assert uow.ledger.verify() is None
                aliases = uow.identity.now_ids(None)
                assert not aliases.keys() & live.keys()
        company.context.store.close()
