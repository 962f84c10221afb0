"""E-mail through a real SMTP server: what it refuses, puts off or loses is visible, tried within bounds, and holds up
neither ownership nor anybody else's message."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.email import MailNotifier, MailServer
from connectors.http import Patience
from emulators.mailboxes import Answer, Mailboxes
from emulators.server import EmulatedVendors
from ownership.entries import NoticeRule
from ownership.notices import NEW_OWNER
from store.notifications import NewNotification, Notification
from tasks.notice_lines import notice_lines
from tasks.notices import MOST_DEFERRED, MOST_TRIES, deliver_notices
from tasks.rehearsal import Rehearsal, rehearse

SUCCESS = "cs@northwind-data.example"


@dataclass
class Office:
    company: Rehearsal
    boxes: Mailboxes

    @property
    def unsent(self) -> list[Notification]:
        with self.company.context.store.transaction(readonly=True) as uow:
            return uow.notifications.not_delivered()

    @property
    def owner(self) -> str:
        owner = self.company.owner("salesforce", "001A")
        return self.company.context.policy.roster.reps[owner or ""].email


@pytest.fixture
def office(tmp_path: Path, sqlite_template: Path) -> Iterator[Office]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    company = rehearse(tmp_path)
    loaded = company.context.policy
    rules = (NoticeRule(NEW_OWNER, "owner", ("email",)), NoticeRule(NEW_OWNER, SUCCESS, ("email",)))
    company.adopt(replace(loaded, policy=replace(loaded.policy, notices=rules)))
    company.account("salesforce", "001A", name="<b>Firma</b>", owner=None, country="Germany", employees=300)
    company.assign()
    with EmulatedVendors({}, tmp_path / "vendors", only=set(), clock=lambda: company.now[0]) as vendors:
        server = MailServer("127.0.0.1", vendors.smtp_port, "none", "steward@northwind-data.example")
        mail = MailNotifier(server, patience=Patience(sleep=lambda _: None), clock=lambda: company.now[0])
        company.context.connectors = replace(company.context.connectors, mail=mail)
        yield Office(company, vendors.mailboxes)
    company.context.store.close()


def test_a_mail_arrives_in_plain_text_and_html_for_whom_the_policy_names(office: Office) -> None:
    assert deliver_notices(office.company.context).sent == 2
    ((told,), (success,)) = office.boxes.for_(office.owner), office.boxes.for_(SUCCESS)
    assert "<b>Firma</b>" in told.text
    assert "&lt;b&gt;Firma&lt;/b&gt;" in told.html
    assert "has it now" in success.text
    deliver_notices(office.company.context)
    assert len(office.boxes.mails) == 2


def test_a_mailbox_that_does_not_exist_is_told_with_the_servers_word_and_nobody_else_waits(office: Office) -> None:
    office.boxes.answers.append(Answer(office.owner, "550 5.1.1 no such mailbox"))
    told = deliver_notices(office.company.context)
    assert (told.sent, told.refused, told.waiting) == (1, 1, 0)
    assert any("no such mailbox" in line for line in notice_lines(office.company.context))
    assert office.owner
    assert deliver_notices(office.company.context).refused == 0


def test_a_greylisted_mail_waits_by_itself_and_arrives_once(office: Office) -> None:
    office.boxes.answers.append(Answer(office.owner, "451 4.7.1 Greylisted, come back in 5 minutes", times=1))
    told = deliver_notices(office.company.context)
    assert (told.sent, told.waiting) == (1, 1)
    (waits,) = office.unsent
    assert "Greylisted" in waits.error
    assert waits.not_before is not None
    assert deliver_notices(office.company.context).sent == 0  # it is not tried before its time
    office.company.pass_time(minutes=5)
    assert deliver_notices(office.company.context).sent == 1
    assert len(office.boxes.for_(office.owner)) == 1


def test_what_a_mailbox_never_takes_is_given_up_after_about_a_day_and_can_be_sent_again(office: Office) -> None:
    office.boxes.answers.append(Answer(office.owner, "452 4.2.2 mailbox full"))
    began, refused, runs = office.company.now[0], 0, 0
    while not refused:
        refused = deliver_notices(office.company.context).refused
        office.company.pass_time(minutes=5)
        runs += 1
    assert 20 < (office.company.now[0] - began).total_seconds() / 3600 < 36
    assert office.boxes.answers[0].given == MOST_TRIES
    assert f"given up after {MOST_TRIES} tries" in office.unsent[0].error
    office.boxes.answers.clear()
    office.company.context.store.run(lambda uow: uow.notifications.try_again())
    assert deliver_notices(office.company.context).sent == 1


@pytest.mark.parametrize(
    ("answer", "tries"), [("421 4.3.2 shutting down", 8), ("451 4.3.0 try later", MOST_DEFERRED)], ids=["421", "451"]
)
def test_a_server_that_takes_nothing_is_not_asked_for_everybody(office: Office, answer: str, tries: int) -> None:
    context = office.company.context
    many = [
        NewNotification(f"k{n}", f"rep{n}@northwind-data.example", "News", ("News",), channel="email") for n in range(9)
    ]
    context.store.run(lambda uow: uow.notifications.add(many, context.now()))
    office.boxes.answers.append(Answer("*", answer))
    told = deliver_notices(context)
    assert (told.sent, told.refused, told.waiting) == (0, 0, 11)
    assert office.boxes.answers[0].given == tries
    office.boxes.answers.clear()
    office.company.pass_time(minutes=5)
    assert deliver_notices(context).sent == 11
