"""What nobody accepted: those who were asked are told once that they can still take it, and find it in their book."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ownership.entries import NoticeRule
from ownership.notices import ASKED, UNACCEPTED
from tasks.acceptance import decline_offer, escalate_due
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse
from tasks.rep_book import read_book
from tasks.unaccepted import take_unaccepted

IN_TURN = ("jonas-keller", "sabine-hartmann")  # and then their manager
TOLD = "You can still take 1 account"


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    adopt(founded, [NoticeRule(UNACCEPTED, "owner"), NoticeRule(ASKED, "owner")])
    founded.account("salesforce", "001A", name="Firma", owner=None, country="DE", employees=300)
    founded.assign()
    yield founded
    founded.context.store.close()


def adopt(company: Rehearsal, rules: Sequence[NoticeRule]) -> None:
    loaded = company.context.policy
    company.adopt(replace(loaded, policy=replace(loaded.policy, notices=tuple(rules))))


def pass_by(company: Rehearsal) -> None:
    """A day later, what nobody answered moves on."""
    company.pass_time(hours=25)
    company.new_run()
    escalate_due(company.context)


def reach_the_queue(company: Rehearsal) -> list[str]:
    """Nobody answers; everybody who was asked, the first one first."""
    for _ in range(3):
        pass_by(company)
    assert company.exceptions() == {"unaccepted": 1}
    with company.context.store.transaction(readonly=True) as uow:
        (asked,) = uow.offers.asked_before([account.id for account in uow.accounts.all()]).values()
    return asked[::-1]


def told(company: Rehearsal, subject: str = TOLD) -> Counter[str]:
    """How often each address was sent something under this subject, in Slack."""
    deliver_notices(company.context)
    return Counter(each.email for each in company.notifier.delivered.values() if each.subject == subject)


def address(company: Rehearsal, rep: str) -> str:
    return company.context.policy.roster.reps[rep].email


def in_queue(company: Rehearsal, rep: str) -> list[str]:
    """The names of what this rep finds in their book to take."""
    book = read_book(company.context, company.context.policy.roster.reps[rep])
    return [book.offered[offer.account_id].name for offer in book.in_queue]


def test_everybody_who_was_asked_is_told_once_where_to_take_it(company: Rehearsal) -> None:
    pass_by(company)
    assert told(company) == {}
    asked = reach_the_queue(company)
    assert len(asked) == 3
    for _ in range(2):
        assert told(company) == {address(company, rep): 1 for rep in asked}
        pass_by(company)
    notices = [each for each in company.notifier.delivered.values() if each.subject == TOLD]
    assert all("/offers/" in each.lines[0] for each in notices)
    assert not any(each.questions for each in notices), "there is nothing to accept or decline any more"


def test_who_declined_is_told_too_and_who_has_left_is_not(company: Rehearsal) -> None:
    with company.context.store.transaction(readonly=True) as uow:
        (first,) = uow.offers.of_accounts(account.id for account in uow.accounts.all()).values()
    decline_offer(company.context, first.offer_id, first.owner_id, "too far away")
    loaded = company.context.policy
    (second,) = {*IN_TURN} - {first.owner_id}
    reps = dict(loaded.roster.reps)
    manager = str(loaded.roster.manager_of(second))
    pass_by(company)
    reps[second] = replace(reps[second], active=False)
    company.adopt(replace(loaded, roster=replace(loaded.roster, reps=reps)))
    pass_by(company)
    assert company.exceptions() == {"unaccepted": 1}
    assert told(company) == {address(company, rep): 1 for rep in (first.owner_id, manager)}


def test_whom_the_policy_names_beside_them_reads_who_can_take_it(company: Rehearsal) -> None:
    adopt(company, [NoticeRule(UNACCEPTED, "cs@northwind-data.example", ("email",))])
    asked = reach_the_queue(company)
    deliver_notices(company.context)
    (mail,) = company.mailbox.delivered.values()
    assert mail.subject == "Nobody accepted 1 account"
    names = ", ".join(map(company.context.policy.roster.name, asked))
    assert mail.lines[0].endswith(f"Who was asked can still take it: {names}")
    assert told(company) == {}


def test_a_manager_who_was_asked_too_is_told_so_whatever_the_order_of_the_entries(company: Rehearsal) -> None:
    adopt(company, [NoticeRule(UNACCEPTED, "manager"), NoticeRule(UNACCEPTED, "owner")])
    asked = reach_the_queue(company)
    assert told(company) == {address(company, rep): 1 for rep in asked}
    assert told(company, "Nobody accepted 1 account") == {}


def test_it_is_in_the_book_of_everybody_who_was_asked_until_one_of_them_takes_it(company: Rehearsal) -> None:
    assert [in_queue(company, rep) for rep in IN_TURN] == [[], []]
    first, second, manager = reach_the_queue(company)
    for rep in (first, second, manager):
        assert in_queue(company, rep) == ["Firma"]
    assert in_queue(company, "dana-whitfield") == []
    (offer,) = read_book(company.context, company.context.policy.roster.reps[first]).in_queue
    assert take_unaccepted(company.context, offer.offer_id, first).outcome == "taken"
    for rep in (first, second, manager):
        assert in_queue(company, rep) == []
