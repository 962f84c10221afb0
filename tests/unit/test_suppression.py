"""What marketing is shown while somebody works an account, and from which day on it may write again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.conditions import Test
from ownership.day import Day
from ownership.entries import SuppressionRule
from ownership.model import Period, Ref
from ownership.policy import Policy
from ownership.suppression import Standing, cleared, free_again_on, suppression_of
from tests.unit.small_company import NOON, account, at, company, lead, rep
from tests.unit.test_policy_files import POLICY, ROSTER, load, refused

COMPANY, CONTACT = Ref("hubspot", "company", "7"), Ref("hubspot", "contact", "l1")
EVERYWHERE = replace(account(), refs=(COMPANY, Ref("marketo", "lead", "9"), Ref("salesforce", "Account", "1")))
ENTRY = SuppressionRule("busy", "hubspot", "company", 10, "busy", "free_on")
ANNS = Standing("ann", at("2026-11-20"))


def day(now: datetime = NOON, *entries: SuppressionRule, timezone: str = "UTC") -> Day:
    policy = Policy("p", suppression=entries or (ENTRY,), timezone=timezone)
    return Day.of(policy, company(rep("gus", active=False)), now)


def shown(standing: Standing, now: datetime = NOON, *entries: SuppressionRule, about: Any = EVERYWHERE) -> Any:
    return suppression_of(about, standing, day(now, *entries))


def free(standing: Standing, now: datetime = NOON, timezone: str = "UTC") -> str:
    found = free_again_on(standing, 10, day(now, timezone=timezone))
    return found.isoformat() if found else "free"


def test_a_new_owner_keeps_marketing_away_until_the_days_are_over() -> None:
    assert shown(ANNS) == {COMPANY: {"busy": True, "free_on": "2026-11-30"}}
    assert shown(ANNS, at("2026-11-29", "23:59")) == {COMPANY: {"busy": True, "free_on": "2026-11-30"}}
    assert shown(ANNS, at("2026-11-30", "00:00")) == {}


def test_the_days_begin_when_the_owner_accepts() -> None:
    assert free(replace(ANNS, acceptance="accepted", accepted_at=at("2026-11-24"))) == "2026-12-04"


def test_whoever_is_asked_keeps_marketing_away_however_late_they_answer() -> None:
    asked = Standing("ann", at("2026-11-20"), "offered", None, at("2026-11-20"))
    assert free(asked) == "2026-11-30"
    assert free(asked, at("2026-12-24")) == "2026-12-25"


def test_an_account_that_is_offered_to_a_second_rep_while_the_first_has_it_is_worked_by_whoever_is_later() -> None:
    assert free(Standing("ann", at("2026-11-20"), "not_asked", None, at("2026-11-25"))) == "2026-12-05"


def test_the_example_of_the_policy_guide_holds() -> None:
    monday, tuesday = at("2026-03-02"), at("2026-03-03")
    offered = Standing("ann", monday, "offered", None, monday)
    accepted = Standing("ann", monday, "accepted", tuesday)
    days = [free_again_on(each, 14, day(tuesday)) for each in (offered, accepted)]
    assert days == [date(2026, 3, 16), date(2026, 3, 17)]
    assert free_again_on(accepted, 14, day(at("2026-03-17", "00:00"))) is None


@pytest.mark.parametrize(
    "standing",
    [
        Standing(),
        Standing("low-touch", NOON),
        Standing("gus", NOON),
        Standing("nobody-we-know", NOON),
        Standing("ann", NOON, "declined"),
        Standing("ann", NOON, "expired"),
        Standing("ann", None),
    ],
    ids=["unowned", "queue", "inactive", "unknown", "declined", "missed", "had_it_before_us"],
)
def test_what_nobody_works_is_free(standing: Standing) -> None:
    assert free(standing) == "free"


def test_days_begin_and_end_where_the_policy_is() -> None:
    late = Standing("ann", at("2026-11-20", "23:30"))
    assert (free(late), free(late, timezone="Europe/Berlin")) == ("2026-11-30", "2026-12-01")


def test_the_first_entry_that_holds_for_a_kind_of_record_counts() -> None:
    banks = replace(ENTRY, name="banks", days=30, when=Test("industry", "is", "banks"))
    marketo = SuppressionRule("mail", "marketo", "lead", 5, date="until")
    entries = (banks, ENTRY, marketo, replace(marketo, name="later", days=99))
    fresh = Standing("ann", NOON)
    assert shown(fresh, NOON, *entries) == {
        COMPANY: {"busy": True, "free_on": "2026-12-05"},
        Ref("marketo", "lead", "9"): {"until": "2026-11-30"},
    }
    bank = replace(EVERYWHERE, fields={**EVERYWHERE.fields, "industry": "Banks"})
    assert shown(fresh, NOON, *entries, about=bank)[COMPANY]["free_on"] == "2026-12-25"


def test_a_lead_shows_it_on_its_own_record() -> None:
    entry = SuppressionRule("busy", "hubspot", "contact", 3, flag="busy")
    assert shown(Standing("ann", NOON), NOON, ENTRY, entry, about=lead()) == {CONTACT: {"busy": True}}


def test_an_entry_that_is_not_in_effect_shows_nothing() -> None:
    assert shown(ANNS, NOON, replace(ENTRY, period=Period("2026-12-01", None))) == {}


def test_clearing_says_that_a_flag_is_not_set_and_a_date_is_not_there() -> None:
    assert cleared({"busy": True, "free_on": "2026-11-30"}) == {"busy": False, "free_on": None}


INSTANTS = st.dates(date(2026, 11, 1), date(2026, 12, 20)).map(lambda each: at(each.isoformat()))
STANDINGS = st.builds(
    Standing,
    st.sampled_from(["ann", "low-touch", None]),
    INSTANTS | st.none(),
    st.sampled_from(["not_asked", "accepted", "declined", "expired", "superseded"]),
    INSTANTS | st.none(),
    INSTANTS | st.none(),
)


@given(STANDINGS, st.integers(1, 40))
def test_it_is_over_some_day_for_what_nobody_is_asked_and_stays_over(standing: Standing, days: int) -> None:
    unasked = replace(standing, offered_at=None)
    until = free_again_on(unasked, days, day())
    if until is None:
        return
    assert until > NOON.date()
    start = at(until.isoformat(), "00:00")
    assert free_again_on(unasked, days, day(start - timedelta(seconds=1))) == until
    assert all(free_again_on(unasked, days, day(start + timedelta(days=later))) is None for later in (0, 1, 50))


@given(STANDINGS, st.integers(1, 40))
def test_more_days_never_free_anybody_earlier(standing: Standing, days: int) -> None:
    less, more = (free_again_on(standing, each, day()) or date.min for each in (days, days + 1))
    assert less <= more


# --- the file ---

SECTION = """\
suppression:
  - name: busy
    system: hubspot
    record: company
    flag: human_outreach_in_progress
    date: do_not_market_until
    days: 14
    conditions: {country: US}
    from: "2026-01-01"
"""


def test_an_entry_is_read_whole(tmp_path: Path) -> None:
    (entry,) = load(tmp_path, POLICY + SECTION).policy.suppression
    assert replace(entry, when=Test("country", "is", "us")) == SuppressionRule(
        *("busy", "hubspot", "company", 14, "human_outreach_in_progress", "do_not_market_until"),
        Test("country", "is", "us"),
        Period("2026-01-01", None),
    )


@pytest.mark.parametrize(
    ("text", "other", "said"),
    [
        ("record: company", "record: lead", "record of suppression 'busy' is 'lead'"),
        ("system: hubspot", "system: hubspto", "did you mean 'hubspot'"),
        ("days: 14", "days: 0", "days of suppression 'busy' is 0"),
        ("days: 14", "days: 99999", "Give 3660 days at most"),
        ("date: do_not_market_until", "date: human_outreach_in_progress", "one field for both"),
        ("date: do_not_market_until", "date: do not market", "which names no field"),
        ("system: hubspot\n    record: company", "system: salesforce\n    record: Account", "ends in __c"),
        ("    flag: human_outreach_in_progress\n    date: do_not_market_until\n", "", "names no field"),
    ],
)
def test_what_an_entry_cannot_say_is_refused_with_its_line(tmp_path: Path, text: str, other: str, said: str) -> None:
    assert text in SECTION
    problems = refused(tmp_path, POLICY + SECTION.replace(text, other), ROSTER)
    assert any(said in problem and problem.startswith("policy.yaml:") for problem in problems)
