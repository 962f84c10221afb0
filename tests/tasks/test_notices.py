"""Who is told follows from the policy, and one channel out of reach holds up neither the other nor ownership."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import RecordRejected, RetryLater
from ownership.entries import NoticeRule
from ownership.notices import NEW_OWNER
from tasks.notice_lines import notice_lines
from tasks.notices import deliver_notices
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
    deliver_notices(company.context)
    said = [text for notice in company.notifier.delivered.values() for text in notice.said]
    assert sorted(text.split(":")[0] for text in said) == ["Firma", "Neu 0", "Neu 1", "Neu 2", "Neu 3"]
