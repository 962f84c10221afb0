"""Who is told follows from the policy, and one channel out of reach holds up neither the other nor ownership."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from connectors.base import Notice
from connectors.errors import RecordRejected, RetryLater
from ownership.entries import NoticeRule
from ownership.notices import NEW_OWNER
from store.engine import Store
from store.notifications import NewNotification, Notifications
from tasks.notice_lines import notice_lines
from tasks.notices import Notified, deliver_notices
from tasks.rehearsal import Rehearsal, rehearse


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    loaded = founded.context.policy
    rules = (NoticeRule(NEW_OWNER, "owner", ("slack", "email")), NoticeRule(NEW_OWNER, "cs@n.example", ("email",)))
    founded.adopt(replace(loaded, policy=replace(loaded.policy, notices=rules)))
    founded.account("salesforce", "001A", name="Firma", owner=None, country="Germany", employees=300)
    founded.assign()
    yield founded
    founded.context.store.close()


def test_everybody_the_policy_names_is_told_once_over_each_channel(company: Rehearsal) -> None:
    for _ in range(2):
        deliver_notices(company.context)
    assert len(company.notifier.delivered) == 1
    mails = {notice.email: notice for notice in company.mailbox.delivered.values()}
    assert len(mails) == 2
    assert mails["cs@n.example"].subject == "1 account got a new owner"


@pytest.mark.parametrize("trouble", [RetryLater("slack", "is busy"), RecordRejected("slack", "nobody has the address")])
def test_one_channel_that_fails_holds_up_nothing_and_says_why(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(_: object) -> str:
        raise trouble

    monkeypatch.setattr(company.notifier, "notify", fail)
    assert deliver_notices(company.context).sent == 2
    assert company.owner("salesforce", "001A") is not None
    assert any(str(trouble) in line for line in notice_lines(company.context))


def test_what_is_queued_after_a_crash_is_told_beside_what_was_sent_before_it(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tasks.notices._settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deliver_notices(company.context)
    for number in range(4):
        company.account(
            "salesforce", f"002{number}", name=f"Neu {number}", owner=None, country="Germany", employees=300
        )
    company.assign()
    company.pass_time(minutes=6)
    deliver_notices(company.context)
    said = [text for notice in company.notifier.delivered.values() for text in notice.said]
    assert sorted(text.split(":")[0] for text in said) == ["Firma", "Neu 0", "Neu 1", "Neu 2", "Neu 3"]


def test_two_runs_that_tell_people_at_once_tell_nobody_twice(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server sends on whatever it is given, and knows no repeat."""
    taken, send = [], company.mailbox.notify

    def other_run_meanwhile(notice: Notice) -> str:
        taken.append(notice.email)
        if len(taken) == 1:
            deliver_notices(company.context)
        return send(notice)

    monkeypatch.setattr(company.mailbox, "notify", other_run_meanwhile)
    deliver_notices(company.context)
    assert sorted(taken) == sorted({notice.email for notice in company.mailbox.delivered.values()})


def test_a_message_that_was_under_way_in_a_run_that_died_is_sent_a_while_later(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(company.mailbox, "notify", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deliver_notices(company.context)
    deliver_notices(company.context)
    assert len(company.mailbox.delivered) == 1
    company.pass_time(minutes=6)
    deliver_notices(company.context)
    assert len(company.mailbox.delivered) == 2


@pytest.fixture
def one_message(tmp_path: Path, postgres_url: str) -> Iterator[Rehearsal]:
    """Something waits to be told to Ann, on PostgreSQL, where transactions go on side by side."""
    founded = rehearse(tmp_path, database_url=postgres_url)
    _queue(founded.context.store, "ann@n.example")
    yield founded
    founded.context.store.close()


@pytest.mark.postgres
def test_what_is_queued_while_a_run_reads_what_waits_goes_to_nobody_else(
    one_message: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, store, settle = one_message, one_message.context.store, Notifications.tell_together

    def queued_meanwhile(these: Notifications, ids: Sequence[str], key: str) -> None:
        settle(these, ids, key)
        _queue(store, "ben@n.example", "cat@n.example")

    monkeypatch.setattr(Notifications, "tell_together", queued_meanwhile)
    deliver_notices(company.context)
    monkeypatch.undo()
    deliver_notices(company.context)
    told = [(notice.email, notice.said) for notice in company.notifier.delivered.values()]
    assert sorted(told) == [(f"{who}@n.example", (f"for {who}",)) for who in ("ann", "ben", "cat")]


@pytest.mark.postgres
def test_two_runs_at_once_settle_each_message_once(
    one_message: Rehearsal, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, store, settle = one_message, one_message.context.store, Notifications.tell_together
    others: list[Future[Notified]] = []

    def other_run_meanwhile(these: Notifications, ids: Sequence[str], key: str) -> None:
        settle(these, ids, key)
        if not others:
            _queue(store, "ann@n.example", about="news")
            others.append(runs.submit(deliver_notices, company.context))
            while not _somebody_waits(postgres_url):
                assert not others[0].done()

    monkeypatch.setattr(Notifications, "tell_together", other_run_meanwhile)
    with ThreadPoolExecutor(1) as runs:
        deliver_notices(company.context)
        others[0].result()
    assert sorted(line for notice in company.notifier.delivered.values() for line in notice.said) == [
        "for ann",
        "news for ann",
    ]


def _queue(store: Store, *emails: str, about: str = "") -> None:
    lines = {email: f"{about} for {email.partition('@')[0]}".strip() for email in emails}
    messages = [NewNotification(line, email, "Told", (line,)) for email, line in lines.items()]
    store.run(lambda uow: uow.notifications.add(messages, datetime(2026, 11, 23, tzinfo=UTC)))


def _somebody_waits(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return waiting is not None and waiting[0] > 0
