"""Somebody presses a button of a message, or sends a modal off: what Slack then sends to the app, and when.

The payloads are those of docs.slack.dev/reference/interaction-payloads (block_actions, view_submission), signed as
docs.slack.dev/authentication/verifying-requests-from-slack says. Slack sends an interaction once, waits three seconds
for the answer, and never repeats it. A trigger_id is good for three seconds and for one modal (docs.slack.dev/surfaces/
modals); views.open names what is wrong with it. A response_url takes five answers within thirty minutes
(docs.slack.dev/interactivity/handling-user-interaction).
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from emulators.deliveries import LOOPBACK
from emulators.slack.blocks import check_view
from emulators.slack.errors import SlackError
from emulators.slack.workspace import APP_ID, BOT_ID, Row, Workspace, check_content

TRIGGER_LIFE = timedelta(seconds=3)
ANSWER_WITHIN_S = 3.0
RESPONSES, RESPONSE_LIFE = 5, timedelta(minutes=30)
HOOKS = "https://hooks.slack.com"


@dataclass(frozen=True, slots=True)
class Signed:
    """One POST of an interaction as it goes out."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """What a response_url stands for, and how often it was used."""

    at: datetime
    user: str
    channel: str
    ts: str
    used: int = 0


# Sends it and gives back (status, body); status 0 says that no answer came in time.
Post = Callable[[Signed], tuple[int, bytes]]


def post_once(request: Signed) -> tuple[int, bytes]:
    """As Slack does: once, with three seconds for the answer."""
    if urlsplit(request.url).hostname not in LOOPBACK:
        raise ValueError(f"interactions are sent to loopback only, not {request.url}")
    try:
        with httpx.Client(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
            response = client.post(request.url, content=request.body, headers=request.headers)
    except httpx.HTTPError:
        return 0, b""
    return response.status_code, response.content


@dataclass(slots=True)
class Interactions:
    """What people do with our messages in one workspace. `url` is the app's Interactivity Request URL, "" for none."""

    workspace: Workspace
    now: Callable[[], datetime]
    post: Post
    url: str = ""
    secret: str = ""
    sent: list[Signed] = field(default_factory=list)
    views: dict[str, Row] = field(default_factory=dict)
    _triggers: dict[str, tuple[datetime, str, bool]] = field(default_factory=dict)  # when, who, whether used
    _responses: dict[str, Response] = field(default_factory=dict)  # by the path of their URL

    def load(self, secret: str) -> None:
        self.secret, self.url = secret, ""
        self.sent, self.views, self._triggers, self._responses = [], {}, {}, {}

    def press(self, user: str, channel: str, ts: str, action_id: str, value: str = "", **sending: Any) -> Row:
        """`user` presses a button of a message, that with `value` if there are several. Returns {"status", "answer"} as
        the app gave them. A screen may be a moment behind, so that a button which is gone by now can be pressed too.
        Raises `LookupError` for what nobody could press."""
        if user not in self.workspace.channels.get(channel, ()):
            raise LookupError(f"{user} does not see {channel}")
        buttons = self.workspace.buttons.get((channel, ts), [])
        meant = [one for one in buttons if one.get("action_id") == action_id and value in ("", one.get("value"))]
        if not meant:
            raise LookupError(f"the message {channel}/{ts} has never had a button {action_id}")
        button = meant[-1]
        said = ("action_id", "block_id", "text", "value", "style", "type")
        action = {name: button[name] for name in said if name in button} | {"action_ts": self._stamp()}
        where = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False}
        payload = {
            **self._from(user, "block_actions"),
            "container": where,
            "channel": {"id": channel, "name": "directmessage"},
            "message": self.workspace.messages[channel][ts],
            "state": {"values": {}},
            "response_url": self._response_url(user, channel, ts),
            "actions": [action],
        }
        return self._send(payload, **sending)

    def submit(self, view_id: str, values: dict[str, dict[str, str]], **sending: Any) -> Row:
        """Whoever a modal was opened for sends it off; `values` is what they typed, by block_id and action_id. It stays
        open when the app answers with errors."""
        view = self.views[view_id]
        typed = {
            block: {name: {"type": "plain_text_input", "value": text or None} for name, text in fields.items()}
            for block, fields in values.items()
        }
        shown = {name: value for name, value in view.items() if name != "user"}
        payload = {
            **self._from(view["user"], "view_submission"),
            "view": {**shown, "state": {"values": typed}},
            "response_urls": [],
        }
        done = self._send(payload, **sending)
        if done["status"] == 200 and "errors" not in done["answer"]:
            del self.views[view_id]
        return done

    def replay(self) -> Row:
        """Somebody who saw the last interaction go by sends the very same bytes again."""
        return self._post(self.sent[-1])

    def open_view(self, trigger_id: str, view: Any) -> Row:
        """views.open. Raises `SlackError` invalid_trigger_id, expired_trigger_id, exchanged_trigger_id."""
        given = self._triggers.get(trigger_id)
        if given is None:
            raise SlackError("invalid_trigger_id")
        at, user, used = given
        if used:
            raise SlackError("exchanged_trigger_id")
        if self.now() - at > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        view_id = "V" + secrets.token_hex(5).upper()
        opened = {
            **check_view(view),
            **{"id": view_id, "team_id": self.workspace.team_id, "app_id": APP_ID, "bot_id": BOT_ID},
            **{"root_view_id": view_id, "previous_view_id": None, "external_id": "", "state": {"values": {}}},
            **{"hash": f"{self._stamp()}.{secrets.token_hex(4)}", "clear_on_close": False, "notify_on_close": False},
        }
        self._triggers[trigger_id] = (at, user, True)
        self.views[view_id] = {**opened, "user": user}
        return opened

    def respond(self, path: str, said: Row) -> str:
        """What is posted to a response_url: in place of the message with `replace_original`, else shown to whoever
        pressed. Returns "ok", or what is wrong in words of our own: the reference has none.

        Raises `SlackError` for blocks that Slack does not take.
        """
        meant = self._responses.get(path)
        if meant is None or self.now() - meant.at > RESPONSE_LIFE:
            return "expired_url"
        if meant.used == RESPONSES:
            return "used_url"
        text, blocks = str(said.get("text") or ""), check_content(str(said.get("text") or ""), said.get("blocks"))
        meant.used += 1
        if said.get("replace_original"):
            self.workspace.rewrite(meant.channel, meant.ts, text, blocks)
        else:
            shown = {"channel": meant.channel, "user": meant.user, "text": text, "blocks": blocks}
            self.workspace.beside.append(shown)
        return "ok"

    def _response_url(self, user: str, channel: str, ts: str) -> str:
        path = f"/actions/{self.workspace.team_id}/{secrets.randbelow(10**12)}/{secrets.token_urlsafe(18)}"
        self._responses[path] = Response(self.now(), user, channel, ts)
        return HOOKS + path

    def _from(self, user: str, kind: str) -> Row:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger] = (self.now(), user, False)
        team, name = self.workspace.team_id, self.workspace.users[user]["name"]
        return {
            "type": kind,
            "user": {"id": user, "username": name, "name": name, "team_id": team},
            "api_app_id": APP_ID,
            "token": "deprecated",
            "trigger_id": trigger,
            "team": {"id": team, "domain": "steward-sandbox"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _send(self, payload: Row, *, secret: str | None = None, age_s: float = 0, **claims: Any) -> Row:
        """Signed with our secret and now, unless told otherwise; `claims` replace fields: what a forger would do."""
        body = urlencode({"payload": json.dumps(payload | claims)}).encode()
        sent_at = str(int(self.now().timestamp() - age_s))
        key = (self.secret if secret is None else secret).encode()
        digest = hmac.new(key, b"v0:" + sent_at.encode() + b":" + body, sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": sent_at,
            "X-Slack-Signature": f"v0={digest}",
        }
        request = Signed(self.url, headers, body)
        self.sent.append(request)
        return self._post(request)

    def _post(self, request: Signed) -> Row:
        if not request.url:
            raise LookupError("the app has no Interactivity Request URL; give one with subscribe")
        status, raw = self.post(request)
        try:
            answer = json.loads(raw) if raw else {}
        except ValueError:
            answer = {}
        return {"status": status, "answer": answer}

    def _stamp(self) -> str:
        return f"{self.now().timestamp():.6f}"
