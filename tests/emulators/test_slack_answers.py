"""Slack as the emulator plays it: answers held to Slack's own schemas, errors and pace to its reference."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from starlette.testclient import TestClient

from emulators.faults import Faults
from emulators.journal import Journal
from emulators.slack import Slack
from emulators.vendor import Surroundings

SCHEMAS = json.loads((Path(__file__).parent / "recorded" / "slack_schemas.json").read_text())
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "You own Acme now"}}]


class Sandbox:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.slack = Slack(Surroundings(Journal(), Faults(), lambda: self.now, lambda _: None))
        users = [
            {"id": "U07AAAA", "name": "ann", "real_name": "Ann", "profile": {"email": "ann@x.io"}, "deleted": False},
            {"id": "U07BBBB", "name": "bob", "real_name": "Bob", "profile": {"email": "bob@x.io"}, "deleted": True},
        ]
        self.slack.seed({"slack": {"token": "xoxb-1", "team_id": "T012345678", "users": users}})
        headers = {"Authorization": "Bearer xoxb-1"}
        self.client = TestClient(self.slack.app, base_url="https://slack.com", headers=headers)

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        body: dict[str, Any] = self.client.post(f"/api/{method}", json=arguments).json()
        return body

    def form(self, method: str, **arguments: str) -> dict[str, Any]:
        body: dict[str, Any] = self.client.post(f"/api/{method}", data=arguments).json()
        if body["ok"]:
            schema = SCHEMAS["responses"][method] | {"definitions": SCHEMAS["definitions"]}
            Draft7Validator(schema).validate(body)
        return body


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def test_a_person_is_found_and_told_in_answers_of_slacks_own_shape(sandbox: Sandbox) -> None:
    assert sandbox.form("auth.test")["team_id"] == "T012345678"
    assert len(sandbox.form("users.list")["members"]) == 2
    person = sandbox.form("users.lookupByEmail", email="ann@x.io")["user"]["id"]
    channel = sandbox.form("conversations.open", users=person)["channel"]["id"]
    sent = sandbox.form("chat.postMessage", channel=channel, text="hello", blocks=json.dumps(BLOCKS))
    assert sent["message"]["blocks"] == BLOCKS
    # Slack's schema calls the blocks of an updated message an object; they are a list in truth, so none are sent here.
    sandbox.now += timedelta(seconds=2)
    plain = sandbox.form("chat.postMessage", channel=channel, text="plain")
    assert sandbox.form("chat.update", channel=channel, ts=plain["ts"], text="done")["text"] == "done"


def test_the_same_client_message_id_posts_once(sandbox: Sandbox) -> None:
    first = sandbox.call("chat.postMessage", channel="U07AAAA", text="a", client_msg_id="k1")
    again = sandbox.call("chat.postMessage", channel="U07AAAA", text="a", client_msg_id="k1")
    assert first["ts"] == again["ts"]
    (conversation,) = sandbox.slack.snapshot()["conversations"].values()
    assert len(conversation["messages"]) == 1


def test_a_second_message_within_a_second_must_wait(sandbox: Sandbox) -> None:
    sandbox.call("chat.postMessage", channel="U07AAAA", text="a")
    refused = sandbox.client.post("/api/chat.postMessage", json={"channel": "U07AAAA", "text": "b"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    sandbox.now += timedelta(seconds=1)
    assert sandbox.call("chat.postMessage", channel="U07AAAA", text="b")["ok"]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("users.lookupByEmail", {"email": "bob@x.io"}, "users_not_found"),
        ("conversations.open", {"users": "U07NONE"}, "user_not_found"),
        ("conversations.open", {"users": "U07BBBB"}, "user_disabled"),
        ("chat.postMessage", {"channel": "C0NONE", "text": "a"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "U07AAAA"}, "no_text"),
        ("chat.postMessage", {"channel": "U07AAAA", "blocks": '[{"kind": 1}]'}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "U07AAAA", "blocks": "["}, "invalid_blocks_format"),
        ("chat.update", {"channel": "C0NONE", "ts": "1.0", "text": "a"}, "channel_not_found"),
        ("chat.nonsense", {}, "unknown_method"),
    ],
)
def test_slack_says_no_in_its_own_words(sandbox: Sandbox, method: str, arguments: dict[str, str], error: str) -> None:
    assert sandbox.form(method, **arguments)["error"] == error


def test_a_lookup_does_not_read_json(sandbox: Sandbox) -> None:
    assert sandbox.call("users.lookupByEmail", email="ann@x.io")["error"] == "invalid_arguments"


def test_a_stranger_is_refused_with_http_200(sandbox: Sandbox) -> None:
    answer = sandbox.client.post("/api/auth.test", headers={"Authorization": "Bearer no"})
    assert (answer.status_code, answer.json()["error"]) == (200, "invalid_auth")
