"""The team of an account: pods, overlays and pools for the supporting roles beside the owner of record."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import Test
from ownership.entries import Assign, Dispute, NamedAccount, Pod, Pool, TeamRole
from ownership.model import Account, Decision, Period, Rep
from ownership.policy import Policy
from ownership.rotation import PoolTurns
from tests.unit.small_company import WEDNESDAY, Desk, account, company, lead, rep, turns_policy

ANNS = Pod("annes", "ann", {"sdr": "sam", "csm": "cleo"})
CSMS = Pool("csms", {"cleo": 1, "carl": 1})
ENTERPRISE = Test("segment", "is", "enterprise")
STAFF = tuple(rep(id_, role="csm") for id_ in ("cleo", "carl", "sam", "olga"))


def policy(*team: TeamRole, pods: tuple[Pod, ...] = (), **more: object) -> Policy:
    base = turns_policy(**more)
    return replace(base, pools=(*base.pools, CSMS), team=team, pods=pods)


def desk(rules: Policy, *different: Rep, owner: str | None = "ann") -> Desk:
    office = Desk(rules, company(*STAFF, *different))
    return office.has({"a1": owner}, account()) if owner else office


def team(decision: Decision) -> dict[str, str | None]:
    return {member.role: member.rep_id for member in decision.team}


def why(decision: Decision, role: str) -> str:
    return next(member.because for member in decision.team if member.role == role)


def role(name: str, when: Test | None = None, **to: object) -> TeamRole:
    return TeamRole(name, Assign(**to), when) if when else TeamRole(name, Assign(**to))


def test_whose_account_it_is_decides_the_pod_that_works_it() -> None:
    office = desk(policy(pods=(ANNS,)))
    decided = office.on(WEDNESDAY, account())
    assert team(decided) == {"csm": "cleo", "sdr": "sam"}
    assert why(decided, "sdr") == "is of pod annes"


def test_an_account_that_moves_to_another_owner_gets_their_pod() -> None:
    bobs = Pod("bobs", "bob", {"csm": "carl"})
    office = desk(policy(pods=(ANNS, bobs)))
    assert team(office.on(WEDNESDAY, account())) == {"csm": "cleo", "sdr": "sam"}
    office.policy = replace(office.policy, named=(NamedAccount("a1.com", "bob"),))
    assert team(office.on(WEDNESDAY, account())) == {"csm": "carl"}


def test_an_owner_without_a_pod_works_alone() -> None:
    assert desk(policy(pods=(ANNS,)), owner="cid").on(WEDNESDAY, account()).team == ()


def test_an_overlay_is_for_those_accounts_its_condition_holds_for() -> None:
    office = desk(policy(role("overlay", ENTERPRISE, owner="olga"), role("csm", ENTERPRISE, pool="csms")))
    large = team(office.on(WEDNESDAY, account(segment="enterprise")))
    assert (large["overlay"], office.state.teams) == ("olga", {"a1": {"csm": large["csm"]}})
    assert team(office.on(WEDNESDAY, account(segment="smb"))) == {}
    assert office.state.teams == {}, "who was on the team of an account that shrank is not any more"


def test_of_several_entries_for_a_role_the_first_that_holds_fills_it() -> None:
    special = role("csm", ENTERPRISE, owner="olga")
    office = desk(policy(special, role("csm", owner="carl"), pods=(ANNS,)))
    assert team(office.on(WEDNESDAY, account(segment="enterprise")))["csm"] == "olga"
    assert team(office.on(WEDNESDAY, account()))["csm"] == "carl", "and goes before the owner's pod"


def test_an_entry_that_finds_nobody_leaves_the_role_to_the_next_and_at_last_to_the_pod() -> None:
    gone = rep("olga", left_on="2026-11-01")
    rules = policy(role("csm", owner="olga"), pods=(ANNS,))
    assert team(desk(rules, gone).on(WEDNESDAY, account()))["csm"] == "cleo"
    rules = policy(role("csm", owner="olga"), role("csm", owner="carl"), pods=(ANNS,))
    assert team(desk(rules, gone).on(WEDNESDAY, account()))["csm"] == "carl"


def test_a_role_nobody_can_fill_stays_open_and_says_why() -> None:
    office = desk(policy(role("csm", owner="olga")), rep("olga", left_on="2026-11-01"))
    decided = office.on(WEDNESDAY, account())
    assert (team(decided), why(decided, "csm")) == ({"csm": None}, "Olga is not there")


def test_who_is_on_leave_keeps_their_role() -> None:
    away = rep("olga", leave=(Period("2026-11-01", "2026-12-31"),))
    assert team(desk(policy(role("csm", owner="olga")), away).on(WEDNESDAY, account())) == {"csm": "olga"}


def test_a_pool_fills_a_role_by_turns_and_the_turn_is_remembered() -> None:
    office = desk(policy(role("csm", pool="csms")))
    accounts = [account(f"a{number}") for number in range(4)]
    filled = [team(decision)["csm"] for decision in office.decide(*accounts)]
    assert filled == ["carl", "cleo", "carl", "cleo"]
    assert office.state.turns["csms"].taken == {"carl": 2, "cleo": 2}


def test_whoever_of_the_pool_fills_the_role_goes_on_with_it_and_takes_no_turn() -> None:
    office = desk(policy(role("csm", pool="csms")))
    first = team(office.on(WEDNESDAY, account()))
    turns = office.state.turns["csms"]
    again = office.on(WEDNESDAY, account())
    assert (team(again), why(again, "csm")) == (first, "fills it already and is of the pool")
    assert office.state.turns["csms"] == turns


def test_who_left_or_left_the_pool_is_followed_by_the_next_in_turn() -> None:
    office = desk(policy(role("csm", pool="csms")))
    assert team(office.on(WEDNESDAY, account())) == {"csm": "carl"}
    office.roster = company(*STAFF, rep("carl", left_on="2026-11-24"))
    assert team(office.on(WEDNESDAY, account())) == {"csm": "cleo"}
    office.policy = replace(office.policy, pools=(*office.policy.pools[:1], Pool("csms", {"sam": 1})))
    assert team(office.on(WEDNESDAY, account())) == {"csm": "sam"}


def test_a_pool_asks_for_the_skills_of_the_role() -> None:
    german = rep("cleo", skills=frozenset({"german"}))
    office = desk(policy(role("csm", pool="csms", skills=frozenset({"german"}))), german)
    accounts = [account(f"a{number}") for number in range(3)]
    assert {team(decision)["csm"] for decision in office.decide(*accounts)} == {"cleo"}


def test_a_pool_with_nobody_free_leaves_the_role_open() -> None:
    office = desk(policy(role("csm", pool="csms")), rep("cleo", active=False), rep("carl", active=False))
    assert why(office.on(WEDNESDAY, account()), "csm") == "nobody in pool csms is free"


def test_an_entry_outside_its_days_fills_nothing() -> None:
    ended = TeamRole("csm", Assign(owner="olga"), period=Period(until="2026-11-24"))
    assert desk(policy(ended)).on(WEDNESDAY, account()).team == ()


def test_an_account_without_an_owner_has_no_team_and_takes_no_turn_for_one() -> None:
    office = desk(policy(role("csm", pool="csms")), owner=None)
    decided = office.on(WEDNESDAY, account(do_not_route=True))
    assert (decided.team, office.state.turns) == ((), {})


def test_an_account_that_waits_for_a_ruling_keeps_its_team() -> None:
    office = desk(policy(role("csm", pool="csms")))
    before = team(office.on(WEDNESDAY, account()))
    office.policy = replace(office.policy, disputes=(Dispute("a1.com", "bob", "mine"),))
    assert office.on(WEDNESDAY, account()).team == ()
    assert office.state.teams == {"a1": before}


def test_the_roles_of_a_team_are_in_nobodys_book() -> None:
    office = desk(policy(role("csm", pool="csms"), pods=(ANNS,)))
    office.on(WEDNESDAY, account())
    assert office.state.load == {"ann": 1}


def test_a_lead_has_a_team_too() -> None:
    office = desk(policy(pods=(ANNS,)))
    assert team(office.on(WEDNESDAY, lead(of="a1"))) == {"csm": "cleo", "sdr": "sam"}


@settings(max_examples=60, deadline=None)
@given(
    segments=st.lists(st.sampled_from(["enterprise", "smb", None]), min_size=1, max_size=6),
    gone=st.sets(st.sampled_from(["ann", "cleo", "carl", "olga", "sam"]), max_size=3),
    shuffled=st.randoms(use_true_random=False),
)
def test_teams_depend_on_no_order_and_deciding_again_changes_none(
    segments: list[str | None], gone: set[str], shuffled: object
) -> None:
    rules = policy(role("overlay", ENTERPRISE, owner="olga"), role("csm", ENTERPRISE, pool="csms"), pods=(ANNS,))
    absent = [rep(id_, active=False) for id_ in sorted(gone)]
    accounts: list[Account] = [account(f"a{number}", segment=each) for number, each in enumerate(segments)]
    office = desk(rules, *absent, owner=None)
    teams = {decision.account_id: decision.team for decision in office.decide(*accounts)}
    members = {member.rep_id for each in teams.values() for member in each}
    assert not members & gone
    turns: dict[str, PoolTurns] = dict(office.state.turns)
    again = {decision.account_id: team(decision) for decision in office.decide(*accounts)}
    assert again == {id_: {member.role: member.rep_id for member in each} for id_, each in teams.items()}
    assert office.state.turns == turns
    other = desk(rules, *absent, owner=None)
    shuffled.shuffle(accounts)  # type: ignore[attr-defined]
    assert {decision.account_id: decision.team for decision in other.decide(*accounts)} == teams
