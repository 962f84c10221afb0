"""Who is told follows from the policy, each of them once, whatever runs at the same time or fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import ConnectorStopped, RetryLater
from ownership.entries import Assign, NoticeRule, TeamRole
from ownership.notices import ASKED, NEW_OWNER, REMINDED
from store.notifications import NewNotification
from store.unit_of_work import UnitOfWork
from tasks.acceptance import accept_offer, remind_owners
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse

SDR, SUCCESS = "casey-nguyen", "cs@northwind-data.example"


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    yield founded
    founded.context.store.close()


def adopt(company: Rehearsal, rules: Sequence[NoticeRule]) -> None:
    """Every account has Casey as its paired SDR."""
    loaded = company.context.policy
    team = (TeamRole("sdr", Assign(owner=SDR)),)
    company.adopt(replace(loaded, policy=replace(loaded.policy, notices=tuple(rules), team=team)))


def assign_one(company: Rehearsal, country: str = "US") -> str:
    """An account of a mid-size company; returns its owner."""
    company.account("salesforce", "001A", name="Firma", owner=None, country=country, employees=300)
    company.assign()
    owner = company.owner("salesforce", "001A")
    assert owner is not None
    return owner


def test_owner_manager_paired_sdr_and_the_cs_leader_are_each_told_as_the_policy_says(company: Rehearsal) -> None:
    adopt(
        company,
        [
            NoticeRule(NEW_OWNER, "owner"),
            NoticeRule(NEW_OWNER, "manager", ("email",)),
            NoticeRule(NEW_OWNER, "role:sdr", ("slack",)),
            NoticeRule(NEW_OWNER, SUCCESS, ("email",)),
        ],
    )
    owner = assign_one(company)
    deliver_notices(company.context)
    roster = company.context.policy.roster
    manager = roster.manager_of(owner)
    assert manager is not None
    in_slack = {notice.email for notice in company.notifier.delivered.values()}
    by_mail = {notice.email for notice in company.mailbox.delivered.values()}
    assert in_slack == {roster.reps[owner].email, roster.reps[SDR].email}
    assert by_mail == {roster.reps[manager].email, SUCCESS}
    asked = {notice.email for notice in company.notifier.delivered.values() if notice.questions}
    assert asked == {roster.reps[owner].email}  # the SDR reads of it and has no buttons


def test_somebody_whom_several_entries_mean_is_told_once(company: Rehearsal) -> None:
    in_turn = ("jonas-keller", "sabine-hartmann")
    adopt(company, [NoticeRule(NEW_OWNER, to) for to in ("owner", *in_turn, "owner")])
    assert assign_one(company, "DE") in in_turn
    deliver_notices(company.context)
    told = [notice.email for notice in company.notifier.delivered.values() for _ in notice.said]
    assert sorted(told) == sorted(company.context.policy.roster.reps[rep].email for rep in in_turn)


def test_a_key_that_several_runs_queue_at_once_is_one_message(company: Rehearsal) -> None:
    context, together = company.context, threading.Barrier(4)
    message = NewNotification("the same key", SUCCESS, "News", ("News",))

    def queue(_: int) -> None:
        together.wait()
        context.store.run(lambda uow: uow.notifications.add([message], context.now()))

    with ThreadPoolExecutor(4) as runs:
        list(runs.map(queue, range(4)))
    assert deliver_notices(context).sent == 1
    assert deliver_notices(context).sent == 0
    assert len(company.notifier.delivered) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        RetryLater("slack", "Slack is busy"),
        ConnectorStopped("slack", "Slack answers token_revoked"),
    ],
    ids=["busy", "token revoked"],
)
def test_while_nobody_can_be_told_accounts_are_assigned_and_answered_all_the_same(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    adopt(
        company,
        [NoticeRule(NEW_OWNER, "owner", ("slack", "email")), NoticeRule(ASKED, "owner"), NoticeRule(REMINDED, "owner")],
    )

    def fail(_: object) -> str:
        raise trouble

    with monkeypatch.context() as broken:
        broken.setattr(company.notifier, "notify", fail)
        broken.setattr(company.mailbox, "notify", fail)
        owner = assign_one(company)
        told = deliver_notices(company.context)
        assert (told.sent, told.refused, told.waiting) == (0, 0, 2)
        with company.context.store.transaction(readonly=True) as uow:
            offer = offer_of(uow)
        assert accept_offer(company.context, offer, owner).outcome == "accepted"
    assert deliver_notices(company.context).sent == 2
    (notice,) = company.notifier.delivered.values()
    assert notice.questions[0].outcome.startswith("Accepted by")  # no button for what was answered meanwhile


def offer_of(uow: UnitOfWork) -> str:
    (offer_id,) = {each.offer_id for each in uow.notifications.pending() if each.offer_id}
    return offer_id


def test_by_the_shipped_policy_owners_are_told_over_both_channels_and_managers_of_what_needs_a_person(
    company: Rehearsal,
) -> None:
    owner = assign_one(company, "DE")
    roster = company.context.policy.roster
    deliver_notices(company.context)
    company.pass_time(hours=21)
    assert remind_owners(company.context) == 1
    deliver_notices(company.context)
    for channel in (company.notifier, company.mailbox):
        told = [(notice.email, notice.subject) for notice in channel.delivered.values()]
        subjects = ("You now own 1 account", "You are still to answer for 1 account")
        assert told == [(roster.reps[owner].email, subject) for subject in subjects]
    with company.context.store.transaction() as uow:
        (account,) = uow.accounts.all()
        found = {"problem": "salesforce shows somebody else"}
        uow.exceptions.open("owner_drift", "k", account.id, found, "error", company.context.run_id, company.now[0])
    deliver_notices(company.context)
    *_, last = company.mailbox.delivered.values()
    manager = str(roster.manager_of(owner))
    assert (last.email, last.subject) == (roster.reps[manager].email, "A person has to look at 1 account")
