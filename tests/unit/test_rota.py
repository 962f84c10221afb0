"""A rota: who of a pool may take an account at an instant, whose turn it is, and why not the others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ownership.assignment import decide_on, family_order
from ownership.case import State, book_sizes
from ownership.conditions import Test
from ownership.day import Day
from ownership.entries import Assign, Keeping, NamedAccount, Pool, TeamRole, Territory
from ownership.model import Account, Decision, Period, Ramp, Rep
from ownership.policy import Policy, Roster
from ownership.rota import Rota
from ownership.rotation import PoolTurns
from ownership.worktime import Calendar, is_open, next_open
from tests.unit.small_company import NOON, WEDNESDAY, Desk, account, at, because, company, rep, said, turns_policy

REPS = ("ann", "bob", "cid")
EVERYBODY = dict.fromkeys(REPS, 1)
GERMAN = frozenset({"german"})
few = settings(max_examples=60, deadline=None)


def gates(decision: Decision) -> dict[str, str]:
    return {each.rep_id: each.because for each in decision.candidates}


def given_to(office: Desk, now: datetime, count: int = 1, prefix: str = "") -> list[str | None]:
    """Who gets so many new accounts that come in at once."""
    accounts = [account(f"{prefix or now.isoformat()}-{number:02}") for number in range(count)]
    return [decision.owner_id for decision in office.decide(*accounts, now=now)]


# --- caps ---


def test_a_cap_of_an_hour_counts_the_clocks_hour() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_hour=2)))
    assert given_to(office, at(WEDNESDAY, "09:59"), 3) == ["ann", "ann", None]
    assert given_to(office, at(WEDNESDAY, "10:00"), 3) == ["ann", "ann", None]


def test_a_rep_at_their_cap_is_passed_over_and_it_is_said_why() -> None:
    office = Desk(turns_policy(Pool("all", EVERYBODY, per_hour=1, per_day=2)))
    assert given_to(office, at(WEDNESDAY, "09:00"), 4) == ["ann", "bob", "cid", None]
    refused = office.decide(account(), now=at(WEDNESDAY, "09:30"))[0]
    assert set(gates(refused).values()) == {"was given 1 this hour, the most for an hour"}
    given_to(office, at(WEDNESDAY, "10:00"), 3)
    refused = office.decide(account(), now=at(WEDNESDAY, "11:00"))[0]
    assert (said(refused), set(gates(refused).values())) == (
        ("no_available_rep", None),
        {"was given 2 today, the most for a day"},
    )


@pytest.mark.parametrize(
    ("timezone", "full", "free"),
    [("UTC", "23:59", "00:00"), ("America/New_York", "04:59", "05:00"), ("Asia/Kolkata", "18:29", "18:30")],
)
def test_a_day_begins_at_midnight_in_the_pools_time_zone(timezone: str, full: str, free: str) -> None:
    pool = Pool("all", {"ann": 1}, per_day=1, timezone=timezone)
    midnight = datetime(2026, 11, 25, tzinfo=ZoneInfo(timezone))
    office = Desk(turns_policy(pool))
    assert given_to(office, midnight) == ["ann"]
    next_day = midnight.astimezone(UTC) + timedelta(days=1)
    assert f"{next_day:%H:%M}" == free
    assert given_to(office, next_day - timedelta(minutes=1)) == [None], full
    assert given_to(office, next_day) == ["ann"]


def test_a_week_begins_on_monday_in_the_pools_time_zone() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_week=1, timezone="America/New_York")))
    assert given_to(office, at("2026-11-25")) == ["ann"]
    assert given_to(office, at("2026-11-30", "04:59")) == [None], "still Sunday there"
    assert given_to(office, at("2026-11-30", "05:00")) == ["ann"]


def test_the_hour_that_comes_twice_in_autumn_is_one_hour_of_the_clock() -> None:
    """In New York it is twice between one and two o'clock on 1 November."""
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_hour=1, timezone="America/New_York")))
    instants = [at("2026-11-01", clock) for clock in ("04:30", "05:30", "06:30", "07:30")]
    assert [given_to(office, now) for now in instants] == [["ann"], ["ann"], [None], ["ann"]]


def test_the_day_on_which_the_clocks_change_is_one_day_however_long_it_is() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_day=1, timezone="America/New_York")))
    instants = [at("2026-11-01", "04:00"), at("2026-11-02", "04:59"), at("2026-11-02", "05:00")]  # 25 hours
    assert [given_to(office, now) for now in instants] == [["ann"], [None], ["ann"]]


def test_a_rolling_cap_looks_back_over_so_many_hours_from_now() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_day=1, rolling=True)))
    assert given_to(office, at("2026-11-25", "14:55")) == ["ann"]
    refused = office.decide(account(), now=at("2026-11-26", "14:55"))[0]
    assert gates(refused) == {"ann": "was given 1 in the last 24 hours, the most for a day"}
    assert given_to(office, at("2026-11-26", "14:56")) == ["ann"]


def test_a_rolling_hour_is_sixty_minutes_whatever_the_clock_shows() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, per_hour=1, rolling=True, timezone="America/New_York")))
    assert given_to(office, at("2026-11-01", "05:59")) == ["ann"], "a minute before the clocks are put back"
    assert given_to(office, at("2026-11-01", "06:01")) == [None]
    assert given_to(office, at("2026-11-01", "07:00")) == ["ann"]


ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
CAPS = st.one_of(st.none(), st.integers(1, 4))
STARTS = (  # the last two are shortly before the clocks change in New York and in Berlin
    datetime(2026, 11, 25, 12, tzinfo=UTC),
    datetime(2026, 10, 31, 22, tzinfo=UTC),
    datetime(2027, 3, 27, 20, tzinfo=UTC),
)
ARRIVING = st.lists(st.tuples(st.sampled_from([7, 31, 59, 60, 190, 1430, 4000]), st.integers(1, 5)), max_size=12)


@few
@given(
    caps=st.tuples(CAPS, CAPS, CAPS),
    rolling=st.booleans(),
    timezone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    arriving=ARRIVING,
)
def test_nobody_is_given_more_than_the_caps_and_nobody_less_while_accounts_wait(
    caps: tuple[int | None, int | None, int | None],
    rolling: bool,
    timezone: str,
    start: datetime,
    arriving: list[tuple[int, int]],
) -> None:
    per_hour, per_day, per_week = caps
    members = {"ann": 1, "bob": 2}
    pool = Pool("all", members, "turns", per_day, per_week, {}, per_hour, rolling, timezone)
    office = Desk(turns_policy(pool))
    given_at: dict[str, list[datetime]] = {rep_id: [] for rep_id in members}
    now = start
    for minutes, count in arriving:
        now += timedelta(minutes=minutes)
        for owner in given_to(office, now, count):
            if owner is None:
                assert all(_is_capped(given_at[rep_id], now, pool) for rep_id in members)
            else:
                assert not _is_capped(given_at[owner], now, pool)
                given_at[owner].append(now)


def _is_capped(given_at: Sequence[datetime], now: datetime, pool: Pool) -> bool:
    """Whether one more would be too many, read off the wall clock."""
    zone = ZoneInfo(pool.timezone)
    local = now.astimezone(zone)

    def within(then: datetime, window: str, hours: int) -> bool:
        if pool.rolling:
            return now - then < timedelta(hours=hours, minutes=1)
        there = then.astimezone(zone)
        if window == "week":
            return there.isocalendar()[:2] == local.isocalendar()[:2]
        return there.date() == local.date() and (window == "day" or there.hour == local.hour)

    windows = (("hour", 1, pool.per_hour), ("day", 24, pool.per_day), ("week", 168, pool.per_week))
    return any(most and sum(within(then, name, hours) for then in given_at) >= most for name, hours, most in windows)


# --- ramp ---


def test_who_ramps_up_gets_exactly_their_percentage_of_a_share_of_turns() -> None:
    new = rep("cid", ramp=(Ramp("2026-11-24", 0), Ramp(WEDNESDAY, 25), Ramp("2026-11-26", 50)))
    office = Desk(turns_policy(Pool("all", EVERYBODY)), company(new))
    shares = [Counter(given_to(office, at(day), 90)) for day in ("2026-11-24", WEDNESDAY, "2026-11-26", "2026-11-27")]
    assert [share["cid"] for share in shares] == [0, 10, 18, 30]
    assert [share["ann"] for share in shares] == [45, 40, 36, 30]


def test_who_takes_no_turns_yet_is_said_to() -> None:
    office = Desk(turns_policy(Pool("all", EVERYBODY)), company(rep("cid", ramp=(Ramp("2026-12-31", 0),))))
    assert gates(office.decide(account())[0])["cid"] == "takes no turns yet"


@pytest.mark.parametrize(("capacity", "percent", "accounts"), [(5, 50, 2), (4, 50, 2), (3, 33, 0), (3, 100, 3)])
def test_who_ramps_up_has_their_percentage_of_a_book_rounded_down(capacity: int, percent: int, accounts: int) -> None:
    new = rep("ann", capacity=capacity, ramp=(Ramp("2026-12-31", percent),))
    office = Desk(turns_policy(Pool("all", {"ann": 1})), company(new))
    assert given_to(office, NOON, 6) == ["ann"] * accounts + [None] * (6 - accounts)


def test_the_smallest_book_is_measured_against_the_share_of_who_ramps_up() -> None:
    half = rep("cid", ramp=(Ramp("2026-12-31", 50),))
    office = Desk(turns_policy(Pool("all", EVERYBODY, "least_loaded")), company(half))
    assert Counter(given_to(office, NOON, 10)) == {"ann": 4, "bob": 4, "cid": 2}


def test_an_account_placed_by_hand_costs_who_takes_no_turns_yet_none() -> None:
    pool = Pool("all", EVERYBODY, manual_takes_turn=True)
    new = company(rep("cid", ramp=(Ramp("2026-12-31", 0),)))
    office = Desk(turns_policy(pool, named=(NamedAccount("a1.com", "cid"),)), new)
    assert said(office.on(WEDNESDAY, account())) == ("named", "cid")
    assert office.state.turns["all"].taken == {}
    assert office.state.turns["all"].days == {"cid": {WEDNESDAY: 1}}


# --- working hours ---


def test_outside_working_hours_nobody_is_chosen_and_that_is_the_reason() -> None:
    office = Desk(turns_policy(Pool("all", EVERYBODY, within_hours=0)))
    assert given_to(office, at(WEDNESDAY, "09:00")) == ["ann"]
    night = office.decide(account(), now=at(WEDNESDAY, "20:00"))[0]
    assert said(night) == ("nobody_at_work", None)
    assert because(night) == "Everywhere: nobody in pool all is at work in time"
    assert set(gates(night).values()) == {"is not at work"}


def test_who_is_at_work_soon_is_at_work_in_time() -> None:
    office = Desk(turns_policy(Pool("all", {"ann": 1}, within_hours=1.5)))
    assert given_to(office, at(WEDNESDAY, "07:30")) == ["ann"]
    early = office.decide(account(), now=at(WEDNESDAY, "07:29"))[0]
    assert gates(early) == {"ann": "is not at work within 1.5 hours"}


def test_accounts_follow_the_sun() -> None:
    zones = {"ann": "America/New_York", "bob": "Europe/Berlin", "cid": "Asia/Tokyo"}
    people = company(*(rep(id_, timezone=zone) for id_, zone in zones.items()))
    office = Desk(turns_policy(Pool("all", EVERYBODY, within_hours=0)), people)
    clocks = ("02:00", "10:00", "20:00", "23:00")
    assert [given_to(office, at(WEDNESDAY, clock)) for clock in clocks] == [["cid"], ["bob"], ["ann"], [None]]


def test_where_some_would_be_free_tomorrow_morning_working_hours_are_the_reason() -> None:
    """Ann is full, which waiting does not mend; Bob and Cid only have to come to work."""
    office = Desk(turns_policy(Pool("all", EVERYBODY, within_hours=0)), company(rep("ann", capacity=0)))
    assert office.decide(account(), now=at(WEDNESDAY, "20:00"))[0].reason == "nobody_at_work"
    full = company(*(rep(id_, capacity=0) for id_ in REPS))
    office = Desk(turns_policy(Pool("all", EVERYBODY, within_hours=0)), full)
    assert office.decide(account(), now=at(WEDNESDAY, "20:00"))[0].reason == "no_available_rep"


def test_a_pool_without_members_on_a_day_is_not_a_pool_that_sleeps() -> None:
    later = {"ann": Period("2026-12-01")}
    office = Desk(turns_policy(Pool("all", {"ann": 1}, member_periods=later)))
    decided = office.on(WEDNESDAY, account())
    assert (said(decided), decided.candidates) == (("no_available_rep", None), ())


def test_a_pool_that_does_not_ask_gives_accounts_at_night() -> None:
    assert given_to(Desk(turns_policy()), at(WEDNESDAY, "03:00")) == ["ann"]


# --- turns ---


def away(since: str, until: str) -> Rep:
    return rep("cid", leave=(Period(since, until),))


def test_who_comes_back_from_leave_gets_the_turns_they_are_owed_one_at_a_time() -> None:
    people = company(away("2026-11-01", WEDNESDAY))
    office = Desk(turns_policy(Pool("all", EVERYBODY, owed_most=10)), people)
    assert Counter(given_to(office, at(WEDNESDAY), 12)) == {"ann": 6, "bob": 6}
    back = given_to(office, at("2026-11-26"), 40)
    assert Counter(back)["cid"] == 17, "a third of 52: as if there had been no leave"
    assert "cid cid cid" not in " ".join(map(str, back)), "and no flood of them"
    assert Counter(given_to(office, at("2026-11-27"), 30)) == {"ann": 10, "bob": 10, "cid": 10}


def test_nobody_is_owed_more_than_the_most() -> None:
    people = company(away("2026-11-01", WEDNESDAY))
    office = Desk(turns_policy(Pool("all", EVERYBODY, owed_most=2)), people)
    given_to(office, at(WEDNESDAY), 60)
    assert Counter(given_to(office, at("2026-11-26"), 60))["cid"] == 22


def test_nobody_is_owed_turns_in_a_pool_that_does_not_say_so() -> None:
    office = Desk(turns_policy(), company(away("2026-11-01", WEDNESDAY)))
    given_to(office, at(WEDNESDAY), 12)
    assert Counter(given_to(office, at("2026-11-26"), 30)) == {"ann": 10, "bob": 10, "cid": 10}


def test_who_left_while_on_leave_is_owed_nothing() -> None:
    gone = rep("cid", leave=(Period("2026-11-01"),), left_on="2026-11-10")
    office = Desk(turns_policy(Pool("all", EVERYBODY, owed_most=10)), company(gone))
    given_to(office, NOON, 6)
    assert office.state.turns["all"].bank == {}


@pytest.mark.parametrize("takes_turn", [False, True])
def test_an_account_placed_by_hand_uses_a_turn_where_the_pool_says_so(takes_turn: bool) -> None:
    pool = Pool("all", EVERYBODY, manual_takes_turn=takes_turn)
    office = Desk(turns_policy(pool, named=(NamedAccount("a1.com", "ann"),)))
    decided = office.decide(account("a1"), account("a2"), account("a3"))
    assert [each.owner_id for each in decided] == (["ann", "bob", "cid"] if takes_turn else ["ann", "ann", "bob"])
    turns = office.state.turns
    assert office.on(WEDNESDAY, account("a1")).owner_id == "ann"
    assert office.state.turns == turns, "the second time it is nobody's turn"


@pytest.mark.parametrize("takes_turn", [False, True])
def test_an_account_somebody_of_the_pool_has_in_the_crm_uses_a_turn_where_the_pool_says_so(takes_turn: bool) -> None:
    one = account("a1")
    shown = replace(one, crm_owners={one.refs[0]: "ann"})
    pool = Pool("all", EVERYBODY, existing_owner_takes_turn=takes_turn)
    office = Desk(turns_policy(pool, order=("territory",)))
    decided = office.decide(shown, account("a2"), account("a3"))
    assert [each.owner_id for each in decided] == (["ann", "bob", "cid"] if takes_turn else ["ann", "ann", "bob"])
    assert because(decided[0]).endswith("which takes a turn") == takes_turn
    turns = office.state.turns
    office.decide(shown)
    assert office.state.turns == turns


# --- whatever the company, at whatever instant ---

DAYS = ("2026-11-24", "2026-11-25", "2026-11-26")
calendars = st.builds(
    Calendar,
    timezone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
    week=st.sampled_from([Calendar().week, (((22 * 60, 30 * 60),),) * 7, ((),) * 7]),
)
instants = st.builds(
    lambda day, hour, minute: datetime.fromisoformat(f"{day}T{hour:02}:{minute:02}:00+00:00"),
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.sampled_from([0, 29, 30]),
)


@st.composite
def people(draw: st.DrawFn) -> Roster:
    def one(id_: str) -> Rep:
        keys = {
            "capacity": st.sampled_from([0, 1, 2, 3]),
            "active": st.just(False),
            "left_on": st.sampled_from(DAYS),
            "leave": st.sampled_from([(Period(DAYS[0], DAYS[1]),), (Period(DAYS[2]),)]),
            "skills": st.just(GERMAN),
            "calendar": calendars,
            "ramp": st.sampled_from([(Ramp(DAYS[1], 0),), (Ramp(DAYS[0], 30), Ramp(DAYS[2], 70))]),
        }
        chosen = draw(st.sets(st.sampled_from(sorted(keys)), max_size=2))
        different = {key: draw(keys[key]) for key in sorted(chosen)}
        if "leave" in different and "calendar" in different:
            different["calendar"] = replace(different["calendar"], leave=different["leave"])
        return rep(id_, **different)

    return company(*map(one, (*REPS, "dee")))


@st.composite
def pools(draw: st.DrawFn, id_: str = "all") -> Pool:
    members = draw(st.dictionaries(st.sampled_from([*REPS, "dee"]), st.integers(1, 3), min_size=1))
    periods = {first: Period(DAYS[1]) for first in list(members)[: draw(st.integers(0, 1))]}
    return Pool(
        id_,
        members,
        draw(st.sampled_from(["turns", "turns", "least_loaded"])),
        per_day=draw(CAPS),
        member_periods=draw(st.sampled_from([{}, {}, periods])),
        per_hour=draw(CAPS),
        rolling=draw(st.booleans()),
        timezone=draw(st.sampled_from(ZONES)),
        within_hours=draw(st.sampled_from([None, None, 0, 1.5, 12])),
        owed_most=draw(st.sampled_from([0, 2])),
        existing_owner_takes_turn=draw(st.booleans()),
        manual_takes_turn=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Germany is worked by a pool of those who speak German, the rest by another one, and a third fills a role."""
    return Policy(
        "p",
        order=draw(st.sampled_from([("named", "territory"), ("named", "existing_owner", "territory")])),
        named=(NamedAccount("a3.com", draw(st.sampled_from(REPS))),),
        pools=(draw(pools("all")), draw(pools("de")), draw(pools("csm"))),
        territories=(
            Territory("all", "All", pool="all"),
            Territory("de", "Germany", Test("country", "is", "de"), pool="de", skills=GERMAN, priority=1),
        ),
        team=draw(st.sampled_from([(), (TeamRole("csm", Assign(pool="csm")),)])),
        keeping=draw(st.sampled_from([Keeping(), Keeping(14), Keeping(over_capacity="move_on")])),
    )


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[datetime, list[Account]]]:
    """Accounts that come in at some instants; some are decided again, and some are shown with an owner."""
    times = sorted(draw(st.lists(instants, min_size=1, max_size=3)))

    def one(number: int) -> Account:
        quiet = draw(st.sampled_from([None, "2026-11-01"]))
        made = account(f"a{number}", activity_on=quiet, country=draw(st.sampled_from(["US", "US", "DE"])))
        shown = draw(st.sampled_from([None, None, *REPS]))
        return replace(made, crm_owners={made.refs[0]: shown}) if shown else made

    return [(now, [one(number) for number in draw(st.sets(st.integers(0, 7), min_size=1))]) for now in times]


def decide_one_by_one(day: Day, accounts: Sequence[Account], state: State) -> tuple[list[Decision], State]:
    """As `decide_on`, with a fresh rota of every pool for each account."""
    decided = {}
    for one in family_order(accounts):
        (decided[one.id],), state = decide_on(day, [one], state)
    return [decided[one.id] for one in accounts], state


@few
@given(policies(), people(), batches())
def test_a_batch_decides_as_its_accounts_one_by_one_with_the_state_handed_on(
    policy: Policy, roster: Roster, arriving: list[tuple[datetime, list[Account]]]
) -> None:
    together = single = State()
    for now, accounts in arriving:
        day = Day.of(policy, roster, now)
        decisions, together = decide_on(day, accounts, together)
        ones, single = decide_one_by_one(day, accounts, single)
        assert ones == decisions
        assert single == together


@few
@given(policies(), people(), batches())
def test_nobody_is_chosen_by_a_pool_who_is_away_full_capped_asleep_or_without_the_skill(
    policy: Policy, roster: Roster, arriving: list[tuple[datetime, list[Account]]]
) -> None:
    state, seen = State(), dict[str, Account]()
    for now, accounts in arriving:
        day = Day.of(policy, roster, now)
        seen.update((one.id, one) for one in accounts)
        state.load = book_sizes(seen.values(), state.owners, day.present, policy.system_of_record)
        decisions, state = decide_on(day, accounts, state)
        for decision in decisions:
            if decision.turn is not None:
                pool = next(pool for pool in policy.pools if pool.id == decision.turn)
                _check_chosen(roster.reps[str(decision.owner_id)], pool, now, decision)
            if decision.reason == "nobody_at_work":
                _check_asleep(decision, roster, now)


def _check_chosen(chosen: Rep, pool: Pool, now: datetime, decision: Decision) -> None:
    today = now.date().isoformat()
    assert chosen.active
    assert chosen.left_on is None or today <= chosen.left_on
    assert not any(period.holds_on(today) for period in chosen.leave)
    assert chosen.id in pool.members
    assert pool.member_periods.get(chosen.id, Period()).holds_on(today)
    assert chosen.percent_on(today) > 0
    assert chosen.capacity_on(today) != 0
    assert decision.turn != "de" or chosen.skills == GERMAN
    if pool.within_hours is not None:
        _check_at_work(chosen, now, pool.within_hours)


def _check_at_work(chosen: Rep, now: datetime, hours: float) -> None:
    calendar = chosen.calendar or Calendar(chosen.timezone)
    starts = next_open(calendar, now, timedelta(days=30))
    assert starts is not None
    assert starts <= now + timedelta(hours=hours)
    assert hours or is_open(calendar, now)


def _check_asleep(decision: Decision, roster: Roster, now: datetime) -> None:
    """Somebody was only kept from it by the hour."""
    asleep = [each.rep_id for each in decision.candidates if each.because.startswith("is not at work")]
    assert asleep
    for rep_id in asleep:
        assert not is_open(roster.reps[rep_id].calendar or Calendar(roster.reps[rep_id].timezone), now)


PICKS = [("pick", ""), ("pick", "german"), ("pick", "besides")]
MOVES = [*PICKS, *((move, id_) for move in ("grow", "charge", "give back") for id_ in (*REPS, "dee"))]
STARTING = company(rep("ann", ramp=(Ramp(DAYS[2], 0),)))


@few
@given(pools(), people(), instants, st.lists(st.sampled_from(MOVES), max_size=14))
@example(Pool("all", {"ann": 1}), STARTING, NOON, [("charge", "ann")])
def test_what_a_rota_has_looked_up_is_what_a_fresh_one_would_find(
    pool: Pool, roster: Roster, now: datetime, moves: list[tuple[str, str]]
) -> None:
    """The gates are looked up once and again only when something changed; nothing that changed may be missed."""
    day, load = Day.of(Policy("p", pools=(pool,)), roster, now), Counter[str]()
    pool = day.index.pools["all"]
    rota = Rota(pool, day, PoolTurns(), load)
    for move, what in moves:
        if move == "pick":
            _pick(rota, what, load)
        elif move == "charge" and what in pool.members:
            rota.charge(what)
        elif move == "give back":
            rota.give_back(what)
        else:
            load[what] += 1
            rota.look_again(what)
        fresh = Rota(pool, day, rota.turns(), load)
        for skills in (frozenset(), GERMAN):
            assert rota.gates(skills) == fresh.gates(skills)
            assert rota.next(skills) == fresh.next(skills)
    assert sum(rota.turns().credit.values()) == 0


def _pick(rota: Rota, what: str, load: Counter[str]) -> None:
    expected = rota.next(GERMAN if what == "german" else frozenset())
    besides = {expected: "had it before"} if what == "besides" and expected else {}
    pick = rota.pick(GERMAN if what == "german" else frozenset(), besides)
    assert pick.rep == expected or besides
    assert pick.rep not in besides
    if pick.rep is not None:
        load[pick.rep] += 1
        rota.look_again(pick.rep)
