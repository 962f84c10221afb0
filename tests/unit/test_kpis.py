"""What key figures mean: lifts need enough cases, balance is a Gini coefficient; docs and code say the same."""

from pathlib import Path

import pytest

from ownership.kpis.catalogue import KPIS, PERIODS, Better, Unit
from ownership.kpis.counts import Cell, Company, Happened, Slice, cut
from ownership.kpis.health import Health, HealthReader, Ownership, outcomes
from ownership.kpis.measuring import Figure, gini, measure, percentile
from ownership.kpis.scopes import COMPANY, is_of_manager, scopes_of
from ownership.kpis.words import change_said, is_better, said
from ownership.model import ACCOUNT
from ownership.policy import Policy
from tests.unit.small_company import WEDNESDAY, at, company, queue, rep

DOCS = (Path(__file__).resolve().parents[2] / "docs/kpis.md").read_text()
ROSTER = company(rep("ann", capacity=10), rep("bob", capacity=10), rep("eve", manager="ann", left_on="2026-11-24"))
OWNED = Ownership("ann", at("2026-11-01"))


def figures(accounts: list[Cell] | None = None, scope: str = COMPANY, **happened: list[Cell]) -> dict[str, Figure]:
    whose = scopes_of(Policy("p"), ROSTER)[scope]
    return measure(cut(Company(WEDNESDAY, ROSTER), whose, accounts or [], Happened(90, **happened), {}))


def health(**fields: object) -> Health:
    usual = {"paying": True, "mrr_cents": 100, "renewal_on": "2026-12-01"}
    return HealthReader(Policy("p"), WEDNESDAY).health("a", ACCOUNT, at("2026-01-01"), {**usual, **fields}, OWNED)


def test_the_docs_define_every_figure_in_the_codes_own_words() -> None:
    for kpi in KPIS:
        over = "yes" if kpi.over_period else ""
        how = kpi.how.replace("|", "\\|")
        assert f"| {kpi.name} | `{kpi.id}` | {how} | {kpi.n} | {over} |" in DOCS
    assert DOCS.count("\n| ") == len(KPIS) + 1
    assert f"{', '.join(map(str, PERIODS[:-1]))} or {PERIODS[-1]} days" in DOCS


def test_every_figure_is_worked_out_for_a_company_without_anything() -> None:
    empty = measure(Slice(Company(WEDNESDAY, company()), 90, [], Happened(90), [], {}))
    assert set(empty) == {kpi.id for kpi in KPIS}
    assert all(figure.n == 0 for figure in empty.values())
    assert empty["coverage"].value is None, "nothing is covered by nobody: that is no 100 %"


def test_renewal_lift_is_the_difference_of_two_shares_once_both_have_twenty_cases() -> None:
    renewed = Cell("ann", "", {"stable": 18, "other": 15}, "renewed")
    lost = Cell("bob", "", {"stable": 2, "other": 10}, "lost")
    lift = figures(outcomes=[renewed, lost])["renewal_lift"]
    assert lift.value == pytest.approx(90 - 60)
    assert [(part.label, part.value, part.n) for part in lift.parts] == [
        ("stable owner", 0.9, 20),
        ("owner changed lately", 0.6, 25),
    ]
    one_less = Cell("bob", "", {"stable": 1, "other": 10}, "lost")
    assert figures(outcomes=[renewed, one_less])["renewal_lift"].value is None


def test_forecast_accuracy_is_one_minus_the_misses_over_what_was_booked() -> None:
    counts = {"forecasts_stable": 20, "booked_stable": 1000, "missed_stable": 100}
    counts |= {"forecasts_other": 20, "booked_other": 500, "missed_other": 150}
    assert figures([Cell("ann", "", counts)])["forecast_delta"].value == pytest.approx(90 - 70)


def test_a_queue_covers_an_account_but_is_no_rep_with_a_load() -> None:
    cells = [
        Cell("low-touch", "", {"accounts": 9}),
        Cell("ann", "", {"accounts": 10}),
        Cell("bob", "", {"accounts": 5}),
    ]
    found = figures(cells)
    assert found["coverage"].value == 1
    assert [(part.owner_id, part.value) for part in found["workload_balance"].parts] == [("ann", 1), ("bob", 0.5)]
    assert found["overloaded"].value == 0, "as many as the capacity is not too many"


def test_balance_is_nothing_among_equals_and_nears_one_when_one_has_everything() -> None:
    assert gini([3, 3, 3]) == pytest.approx(0)
    assert gini([0] * 99 + [5]) == pytest.approx(0.99)
    assert gini([0, 0]) == 0
    assert percentile([0, 2, 30], 50) == 2
    assert percentile([7], 90) == 7


@pytest.mark.parametrize(
    ("now", "became"),
    [
        ({}, ()),
        ({"renewal_on": "2027-12-01"}, ("renewed",)),
        ({"renewal_on": "2027-12-01", "mrr_cents": 90}, ("renewed", "shrunk")),
        ({"renewal_on": "2026-06-01"}, ()),
        ({"mrr_cents": 150}, ("expanded",)),
        ({"mrr_cents": None}, ()),
        ({"paying": False}, ("lost",)),
        ({"status": "Churned", "mrr_cents": 1}, ("lost",)),
    ],
)
def test_what_became_of_an_account_is_what_changed_overnight(now: dict[str, object], became: tuple[str, ...]) -> None:
    assert outcomes(health(), health(**now), WEDNESDAY) == became


def test_a_renewal_day_that_was_far_off_was_corrected_not_kept() -> None:
    before, now = health(renewal_on="2027-06-01"), health(renewal_on="2027-07-01")
    assert outcomes(before, now, WEDNESDAY) == ()
    assert outcomes(health(paying=False), health(), WEDNESDAY) == (), "who did not pay could not be lost, nor renew"


def test_it_is_quiet_since_the_last_activity_or_since_its_owner_got_it() -> None:
    assert health(activity_on="2026-11-20").quiet_since == "2026-11-20"
    assert health(activity_on="2026-10-20").quiet_since == "2026-11-01"
    assert health(activity_on="soon").quiet_since == "2026-11-01"


def test_reports_are_all_below_a_manager_and_only_their_own_are_named() -> None:
    scopes = scopes_of(Policy("p"), ROSTER)
    assert scopes["reports:mia"].owners == {"ann", "bob", "cid", "eve"}
    assert is_of_manager(scopes["reports:ann"], "mia", ROSTER)
    assert not is_of_manager(scopes["reports:mia"], "ann", ROSTER)
    assert not is_of_manager(scopes[COMPANY], "mia", ROSTER)
    assert not is_of_manager(scopes["team:smb"], "mia", ROSTER), "Mia is of the team and does not report to herself"
    assert queue().id not in {id_ for scope in scopes.values() for id_ in scope.owners or ()}


def test_figures_are_said_without_rounding_away_what_is_missing() -> None:
    assert said(0.99999, Unit.SHARE) == "over 99.9 %"
    assert said(0.0001, Unit.SHARE) == "under 0.1 %"
    assert [said(value, Unit.SHARE) for value in (0, 0.5, 1, None)] == ["0 %", "50 %", "100 %", "–"]
    assert [said(value, Unit.HOURS) for value in (0.5, 5, 60)] == ["30 min", "5.0 h", "2.5 days"]
    assert [said(value, Unit.MONEY) for value in (950, 12_500, 3_400_000, 2e9)] == ["950", "12.5 k", "3.4 m", "2.0 bn"]
    assert change_said(0.9, 0.95, Unit.SHARE) == "+5.0 points"
    assert change_said(12, 5, Unit.COUNT) == "−7"
    assert [is_better(1, 2, better) for better in Better] == [True, False, None]
