"""Slack as the emulator plays it: answers held to Slack's own schemas, errors and pace to its reference."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

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


def _text(said: str, kind: str = "plain_text") -> dict[str, str]:
    return {"type": kind, "text": said}


def _button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": _text("Accept"), **more}


def _actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


@pytest.mark.parametrize(
    ("most", "one_more", "pointer"),
    [
        ([{"type": "divider"}] * 50, [{"type": "divider"}] * 51, "/blocks"),
        (
            [{"type": "section", "text": _text("x" * 3000)}],
            [{"type": "section", "text": _text("x" * 3001)}],
            "/blocks/0/text/text",
        ),
        (
            [{"type": "header", "text": _text("x" * 150)}],
            [{"type": "header", "text": _text("x" * 151)}],
            "/blocks/0/text/text",
        ),
        (
            [{"type": "header", "text": _text("x")}],
            [{"type": "header", "text": _text("x", "mrkdwn")}],
            "/blocks/0/text/type",
        ),
        ([_actions(*[_button()] * 25)], [_actions(*[_button()] * 26)], "/blocks/0/elements"),
        (
            [_actions(_button(text=_text("x" * 75)))],
            [_actions(_button(text=_text("x" * 76)))],
            "/blocks/0/elements/0/text/text",
        ),
        (
            [_actions(_button(value="x" * 2000))],
            [_actions(_button(value="x" * 2001))],
            "/blocks/0/elements/0/value",
        ),
        (
            [_actions(_button(action_id="x" * 255))],
            [_actions(_button(action_id="x" * 256))],
            "/blocks/0/elements/0/action_id",
        ),
        (
            [_actions(_button(action_id="a"), _button(action_id="b"))],
            [_actions(_button(action_id="a"), _button(action_id="a"))],
            "/blocks/0/elements/1/action_id",
        ),
        (
            [{"type": "section", "text": _text("x")}],
            [{"type": "section", "text": _text("")}],
            "/blocks/0/text/text",
        ),
    ],
    ids=[
        *("blocks", "section", "header", "header in markdown", "elements", "button", "value", "action_id"),
        *("action_id twice", "nothing said"),
    ],
)
def test_one_more_than_block_kit_takes_is_refused_with_the_place(
    sandbox: Sandbox, most: list[Any], one_more: list[Any], pointer: str
) -> None:
    assert sandbox.call("chat.postMessage", channel="U07AAAA", blocks=most).get("ok"), "the limit itself is taken"
    refused = sandbox.call("chat.postMessage", channel="U07AAAA", blocks=one_more)
    assert refused["error"] == "invalid_blocks"
    assert refused["response_metadata"]["messages"][0].endswith(f"[json-pointer:{pointer}]")


def test_blocks_that_say_too_much_together_are_refused(sandbox: Sandbox) -> None:
    blocks = [{"type": "section", "text": _text("x" * 2700)}] * 5
    assert sandbox.call("chat.postMessage", channel="U07AAAA", blocks=blocks)["error"] == "msg_blocks_too_long"


def test_a_message_is_changed_where_it_is_and_nowhere_else(sandbox: Sandbox) -> None:
    sent = sandbox.call("chat.postMessage", channel="U07AAAA", text="a", blocks=BLOCKS)
    here, ts = sent["channel"], sent["ts"]
    assert sandbox.call("chat.update", channel="U07AAAA", ts=ts, text="b")["error"] == "channel_not_found"
    assert sandbox.call("chat.update", channel=here, ts="1.000001", text="b")["error"] == "message_not_found"
    assert "blocks" not in sandbox.call("chat.update", channel=here, ts=ts, text="b")["message"]


VIEW = {"type": "modal", "title": _text("Decline"), "blocks": [{"type": "divider"}]}


def _trigger(sandbox: Sandbox) -> str:
    """Press a button, and give back the trigger that Slack sends along."""
    sandbox.slack.subscribe("http://127.0.0.1:1/slack/interactivity")
    buttons = [_actions(_button(action_id="decline", value="o1"))]
    sent = sandbox.call("chat.postMessage", channel="U07AAAA", blocks=buttons)
    press = {"user": "U07AAAA", "channel": sent["channel"], "ts": sent["ts"], "action_id": "decline"}
    assert sandbox.slack.edit({"press": press})["status"] == 0  # nobody listens there
    ((_, payload),) = parse_qsl(sandbox.slack.interactions.sent[-1].body.decode())
    return str(json.loads(payload)["trigger_id"])


def test_a_trigger_opens_one_modal_within_three_seconds(sandbox: Sandbox) -> None:
    trigger = _trigger(sandbox)
    assert sandbox.call("views.open", trigger_id="1.2.a", view=VIEW)["error"] == "invalid_trigger_id"
    sandbox.now += timedelta(seconds=3)
    assert sandbox.call("views.open", trigger_id=trigger, view=json.dumps(VIEW))["view"]["type"] == "modal"
    assert sandbox.call("views.open", trigger_id=trigger, view=VIEW)["error"] == "exchanged_trigger_id"
    late = _trigger(sandbox)
    sandbox.now += timedelta(seconds=3.1)
    assert sandbox.call("views.open", trigger_id=late, view=VIEW)["error"] == "expired_trigger_id"


def test_a_response_url_takes_five_answers_within_thirty_minutes(sandbox: Sandbox) -> None:
    def press() -> str:
        _trigger(sandbox)
        ((_, payload),) = parse_qsl(sandbox.slack.interactions.sent[-1].body.decode())
        return str(json.loads(payload)["response_url"])

    def answer(url: str, **said: Any) -> str:
        got: dict[str, Any] = sandbox.client.post(url, json=said).json()
        return "ok" if got["ok"] else str(got["error"])

    url = press()
    assert answer(url, text="Accepted", replace_original=True) == "ok"
    assert [answer(url, text="only you see this") for _ in range(5)] == ["ok"] * 4 + ["used_url"]
    (conversation,) = sandbox.slack.snapshot()["conversations"].values()
    assert (conversation["messages"][-1]["text"], conversation["messages"][-1].get("blocks")) == ("Accepted", None)
    assert [each["text"] for each in sandbox.slack.snapshot()["beside"]] == ["only you see this"] * 4
    sandbox.now += timedelta(seconds=2)
    late = press()
    sandbox.now += timedelta(minutes=30, seconds=1)
    assert answer(late, text="x") == "expired_url"


def test_a_modal_is_held_to_its_limits(sandbox: Sandbox) -> None:
    trigger = _trigger(sandbox)
    for fault in (
        {"title": _text("x" * 25)},
        {"private_metadata": "x" * 3001},
        {"blocks": [{"type": "divider"}] * 101},
    ):
        assert sandbox.call("views.open", trigger_id=trigger, view=VIEW | fault)["error"] == "invalid_arguments"
    assert sandbox.call("views.open", trigger_id=trigger, view=VIEW)["ok"]


def test_nobody_presses_a_button_of_a_conversation_they_are_not_in(sandbox: Sandbox) -> None:
    sent = sandbox.call("chat.postMessage", channel="U07AAAA", blocks=[_actions(_button(action_id="accept"))])
    press = {"channel": sent["channel"], "ts": sent["ts"], "action_id": "accept"}
    with pytest.raises(LookupError, match="does not see"):
        sandbox.slack.edit({"press": {"user": "U07BBBB", **press}})
    with pytest.raises(LookupError, match="never had a button"):
        sandbox.slack.edit({"press": {"user": "U07AAAA", **press, "action_id": "decline"}})
