"""Offers are answered in Slack, once, by whom they are made to; what Slack did not send changes nothing."""

import hmac
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier
from starlette.testclient import TestClient

from connectors.slack import ACCEPT, DECLINE, REASON
from store.offers import Offer
from tasks.acceptance import escalate_due
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse
from web.app import create_app
from web.signatures import is_from_slack
from web.webhooks import MAX_BODY

SECRET, TEAM, APP, PATH = "s3cret", "T1", "A1", "/slack/interactivity"


@dataclass
class Workspace:
    company: Rehearsal
    client: TestClient

    @property
    def offer(self) -> Offer:
        with self.company.context.store.transaction(readonly=True) as uow:
            (found,) = uow.offers.get_many(
                each.offer_id or "" for id_ in self.company.notifier.shown for each in uow.notifications.of_message(id_)
            ).values()
        return found

    @property
    def shown(self) -> str:
        """What became of the offer, as its message says."""
        (notice,) = self.company.notifier.shown.values()
        return notice.questions[0].outcome

    def payload(self, who: str, action: str, **more: Any) -> dict[str, Any]:
        message = next(iter(self.company.notifier.shown))
        said: dict[str, Any] = {"type": "block_actions", "team": {"id": TEAM}, "api_app_id": APP, "trigger_id": "t1"}
        said |= {"user": {"id": self.email(who)}, "container": {"channel_id": message, "message_ts": ""}}
        return said | {"actions": [{"action_id": action, "value": self.offer.offer_id}], **more}

    def email(self, who: str) -> str:
        return self.company.context.policy.roster.reps[who].email

    def send(self, payload: dict[str, Any], *, age_s: float = 0, secret: str = SECRET) -> int:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        sent_at = str(int(self.company.now[0].timestamp() - age_s))
        return self.client.post(PATH, content=body, headers=signed(body, sent_at, secret)).status_code


def signed(body: bytes, sent_at: str, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"v0:" + sent_at.encode() + b":" + body, sha256).hexdigest()
    return {"X-Slack-Signature": f"v0={digest}", "X-Slack-Request-Timestamp": sent_at}


@pytest.fixture
def slack(tmp_path: Path, sqlite_template: Path) -> Iterator[Workspace]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    company = rehearse(tmp_path)
    company.account("salesforce", "001A", name="Firma", website="firma.de", owner=None, country="DE", employees=300)
    company.assign()
    deliver_notices(company.context)
    update = {"slack_signing_secret": SECRET, "slack_team_id": TEAM, "slack_app_id": APP}
    settings = type(company.context.settings)(
        _env_file=None, database_url=company.context.settings.database_url, **update
    )
    with TestClient(create_app(settings, clock=lambda: company.now[0])) as client:
        here = client.app.state.surroundings  # type: ignore[attr-defined]
        here._connectors = company.context.connectors
        yield Workspace(company, client)
    company.context.store.close()


def test_who_is_asked_accepts_and_their_message_says_so(slack: Workspace) -> None:
    asked = slack.offer.owner_id
    assert slack.send(slack.payload(asked, ACCEPT)) == 200
    assert (slack.offer.state, slack.offer.answered_by) == ("accepted", asked)
    assert slack.shown.startswith("Accepted by")


def test_a_press_that_is_sent_again_leaves_one_answer_and_tells_what_was_recorded(slack: Workspace) -> None:
    press = slack.payload(slack.offer.owner_id, ACCEPT)
    slack.send(press)
    before = slack.offer
    assert [slack.send(press) for _ in range(3)] == [200] * 3
    assert slack.offer == before
    assert all("Accepted by" in said for _, said in slack.company.notifier.beside)


def test_declining_asks_for_the_reason_first_and_then_asks_the_next(slack: Workspace) -> None:
    asked = slack.offer.owner_id
    slack.send(slack.payload(asked, DECLINE))
    assert (slack.offer.state, slack.company.notifier.asked_why) == ("offered", [slack.offer.offer_id])
    message = next(iter(slack.company.notifier.shown))
    about = json.dumps({"offer": slack.offer.offer_id, "message": message})
    view = {
        "callback_id": DECLINE,
        "private_metadata": about,
        "state": {"values": {REASON: {REASON: {"value": "far"}}}},
    }
    slack.send(slack.payload(asked, DECLINE, type="view_submission", view=view))
    assert slack.offer.state == "declined"
    assert "(far)" in " ".join(step.because for step in slack.company.decision("salesforce", "001A").path)  # type: ignore[union-attr]


def test_somebody_else_can_answer_nothing(slack: Workspace) -> None:
    slack.send(slack.payload("dana-whitfield", ACCEPT))
    assert slack.offer.state == "offered"
    assert "only they or their manager" in slack.company.notifier.beside[0][1]


def test_a_late_answer_is_told_who_has_it_and_changes_nothing(slack: Workspace) -> None:
    press, asked = slack.payload(slack.offer.owner_id, ACCEPT), slack.offer.owner_id
    slack.company.pass_time(hours=25)
    slack.company.new_run()
    escalate_due(slack.company.context)
    holder = slack.company.owner("salesforce", "001A")
    slack.send(press)
    assert slack.company.owner("salesforce", "001A") == holder != asked
    assert "Nobody answered in time. It belongs to" in slack.company.notifier.beside[0][1]


@pytest.mark.parametrize("action", [ACCEPT, DECLINE])
def test_at_the_deadline_nobody_is_asked_why_and_the_next_is_asked_at_once(slack: Workspace, action: str) -> None:
    asked = slack.offer
    slack.company.now[0] = asked.due_by
    slack.send(slack.payload(asked.owner_id, action))
    assert (slack.offer.state, slack.company.notifier.asked_why) == ("expired", [])
    assert slack.shown.startswith("Nobody answered in time")
    ((_, said),) = slack.company.notifier.beside
    assert said.startswith("Too late: the offer of Firma ran out at")
    assert "is asked until" in said


def test_an_offer_that_ran_out_loses_its_buttons_with_the_next_notices(slack: Workspace) -> None:
    slack.company.pass_time(hours=25)
    slack.company.new_run()
    first = next(iter(slack.company.notifier.shown))
    escalate_due(slack.company.context)
    deliver_notices(slack.company.context)
    assert slack.company.notifier.shown[first].questions[0].outcome.startswith("Nobody answered in time")


@pytest.mark.parametrize(
    ("more", "sending"),
    [
        ({}, {"secret": "forged"}),
        ({}, {"age_s": 301}),
        ({}, {"age_s": -301}),
        ({"team": {"id": "T2"}}, {}),
        ({"api_app_id": "A2"}, {}),
    ],
    ids=["forged", "stale", "future-dated", "another team", "another app"],
)
def test_what_our_slack_did_not_send_now_is_refused(
    slack: Workspace, more: dict[str, Any], sending: dict[str, Any]
) -> None:
    assert slack.send(slack.payload(slack.offer.owner_id, ACCEPT, **more), **sending) == 401
    assert slack.offer.state == "offered"


def test_what_is_too_large_or_no_interaction_is_refused(slack: Workspace) -> None:
    assert slack.client.post(PATH, content=b"x" * (MAX_BODY + 1)).status_code == 413
    sent_at = str(int(slack.company.now[0].timestamp()))
    for body in (b"payload=%7B", b"\xff", b"[]"):
        assert slack.client.post(PATH, content=body, headers=signed(body, sent_at, SECRET)).status_code == 400


@pytest.mark.parametrize("age_s", [0, 299, -299, 301, -301])
def test_a_signature_holds_where_slacks_own_verifier_says_so(age_s: int) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = signed(b"payload=1", str(now - age_s), SECRET)
    signature, sent_at = headers["X-Slack-Signature"], headers["X-Slack-Request-Timestamp"]
    theirs = SignatureVerifier(SECRET).is_valid(b"payload=1", sent_at, signature)
    assert is_from_slack(SECRET, b"payload=1", signature, sent_at, now) == theirs
    assert not is_from_slack(SECRET, b"payload=1", signature, "now", now)
