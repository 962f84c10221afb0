"""Key figures of a book small enough to count by hand, on both databases.

Ann (east, one account at most) has two, Bob (west, two at most) has one, Cid has left and still has one, and one
lies in no territory and is nobody's. A lead waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.registry import Connectors
from ownership.entries import Territory
from ownership.kpis.catalogue import BY_ID, KPIS, Behind
from ownership.kpis.measuring import Figure
from ownership.kpis.scopes import COMPANY, scopes_of
from ownership.model import LEAD, Account
from ownership.policy import Policy
from store.drift import NewDrift
from store.engine import Store
from store.kpi_lists import BadCursor
from store.recording import Recording
from tasks.context import RunContext
from tasks.kpis import Board, board, listed, take_kpis
from tests.store.business import owned_by, salesforce
from tests.unit.small_company import at, company, rep
from tests.unit.test_coverage import country

NOW = at("2026-11-25")
LONG_AGO = NOW - timedelta(days=40)
HOUR = timedelta(hours=1)
POLICY = Policy(
    "p",
    territories=(
        Territory("us", "United States", country("us"), owner="ann"),
        Territory("emea", "Europe", country("de")),
        Territory("de", "Germany", country("de"), parent="emea", owner="bob"),
    ),
)
ROSTER = company(
    rep("ann", team="east", capacity=1),
    rep("bob", team="west", capacity=2),
    rep("cid", team="west", active=False),
)
ANN_1: dict[str, Any] = {
    "country": "US",
    "mrr_cents": 100_00,
    "paying": True,
    "renewal_on": "2026-11-30",
    "activity_on": "2026-11-24",
    "has_primary_contact": True,
    "consent": True,
}
ANN_2: dict[str, Any] = {"country": "US", "mrr_cents": 300_00, "paying": True}
FIELDS: dict[str, dict[str, Any]] = {
    "ann-1": ANN_1,
    "ann-2": ANN_2,
    "bob-1": {"country": "DE", "has_primary_contact": True},
    "cid-1": {"country": "DE"},
    "lost": {},
}


@pytest.fixture
def context(store: Store) -> RunContext:
    loaded = LoadedPolicy(POLICY, ROSTER, "p1", "p1")
    return RunContext(Settings(_env_file=None), store, Connectors(), loaded, run_id="tonight", clock=lambda: NOW)


@pytest.fixture
def book(context: RunContext) -> RunContext:
    """What happened: forty days ago three were asked and Bob's account was given unasked; ten days ago Cid got it."""
    know(context, FIELDS, LONG_AGO)
    record(
        context,
        LONG_AGO,
        *(owned_by(id_, id_[:3], offer_due_by=LONG_AGO + 24 * HOUR) for id_ in ("ann-1", "ann-2", "bob-1")),
    )
    record(context, LONG_AGO, owned_by("cid-1", "bob"))
    answer(context, "ann-1", "accepted", LONG_AGO + 2 * HOUR)
    answer(context, "ann-2", "expired", LONG_AGO + 24 * HOUR)
    answer(context, "bob-1", "accepted", LONG_AGO + 30 * HOUR)
    record(context, NOW - timedelta(days=10), owned_by("cid-1", "cid"))
    overwritten = NewDrift(
        *("salesforce", "Account", "001-ann-1", "v1", "row", "ann-1", "ann", "?005", "005", None),
        *("person", "hold", "somebody changed it"),
    )
    context.store.run(lambda uow: uow.drift.add([overwritten], "drift", NOW - timedelta(days=5)))
    take_kpis(context)
    return context


def know(context: RunContext, fields: dict[str, dict[str, Any]], when: datetime) -> None:
    some = [Account(id_, id_.title(), values, (salesforce(id_),)) for id_, values in fields.items()]
    some.append(Account("lead-1", "Lee", {"country": "US", "consent": False}, kind=LEAD))
    context.store.run(lambda uow: uow.accounts.save(some, when))


def record(context: RunContext, when: datetime, *batch: Recording) -> None:
    context.store.run(lambda uow: uow.record(batch, f"run-{when:%d}", when))


def answer(context: RunContext, account_id: str, state: str, when: datetime) -> None:
    def say(uow: Any) -> None:
        offer = uow.offers.of_account(account_id)
        assert uow.offers.answer(offer.offer_id, state, offer.owner_id, when)

    context.store.run(say)


def on(context: RunContext, scope: str = COMPANY, period: int = 90) -> Board:
    return board(context, scopes_of(context.policy.policy, context.policy.roster)[scope], period)


def figures(context: RunContext, scope: str = COMPANY, period: int = 90) -> dict[str, Figure]:
    return {id_: one.figure for id_, one in on(context, scope, period).figures.items()}


def names(context: RunContext, kpi: str, scope: str = COMPANY, period: int = 90) -> list[str]:
    return [one.account_id for one in listed(context, BY_ID[kpi], on(context, scope, period), "", 50)]


def parts(figure: Figure) -> dict[str, float]:
    return {part.label: part.value for part in figure.parts}


def test_every_figure_is_what_counting_by_hand_gives(book: RunContext) -> None:
    found = figures(book)
    assert {id_: (figure.value, figure.n) for id_, figure in found.items()} == {
        "unassigned": (2, 5),  # lost, and cid-1 whose owner has left
        "overloaded": (1, 2),  # Ann: two accounts, capacity one
        "no_activity": (2, 4),  # ann-2 and bob-1: nothing since they were given forty days ago
        "coverage": (3 / 5, 5),
        "territory_coverage": (0, 3),  # lost lies in none
        "time_to_ownership": (2, 3),  # 0 (given), 2 and 30 hours; ann-2, lost and the lead wait
        "sla": (1 / 3, 3),  # Bob said yes after 30 hours, ann-2 ran out
        "acceptance": (2 / 3, 3),
        "reassignment": (pytest.approx(1 / 4 * 91 / 90), 1),
        "revenue_per_owner": ((1200 + 3600) / 2, 2),
        "workload_balance": (pytest.approx(0.3), 2),  # loads of 2 and 0.5
        "contact_known": (2 / 5, 5),
        "consent_known": (2 / 6, 6),
        "drift": (1, 1),
        "renewal_lift": (None, 0),
        "expansion_lift": (None, 0),
        "forecast_delta": (None, 0),
    }
    assert set(found) == {kpi.id for kpi in KPIS}
    assert (
        found["time_to_ownership"].note == "90th percentile 24.4 h; accepted 16.0 h after the first offer; 3 still wait"
    )
    assert found["overloaded"].note == "1 account above capacity"
    assert found["drift"].note == "1 open"
    assert parts(found["drift"]) == {"person · hold": 1}
    assert found["forecast_delta"].note.startswith("no account has `forecast_cents` and `booked_cents`")
    assert parts(found["coverage"]) == {"in no territory": 0, "Germany": 0.5, "United States": 1}
    assert parts(found["reassignment"]) == {"territory": 1}
    assert parts(found["time_to_ownership"]) | {"over 3 days": 0} == {
        **{"under 1 h": 1, "1–4 h": 1, "4–8 h": 0, "8–24 h": 0, "1–3 days": 1, "over 3 days": 0},
    }


def test_a_shorter_period_holds_only_what_happened_in_it(book: RunContext) -> None:
    found = figures(book, period=30)
    assert found["sla"] == Figure(None, 0, "there is no offer answered to count")
    assert found["time_to_ownership"] == Figure(None, 0, "nothing was first seen in the period")
    assert found["reassignment"].value == pytest.approx(1 / 4 * 91 / 30)
    assert found["coverage"].value == 3 / 5, "how things stand is the same whatever the period"


def test_a_team_has_the_figures_of_its_people_and_a_territory_those_of_all_below_it(book: RunContext) -> None:
    east, reports, europe = figures(book, "team:east"), figures(book, "reports:mia"), figures(book, "territory:emea")
    assert (east["coverage"].value, east["coverage"].n) == (1, 2)
    assert (east["sla"].value, east["sla"].n) == (1 / 2, 2)
    assert (reports["unassigned"].value, reports["unassigned"].n) == (1, 4), "nobody's accounts are no team's"
    assert (europe["coverage"].value, europe["coverage"].n) == (1 / 2, 2)
    assert figures(book, "team:west")["reassignment"].n == 1, "Bob lost it"
    assert figures(book, "team:west")["workload_balance"].note == "one rep alone cannot be out of balance"


def test_behind_each_figure_stand_the_accounts_it_counted(book: RunContext) -> None:
    assert names(book, "unassigned") == ["lost", "cid-1"]
    assert names(book, "coverage", "territory:de") == ["cid-1"]
    assert names(book, "overloaded") == ["ann-2", "ann-1"], "the most revenue first"
    assert sorted(names(book, "no_activity")) == ["ann-2", "bob-1"]
    assert sorted(names(book, "sla")) == ["ann-2", "bob-1"]
    assert names(book, "acceptance") == ["ann-2"]
    assert names(book, "reassignment") == ["cid-1"]
    assert names(book, "drift") == ["ann-1"]
    assert names(book, "revenue_per_owner", "team:east") == ["ann-2", "ann-1"]
    assert sorted(names(book, "contact_known")) == ["ann-2", "cid-1", "lost"]
    assert sorted(names(book, "consent_known")) == ["ann-2", "bob-1", "cid-1", "lost"]
    assert len(names(book, "time_to_ownership")) == 6
    for kpi in ("renewal_lift", "expansion_lift", "forecast_delta", "workload_balance", "territory_coverage"):
        names(book, kpi)


@pytest.mark.parametrize("kpi", ["contact_known", "time_to_ownership", "sla", "reassignment", "drift"])
def test_page_by_page_a_list_is_the_same_as_at_once(book: RunContext, kpi: str) -> None:
    whole = listed(book, BY_ID[kpi], on(book), "", 50)
    paged, after = [], ""
    while some := listed(book, BY_ID[kpi], on(book), after, 1):
        paged, after = paged + some, some[-1].cursor
    assert paged == whole
    with pytest.raises(BadCursor):
        listed(book, BY_ID[kpi], on(book), "no|place|at|all", 1)


def test_accounts_of_several_owners_with_the_same_revenue_come_once_each_page_by_page(book: RunContext) -> None:
    alike = {id_: {"country": "US", "mrr_cents": 300_00} for id_ in ("Ann-9", "ann_9", "B-1", "b-2", "a-é", "ann-3")}
    know(book, FIELDS | alike, NOW - HOUR)
    record(book, NOW - HOUR, *(owned_by(id_, ("ann", "bob")[at % 2]) for at, id_ in enumerate(alike)))
    take_kpis(book)
    paged, after = [], ""
    while some := listed(book, BY_ID["revenue_per_owner"], on(book), after, 2):
        paged, after = paged + [each.account_id for each in some], some[-1].cursor
    assert (len(paged), set(paged)) == (9, {*alike, "ann-1", "ann-2", "bob-1"})
    assert names(book, "revenue_per_owner", "team:west")[0] in alike
    assert "ann-1" not in names(book, "revenue_per_owner", "team:west")


def test_a_policy_that_counts_overlays_covers_what_somebody_supports(book: RunContext) -> None:
    supported: Callable[..., Any] = lambda uow: uow.health.save(  # noqa: E731
        [replace(each.before, supported=True) for each in uow.health.next_accounts("", 9) if each.account_id == "lost"]
    )
    book.store.run(supported)
    loaded = replace(book.policy, policy=replace(book.policy.policy, overlays_count=True))
    counting = RunContext(book.settings, book.store, book.connectors, loaded, clock=book.clock)
    assert names(counting, "coverage") == ["cid-1"]


def test_renewals_losses_and_growth_are_seen_from_one_night_to_the_next_and_kept_once(book: RunContext) -> None:
    tomorrow = RunContext(
        *(book.settings, book.store, book.connectors, book.policy), clock=lambda: NOW + timedelta(days=1)
    )
    renewed = {**ANN_1, "renewal_on": "2027-11-30", "mrr_cents": 120_00}
    know(book, {**FIELDS, "ann-1": renewed, "ann-2": {**ANN_2, "paying": False}}, NOW + HOUR)
    for _ in range(2):
        take_kpis(tomorrow)
    seen = listed(tomorrow, BY_ID["renewal_lift"], on(tomorrow), "", 9)
    assert {one.account_id: one.what for one in seen} == {
        "ann-1": "renewed on 2026-11-26, owner for 41 days",
        "ann-2": "lost on 2026-11-26, owner for 41 days",
    }
    assert names(tomorrow, "expansion_lift") == ["ann-1"]
    needed = "not enough data: 0 renewals and losses under stable owners and 2 under others, of 20 needed each"
    assert figures(tomorrow)["renewal_lift"].note == needed
    assert [day for day, _ in on(tomorrow).lines["coverage"]] == ["2026-11-25", "2026-11-26"]


def test_a_day_taken_again_is_replaced_and_an_account_that_is_gone_counts_no_more(book: RunContext) -> None:
    book.store.run(lambda uow: uow.accounts.mark_gone(["lost"], NOW))
    take_kpis(book)
    assert figures(book)["coverage"].n == 4
    assert len(on(book).lines["coverage"]) == 1


def test_every_figure_says_what_is_listed_behind_it() -> None:
    assert {kpi.id for kpi in KPIS if kpi.behind is not Behind.ACCOUNTS} <= {kpi.id for kpi in KPIS if kpi.over_period}
