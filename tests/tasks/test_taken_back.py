"""Requests taken back, overrides that begin later or end early, claims that grow or are withdrawn: by whom, and that
of two who act at once one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ownership.placed_by_people import MayNot, NotTheirs, NotThere, Person, Standing, TooLate, check_begins, standing
from tasks.asked_and_claimed import dispute_for, disputes_for, override_for, override_lines, overrides_for
from tasks.placed_by_people import answer_dispute, answer_override, open_dispute, request_override
from tasks.rehearsal import Rehearsal, rehearse
from tasks.taken_back import add_evidence, end_override, withdraw_dispute, withdraw_override

GRACE, DIEGO, HANNAH = Person("grace-liu", "rep"), Person("diego-marin", "rep"), Person("hannah-kelly", "rep")
OPS, OTHER_OPS = Person("ops@steward.example", "ops"), Person("o2@steward.example", "ops")


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    founded = rehearse(tmp_path, database_url=store_url)
    founded.account("salesforce", "001A", name="Acme", owner="grace-liu", country="US", state="CA", employees=300)
    founded.assign()
    founded.new_run()
    yield founded
    founded.context.store.close()


def owner(company: Rehearsal) -> str | None:
    return company.owner("salesforce", "001A")


def later(company: Rehearsal, days: int) -> str:
    return (date.fromisoformat(company.context.today()) + timedelta(days=days)).isoformat()


def refused(kind: type[MayNot], act: Callable[..., object], company: Rehearsal, id_: str, *said: object) -> str:
    with pytest.raises(kind) as raised:
        act(company.context, id_, *said)
    return str(raised.value)


def test_who_asked_takes_it_back_and_nobody_answers_it_then(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "they know him")
    for person in (GRACE, OPS):
        refused(NotTheirs, withdraw_override, company, asked.override_id, person)
    assert withdraw_override(company.context, asked.override_id, DIEGO) == "It is withdrawn."
    said = refused(TooLate, answer_override, company, asked.override_id, OPS, "approved", "fine")
    assert said.startswith("It is withdrawn already")
    refused(TooLate, withdraw_override, company, asked.override_id, DIEGO)
    assert owner(company) == "grace-liu"


def test_an_override_that_begins_later_is_seen_from_that_day_on(company: Rehearsal) -> None:
    tomorrow, day_after = later(company, 1), later(company, 2)
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "cover", tomorrow, "return", tomorrow)
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    assert (owner(company), override_for(company.context, OPS, asked.override_id).standing) == (
        "grace-liu",
        Standing.BEGINS_LATER,
    )
    company.pass_time(days=1)
    company.assign()
    assert (owner(company), override_for(company.context, OPS, asked.override_id).standing) == (
        "diego-marin",
        Standing.IN_EFFECT,
    )
    company.pass_time(days=1)
    company.assign()
    assert company.context.today() == day_after
    assert (owner(company), override_for(company.context, OPS, asked.override_id).standing) == (
        "grace-liu",
        Standing.EXPIRED,
    )
    assert any("expired" in line for line in override_lines(company.context))
    refused(TooLate, end_override, company, asked.override_id, OPS, "over anyway")


def test_ending_an_override_is_for_who_approved_it_or_ops_and_what_was_promised_follows_at_once(
    company: Rehearsal,
) -> None:
    roster = company.context.policy.roster
    manager = Person(roster.managers_of("grace-liu")[0], "manager")
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "cover", later(company, 30), "return")
    refused(TooLate, end_override, company, asked.override_id, OPS, "not approved yet")
    answer_override(company.context, asked.override_id, manager, "approved", "agreed")
    assert owner(company) == "diego-marin"
    for person in (DIEGO, GRACE, Person("carmen-ortiz", "manager"), Person(manager.id, "rep")):
        refused(NotTheirs, end_override, company, asked.override_id, person, "no more")
    assert "yours" in refused(NotTheirs, end_override, company, asked.override_id, Person("grace-liu", "ops"), "mine")
    assert owner(company) == "diego-marin", "what was refused changed nothing"
    with pytest.raises(MayNot, match="No reason"):
        end_override(company.context, asked.override_id, manager, " ")
    said = end_override(company.context, asked.override_id, manager, "she is back early")
    assert said == "It is ended; the account is Grace Liu's."
    company.assign()
    assert owner(company) == "grace-liu", "no later decision sees it"
    assert override_for(company.context, OPS, asked.override_id).standing is Standing.ENDED
    refused(TooLate, end_override, company, asked.override_id, OPS, "again")


def test_a_request_that_nobody_answered_by_its_last_day_is_over(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "today only", later(company, 0))
    company.pass_time(days=1)
    refused(TooLate, answer_override, company, asked.override_id, OPS, "approved", "late")
    (shown,) = overrides_for(company.context, DIEGO)
    assert (shown.standing, shown.may_withdraw) == (Standing.EXPIRED, False)


def test_both_sides_and_who_looks_after_them_add_to_an_open_dispute_and_nobody_else(company: Rehearsal) -> None:
    manager = Person(company.context.policy.roster.managers_of("grace-liu")[0], "manager")
    opened = open_dispute(company.context, "Acme", DIEGO, "I called first", "call of 3 March")
    for number, person in enumerate((DIEGO, GRACE, manager, OPS)):
        add_evidence(company.context, opened.dispute_id, person, f"https://crm.example/{number}")
    for person in (HANNAH, Person("carmen-ortiz", "manager"), Person(manager.id, "rep")):
        refused(NotTheirs, add_evidence, company, opened.dispute_id, person, "me too")
    (shown,) = disputes_for(company.context, GRACE)
    assert [(each.added_by, each.said) for each in shown.evidence] == [
        ("diego-marin", "call of 3 March"),
        *((person.id, f"https://crm.example/{number}") for number, person in enumerate((DIEGO, GRACE, manager, OPS))),
    ]
    assert disputes_for(company.context, HANNAH) == []
    for person in (DIEGO, GRACE, Person("diego-marin", "ops")):
        refused(NotTheirs, answer_dispute, company, opened.dispute_id, person, "approved", "mine")
    answer_dispute(company.context, opened.dispute_id, manager, "refused", "no call is on record")
    assert (owner(company), company.exceptions()) == ("grace-liu", {})
    refused(TooLate, add_evidence, company, opened.dispute_id, DIEGO, "but look")


def test_a_claim_that_is_taken_back_lets_the_account_move_again(company: Rehearsal) -> None:
    opened = open_dispute(company.context, "Acme", DIEGO, "I called first")
    asked = request_override(company.context, "Acme", GRACE, "hannah-kelly", "time zones")
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    assert (owner(company), company.exceptions()) == ("grace-liu", {"disputed": 1})
    for person in (GRACE, OPS):
        refused(NotTheirs, withdraw_dispute, company, opened.dispute_id, person)
    withdraw_dispute(company.context, opened.dispute_id, DIEGO, "I was wrong")
    assert (owner(company), company.exceptions()) == ("hannah-kelly", {})
    refused(TooLate, withdraw_dispute, company, opened.dispute_id, DIEGO)
    assert dispute_for(company.context, DIEGO, opened.dispute_id).claim.state == "withdrawn"
    assert open_dispute(company.context, "Acme", DIEGO, "after all").state == "open"


def test_what_is_not_there_is_said(company: Rehearsal) -> None:
    for act in (withdraw_override, withdraw_dispute):
        refused(NotThere, act, company, "none", DIEGO)
    for act in (end_override, add_evidence):
        refused(NotThere, act, company, "none", OPS, "why")


def test_of_two_who_claim_an_account_at_once_one_does(company: Rehearsal) -> None:
    said = at_once(
        lambda: open_dispute(company.context, "Acme", DIEGO, "I called first"),
        lambda: open_dispute(company.context, "Acme", HANNAH, "no, I did"),
    )
    assert [isinstance(each, TooLate) for each in said].count(True) == 1
    with company.context.store.transaction(readonly=True) as uow:
        assert len(uow.disputes.open_ones()) == 1


def test_of_approving_and_taking_back_at_once_one_counts(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "they know him")
    said = at_once(
        lambda: answer_override(company.context, asked.override_id, OPS, "approved", "fine"),
        lambda: withdraw_override(company.context, asked.override_id, DIEGO),
    )
    assert [isinstance(each, TooLate) for each in said].count(True) == 1
    assert owner(company) == ("grace-liu" if isinstance(said[0], TooLate) else "diego-marin")


def test_of_two_who_end_an_override_at_once_one_does(company: Rehearsal) -> None:
    asked = request_override(company.context, "Acme", DIEGO, "diego-marin", "cover", later(company, 9), "return")
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    said = at_once(
        lambda: end_override(company.context, asked.override_id, OPS, "back"),
        lambda: end_override(company.context, asked.override_id, OTHER_OPS, "back too"),
    )
    assert [isinstance(each, TooLate) for each in said].count(True) == 1
    assert owner(company) == "grace-liu"


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each came to: what it returned, or how it was refused."""
    together = Barrier(len(acts))

    def act(one: Callable[[], object]) -> object:
        together.wait()
        try:
            return one()
        except MayNot as problem:
            return problem

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(act, acts))


@pytest.mark.parametrize(
    ("since", "said"),
    [("2026-03-01", "is over"), ("2027-03-04", "within 366 days"), ("20260303", "no day"), ("soon", "no day")],
)
def test_a_first_day_that_cannot_be_says_what_to_mend(since: str, said: str) -> None:
    with pytest.raises(MayNot, match=said):
        check_begins(since, "2026-03-02")


def test_every_state_has_one_standing_on_a_day() -> None:
    day, before, after = "2026-03-02", "2026-03-01", "2026-03-03"
    assert standing("requested", day, None, False, day) is Standing.WAITS
    assert standing("requested", before, before, False, day) is Standing.EXPIRED
    assert standing("refused", before, before, False, day) is Standing.REFUSED
    assert standing("withdrawn", day, None, False, day) is Standing.WITHDRAWN
    assert standing("approved", day, day, False, day) is Standing.IN_EFFECT
    assert standing("approved", after, None, False, day) is Standing.BEGINS_LATER
    assert standing("approved", before, None, True, day) is Standing.ENDED
