"""The whole way of an answer in Slack: a message with buttons, a press, Slack's signed request, the message after it.

Slack is the emulated one, which holds every message to Block Kit's limits and every modal to its three seconds.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from connectors.http import Egress, Patience
from connectors.slack import ACCEPT, DECLINE, REASON, SlackNotifier
from emulators.server import EmulatedVendors
from emulators.slack.interactions import Signed
from store.offers import Offer
from tasks.acceptance import accept_offer, escalate_due
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse
from web.app import create_app

TEAM, APP, SECRET = "T07NORTHWND", "A0BOTSTEWARD", "s3cret"
INTERACTIVITY = "http://127.0.0.1/slack/interactivity"
HOSTILE = "<!channel> & <https://evil.example|Pay here> *_~`\u202e" + "&" * 180  # Salesforce takes 255 characters


@dataclass
class Wire:
    """Carries Slack's interactions to the web app. `delay` is played before each arrives."""

    client: list[TestClient] = field(default_factory=list)
    delay: Callable[[], None] = lambda: None

    def __call__(self, request: Signed) -> tuple[int, bytes]:
        self.delay()
        answer = self.client[0].post("/slack/interactivity", content=request.body, headers=request.headers)
        return answer.status_code, answer.content


@dataclass
class Team:
    company: Rehearsal
    slack: Any
    wire: Wire

    @property
    def offer(self) -> Offer:
        (offer,) = self._offers()
        return offer

    def _offers(self) -> list[Offer]:
        with self.company.context.store.transaction(readonly=True) as uow:
            told = [message for id_ in self.messages for message in uow.notifications.of_message(id_)]
            return list(uow.offers.get_many(message.offer_id for message in told if message.offer_id).values())

    @property
    def messages(self) -> dict[str, dict[str, Any]]:
        """Every message, as Slack shows it now."""
        conversations = self.slack.snapshot()["conversations"].items()
        return {f"{name}/{each['ts']}": each for name, here in conversations for each in here["messages"]}

    def press(self, action: str, who: str = "", **sending: Any) -> int:
        """Press a button of the one message there is; returns the status Slack gets."""
        (message,) = self.messages
        channel, _, ts = message.partition("/")
        user = self.user(who or self.offer.owner_id)
        done = self.slack.edit({"press": {"user": user, "channel": channel, "ts": ts, "action_id": action, **sending}})
        return int(done["status"])

    def user(self, rep: str) -> str:
        email = self.company.context.policy.roster.reps[rep].email
        return str(self.slack.workspace.find_by_email(email)["id"])

    @property
    def buttons(self) -> list[str]:
        return [
            element["action_id"]
            for message in self.messages.values()
            for block in message["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
            if "action_id" in element
        ]


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    company = rehearse(tmp_path)
    yield company
    company.context.store.close()


@pytest.fixture
def team(company: Rehearsal, tmp_path: Path) -> Iterator[Team]:
    reps = company.context.policy.roster.reps.values()
    users = [{"id": f"U{n:04}", "name": rep.id, "profile": {"email": rep.email}} for n, rep in enumerate(reps)]
    world = {"slack": {"token": "xoxb", "team_id": TEAM, "signing_secret": SECRET, "users": users}}
    wire = Wire()
    options = {"slack": {"post": wire}}
    with EmulatedVendors(world, tmp_path, options, {"slack"}, lambda: company.now[0]) as vendors:
        egress = Egress(vendors.gateway_url, vendors.ca_file)
        slack: Any = vendors.vendors["slack"]
        slack.subscribe(INTERACTIVITY)
        notifier = SlackNotifier("xoxb", egress=egress, patience=Patience(attempts=1))
        connectors = replace(company.context.connectors, notifier=notifier)
        company.context.connectors = connectors
        update = {"slack_signing_secret": SecretStr(SECRET), "slack_team_id": TEAM, "slack_app_id": APP}
        settings = company.context.settings.model_copy(update=update)
        with TestClient(create_app(settings, clock=lambda: company.now[0])) as client:
            client.app.state.surroundings._connectors = connectors  # type: ignore[attr-defined]
            wire.client.append(client)
            yield Team(company, slack, wire)


def offer_one(team: Team, name: str = "Firma") -> None:
    fields = {"website": "firma.de", "owner": None, "country": "DE", "employees": 300}
    team.company.account("salesforce", "001A", name=name, **fields)
    team.company.assign()
    deliver_notices(team.company.context)


def test_a_press_of_accept_goes_the_whole_way_and_the_message_says_so(team: Team) -> None:
    offer_one(team)
    asked = team.offer.owner_id
    assert team.buttons == [ACCEPT, DECLINE, "open_offer"]
    assert team.press(ACCEPT) == 200
    assert (team.offer.state, team.offer.answered_by) == ("accepted", asked)
    (message,) = team.messages.values()
    assert "Accepted by" in json.dumps(message["blocks"])
    assert team.buttons == []


def test_declining_asks_why_in_a_modal_and_the_next_is_asked(team: Team) -> None:
    offer_one(team)
    assert team.press(DECLINE) == 200
    ((view_id, view),) = team.slack.snapshot()["views"].items()
    assert (view["user"], team.offer.state) == (team.user(team.offer.owner_id), "offered")
    no_reason = team.slack.edit({"submit": {"view_id": view_id, "values": {REASON: {REASON: "  "}}}})
    assert no_reason["answer"]["response_action"] == "errors"
    team.slack.edit({"submit": {"view_id": view_id, "values": {REASON: {REASON: "my competitor's"}}}})
    assert team.offer.state == "declined"
    assert team.slack.snapshot()["views"] == {}


def test_who_is_asked_why_too_late_is_told_to_press_again(team: Team) -> None:
    offer_one(team)
    team.wire.delay = lambda: team.company.pass_time(seconds=4)
    team.press(DECLINE)
    assert team.slack.snapshot()["views"] == {}
    assert "Press Decline again" in team.slack.snapshot()["beside"][-1]["text"]
    team.wire.delay = lambda: None
    team.press(DECLINE)
    assert len(team.slack.snapshot()["views"]) == 1


def test_a_late_press_on_an_old_screen_is_told_who_has_it(team: Team) -> None:
    offer_one(team)
    first = team.offer.owner_id
    team.company.pass_time(hours=25)
    team.company.new_run()
    escalate_due(team.company.context)
    holder = team.company.owner("salesforce", "001A")
    assert team.press(ACCEPT, first) == 200
    assert team.company.owner("salesforce", "001A") == holder != first
    assert "Nobody answered in time. It belongs to" in team.slack.snapshot()["beside"][-1]["text"]


def test_an_answer_on_the_page_takes_the_buttons_off_the_message(team: Team) -> None:
    offer_one(team)
    accept_offer(team.company.context, team.offer.offer_id, team.offer.owner_id)
    deliver_notices(team.company.context)
    assert team.buttons == []


def test_what_slack_did_not_send_us_now_is_refused_and_changes_nothing(team: Team) -> None:
    offer_one(team)
    forged, unsigned = {"secret": "forged"}, {"secret": ""}
    stale, future = {"age_s": 301}, {"age_s": -301}
    foreign, strange = {"team": {"id": "T999"}}, {"api_app_id": "A999"}
    for sending in (forged, unsigned, stale, future, foreign, strange):
        assert team.press(ACCEPT, **sending) == 401, sending
    assert team.offer.state == "offered"
    assert len(team.buttons) == 3


def test_a_request_sent_again_by_somebody_who_saw_it_changes_nothing(team: Team) -> None:
    offer_one(team)
    team.press(ACCEPT)
    before = team.offer
    assert team.slack.edit({"replay": {}})["status"] == 200
    assert team.offer == before
    team.company.pass_time(minutes=6)
    assert team.slack.edit({"replay": {}})["status"] == 401


def test_the_longest_message_with_hostile_names_is_taken_and_calls_nobody(team: Team) -> None:
    for number in range(40):
        fields = {"website": f"firma{number}.de", "owner": None, "country": "DE", "employees": 300}
        team.company.account("salesforce", f"001A{number}", name=f"Firma {number} " + HOSTILE, **fields)
    team.company.assign()
    told = deliver_notices(team.company.context)
    while told.waiting:
        team.company.pass_time(seconds=2)
        told = deliver_notices(team.company.context)
    assert told.refused == 0
    shown = json.dumps([message["blocks"] for message in team.messages.values()])
    assert "<!channel>" not in shown
    assert "<https://evil" not in shown
    assert len(team.buttons) >= 3
    for offer in team._offers():
        accept_offer(team.company.context, offer.offer_id, offer.owner_id)
    deliver_notices(team.company.context)
    assert team.buttons == []
