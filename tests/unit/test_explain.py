"""What a rep reads of a decision, and what a plan says would change."""

from dataclasses import replace

import pytest

from ownership.explain import REASON_WORDS, RULE_WORDS, explain
from ownership.model import Account, Afterwards, Candidate, Decision, Outcome, Ref, Rep, Step, TeamMember
from ownership.plan import OwnerMove, held_by, move_of
from ownership.policy import LEAD_STEPS, STEPS, Roster

SF = Ref("salesforce", "Account", "001A")
SF2 = Ref("salesforce", "Account", "001B")
HS = Ref("hubspot", "company", "77")
ACME = Account("a1", "Acme", {"country": "US"}, (SF,))
ROSTER = Roster(
    {
        "ann": Rep("ann", "Ann Lee", "ann@x.example", "ae", "SMB"),
        "bob": Rep("bob", "Bob Ray", "bob@x.example", "ae", "SMB"),
    }
)


def given_to(owner: str, reason: str = "pool", candidates: tuple[Candidate, ...] = ()) -> Decision:
    return Decision(
        "a1",
        Outcome.OWNER,
        reason,
        "us",
        owner,
        path=(
            Step("do_not_route", False, "not marked do-not-route"),
            Step("territory", True, "Americas › US: next in turn in pool us"),
        ),
        candidates=candidates,
        turn="us",
        policy_hash="p" * 64,
        inputs_hash="1" * 64,
    )


def waits(reason: str = "missing_data") -> Decision:
    path = (Step("do_not_route", False, "not marked do-not-route"), Step("gate", True, "country is missing"))
    return Decision("a1", Outcome.EXCEPTION, reason, "country", path=path, policy_hash="p" * 64, inputs_hash="1" * 64)


# --- explain ---


def test_a_decision_is_told_with_owner_reason_path_rivals_and_the_versions_it_rests_on() -> None:
    candidates = (Candidate("ann", True, "next in turn"), Candidate("bob", False, "not their turn"))
    assert explain(given_to("ann", candidates=candidates), ACME, ROSTER).splitlines() == [
        "Acme belongs to Ann Lee (SMB): it was their turn.",
        "  · Do-not-route: not marked do-not-route.",
        "  → Territory: Americas › US: next in turn in pool us.",
        "  Also considered: Bob Ray (not their turn).",
        "  Policy pppppppppppp, inputs 111111111111.",
    ]


def test_an_account_that_was_not_placed_says_what_it_waits_for() -> None:
    assert explain(waits(), ACME, ROSTER).splitlines() == [
        "Acme waits for a person: missing data.",
        "  · Do-not-route: not marked do-not-route.",
        "  → Minimum data: country is missing.",
        "  Policy pppppppppppp, inputs 111111111111.",
    ]


@pytest.mark.parametrize("reason", REASON_WORDS)
def test_every_reason_is_told_in_words_and_not_as_a_code(reason: str) -> None:
    assert explain(given_to("ann", reason), ACME, ROSTER).startswith(
        f"Acme belongs to Ann Lee (SMB): {REASON_WORDS[reason]}."
    )


@pytest.mark.parametrize(
    ("afterwards", "told"),
    [
        (Afterwards("bob"), "it goes back to Bob Ray"),
        (Afterwards("eve"), "it goes back to eve"),
        (Afterwards(), "it is decided as if nobody had it"),
    ],
)
def test_who_has_an_account_for_a_time_reads_what_follows(afterwards: Afterwards, told: str) -> None:
    decision = replace(given_to("ann", "override"), afterwards=afterwards)
    assert explain(decision, ACME, ROSTER).splitlines()[-2] == f"  Afterwards: {told}."


def test_the_team_is_told_with_who_fills_each_role_and_why() -> None:
    team = (TeamMember("csm", "bob", "is of pod one"), TeamMember("overlay", None, "nobody in pool o is free"))
    assert explain(replace(given_to("ann"), team=team), ACME, ROSTER).splitlines()[-2] == (
        "  Team: csm Bob Ray (is of pod one), overlay nobody (nobody in pool o is free)."
    )


@pytest.mark.parametrize("rule", sorted({*STEPS, *LEAD_STEPS, "catch_all", "acceptance"}))
def test_every_rule_a_policy_can_order_has_a_name_people_read(rule: str) -> None:
    assert "_" not in RULE_WORDS[rule]


def test_the_step_that_decided_is_marked_and_no_other() -> None:
    lines = explain(given_to("ann"), ACME, ROSTER).splitlines()
    assert [line.strip()[0] for line in lines[1:3]] == ["·", "→"]


def test_nobody_else_is_mentioned_when_nobody_else_was_considered() -> None:
    alone = given_to("ann", candidates=(Candidate("ann", True, "serves US"),))
    assert "Also considered" not in explain(alone, ACME, ROSTER)


def test_rivals_are_named_also_when_nobody_was_chosen() -> None:
    rivals = tuple(Candidate(who, False, "one of several owners the CRM shows") for who in ("ann", "bob"))
    decision = Decision("a1", Outcome.EXCEPTION, "conflicting_owners", "existing_owner", candidates=rivals)
    said = explain(decision, ACME, ROSTER)
    assert "Ann Lee (one of several owners the CRM shows), Bob Ray (one of several owners the CRM shows)" in said


def test_somebody_who_is_not_on_the_roster_any_more_is_told_by_id() -> None:
    gone = given_to("zoe", candidates=(Candidate("zoe", True, "x"), Candidate("yan", False, "is not there")))
    said = explain(gone, ACME, ROSTER)
    assert said.startswith("Acme belongs to zoe: ")
    assert "yan (is not there)" in said


def test_a_reason_or_rule_of_another_version_is_shown_as_it_is() -> None:
    decision = Decision("a1", Outcome.OWNER, "usage_tier", "x", "ann", (Step("usage", True, "1000 seats"),))
    assert explain(decision, ACME, ROSTER).splitlines()[:2] == [
        "Acme belongs to Ann Lee (SMB): usage_tier.",
        "  → usage: 1000 seats.",
    ]


# --- plan ---


def shown(owners: dict[Ref, str]) -> Account:
    return Account("a1", "Acme", {}, tuple(owners), crm_owners=owners)


def test_the_ledgers_owner_holds_the_account_whatever_the_crms_show() -> None:
    assert held_by(shown({SF: "bob"}), "ann", "salesforce") == "ann"


def test_without_a_ledger_entry_the_crm_of_record_says_who_holds_the_account() -> None:
    account = shown({HS: "bob", SF: "ann"})
    assert held_by(account, None, "salesforce") == "ann"
    assert held_by(account, None, "hubspot") == "bob"


def test_another_crm_is_asked_when_the_crm_of_record_shows_nobody() -> None:
    assert held_by(shown({HS: "bob"}), None, "salesforce") == "bob"


def test_of_several_records_in_the_crm_of_record_the_first_says_who_holds_the_account() -> None:
    for owners in ({SF: "ann", SF2: "bob"}, {SF2: "bob", SF: "ann"}):
        assert held_by(shown(owners), None, "salesforce") == "ann"


def test_an_owner_who_is_nobody_on_the_roster_holds_the_account_too() -> None:
    assert held_by(shown({SF: "?0059"}), None, "salesforce") == "?0059"


def test_an_account_that_nobody_has_is_held_by_nobody() -> None:
    assert held_by(ACME, None, "salesforce") is None


@pytest.mark.parametrize("before", [None, "bob", "?0059"])
def test_an_account_that_gets_another_owner_moves_and_says_why(before: str | None) -> None:
    because = "Americas › US: next in turn in pool us"
    assert move_of(ACME, given_to("ann"), before) == OwnerMove("a1", "Acme", before, "ann", "us", "pool", because)


def test_an_account_that_stays_with_who_has_it_does_not_move() -> None:
    assert move_of(ACME, given_to("ann"), "ann") is None


def test_an_account_is_never_emptied_by_an_exception() -> None:
    assert move_of(ACME, waits(), "ann") is None
    assert move_of(ACME, waits(), None) is None


def test_a_move_is_told_by_the_last_step_that_decided() -> None:
    escalated = Step("acceptance", True, "Bob Ray did not answer in time; next in line is asked")
    decision = given_to("ann", "escalated")
    decision = Decision("a1", Outcome.OWNER, "escalated", "us", "ann", (*decision.path, escalated))
    move = move_of(ACME, decision, "bob")
    assert move is not None
    assert move.because == escalated.because


def test_a_move_without_a_path_is_told_by_its_reason() -> None:
    move = move_of(ACME, Decision("a1", Outcome.OWNER, "named", "named/x.com", "ann"), None)
    assert move is not None
    assert move.because == "named"
