"""Coverage: the accounts that the map leaves out, and those that only a supporting role is for."""

from dataclasses import replace

from ownership.conditions import Condition, Test
from ownership.coverage import Coverage, coverage
from ownership.entries import Assign, TeamRole, Territory
from ownership.model import Account, Period
from ownership.policy import Policy

TODAY = "2026-11-25"


def country(code: str) -> Condition:
    return Test("country", "is", code)


def accounts(*codes: str | None) -> list[Account]:
    return [Account(f"a{n}", "A", {"country": code}) for n, code in enumerate(codes)]


US, BARE = Territory("us", "US", country("us"), owner="ann"), Territory("br", "Brazil", country("br"))
OVERLAID = Policy(
    "p",
    territories=(US, BARE),
    team=(
        TeamRole("overlay", Assign("bob"), country("br")),
        TeamRole("partner", Assign("bob"), country("pl")),
        TeamRole("partner", Assign("bob"), country("za"), Period(until="2026-11-24")),
    ),
    overlays_count=True,
)


def test_coverage_counts_the_accounts_in_no_territory_by_country() -> None:
    measured = coverage(accounts("US", "PL", "PL", None, "BR", "ZA"), Policy("p", territories=(US, BARE)), TODAY)
    assert measured == Coverage(6, {"PL": 2, "ZA": 1, "unknown": 1}, {"br": 1})
    assert list(measured.in_no_territory) == ["PL", "ZA", "unknown"]
    assert measured.uncovered == 5
    assert coverage([], Policy("p"), TODAY) == Coverage(0, {}, {})


def test_a_role_beside_an_owner_who_is_missing_is_no_coverage_unless_the_policy_says_so() -> None:
    some = accounts("US", "PL", "BR", "BR", "ZA")
    measured = coverage(some, replace(OVERLAID, overlays_count=False), TODAY)
    assert measured == Coverage(5, {"PL": 1, "ZA": 1}, {"br": 2})
    measured = coverage(some, OVERLAID, TODAY)
    assert measured == Coverage(5, {"ZA": 1}, {}, {"overlay": 2, "partner": 1}), "and a role that has ended is none"
    assert measured.uncovered == 1


def test_an_account_that_somebody_serves_is_not_counted_for_its_overlay() -> None:
    everywhere = replace(OVERLAID, team=(TeamRole("overlay", Assign("bob")),))
    assert coverage(accounts("US", None), everywhere, TODAY).by_overlay == {"overlay": 1}
