"""What happens between people: messages that do not get through, answers that come twice, late, or of who has left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from connectors.errors import ConnectorError, ConnectorStopped, RetryLater
from ownership.acceptance import NotYours
from ownership.policy import Roster
from tasks.acceptance import accept_account, decline_account, escalate_due
from tasks.matching import match_accounts
from tasks.notices import deliver_notices
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal
from tests.faults.outside import IN_SLACK, POLICY
from tests.faults.steps import FIRMS, assigned, unanswered


@pytest.mark.parametrize(
    "trouble",
    [
        RetryLater("slack", "busy", retry_after_s=30.0),
        RetryLater("slack", "HTTP 503"),
        ConnectorStopped("slack", "token"),
    ],
    ids=["busy", "5xx", "a-token-that-was-revoked"],
)
def test_messages_wait_while_the_messenger_is_away_and_are_told_once(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, trouble: ConnectorError
) -> None:
    company.adopt(IN_SLACK)
    assigned(company)

    def away(_notice: object) -> str:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(company.notifier, "notify", away)
        assert deliver_notices(company.context).sent == 0
    waiting = deliver_notices(company.context)
    assert (waiting.sent, waiting.refused, len(company.notifier.delivered)) == (2, 0, 2)
    assert deliver_notices(company.context).sent == 0


def test_a_person_the_messenger_does_not_know_keeps_nobody_else_from_being_told(company: Rehearsal) -> None:
    company.adopt(IN_SLACK)
    assigned(company)
    company.notifier._people = {"jonas.keller@northwind.example"}
    told = deliver_notices(company.context)
    assert told.sent + told.refused == 2
    assert told.refused >= 1
    assert deliver_notices(company.context).refused == 0


def test_an_answer_given_ten_times_counts_once(company: Rehearsal) -> None:
    assigned(company)
    owner = str(company.owner("salesforce", FIRMS[0]))
    answers = [accept_account(company.context, f"Firma {FIRMS[0]}", owner) for _ in range(10)]
    assert "is accepted for" in answers[0]
    assert all("waits for no answer" in later for later in answers[1:])
    assert len(company.history("salesforce", FIRMS[0])) == 1


def test_a_decline_after_the_account_moved_on_does_not_touch_the_new_owner(company: Rehearsal) -> None:
    unanswered(company)
    before = str(company.owner("salesforce", FIRMS[0]))
    escalate_due(company.context)
    after = company.owner("salesforce", FIRMS[0])
    assert after != before
    with suppress(Exception):
        decline_account(company.context, f"Firma {FIRMS[0]}", before, "too late")
    assert company.owner("salesforce", FIRMS[0]) == after


def test_an_accept_for_an_account_that_was_deleted_says_that_there_is_none(company: Rehearsal) -> None:
    assigned(company)
    owner = str(company.owner("salesforce", FIRMS[0]))
    company.salesforce.delete("accounts", FIRMS[0])
    pull_stream(company.context, "salesforce", "accounts")
    match_accounts(company.context)
    assert "accepted" not in accept_account(company.context, f"Firma {FIRMS[0]}", owner)


def test_who_left_can_accept_nothing_and_their_manager_passes_it_on(company: Rehearsal) -> None:
    assigned(company)
    asked = str(company.owner("salesforce", FIRMS[0]))
    reps = dict(POLICY.roster.reps)
    reps[asked] = replace(reps[asked], active=False)
    company.adopt(replace(POLICY, roster=Roster(reps)))
    with pytest.raises(NotYours):
        accept_account(company.context, f"Firma {FIRMS[0]}", asked)
    manager = str(reps[asked].manager)
    decline_account(company.context, f"Firma {FIRMS[0]}", manager, "has left")
    assert company.owner("salesforce", FIRMS[0]) != asked
