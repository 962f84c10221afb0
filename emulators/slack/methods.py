"""Slack's Web API methods: what each takes, and the body it answers with.

A method reads its arguments from a form, a query or (where Slack allows it) a JSON body; every answer is HTTP 200 with
`ok`, except a rate limit, which is 429 with Retry-After.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from emulators.slack.errors import SlackError
from emulators.slack.interactions import Interactions
from emulators.slack.workspace import BOT_ID, BOT_USER, Workspace, check_content

# Slack publishes "about one message a second for each channel" for chat.postMessage.
POST_INTERVAL = timedelta(seconds=1)
MAX_PAGE = 1000
SCOPES = {
    "users.lookupByEmail": "users:read.email",
    "users.list": "users:read",
    "users.info": "users:read",
    "conversations.open": "im:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
}
# Methods that read JSON; the others know forms and queries only.
TAKES_JSON = {"auth.test", "conversations.open", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open"}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """A body with `ok` true, and how many people or messages it speaks of."""

    body: Body
    rows: int


class Methods:
    """The methods of one workspace, seen by one bot token."""

    def __init__(self, workspace: Workspace, interactions: Interactions, post_interval: timedelta) -> None:
        self._workspace, self._interactions, self._post_interval = workspace, interactions, post_interval
        self._now = workspace.now
        self._last_post: dict[str, datetime] = {}
        self.handlers: Mapping[str, Callable[[Body], Result]] = {
            "auth.test": self._auth_test,
            "users.lookupByEmail": self._look_up,
            "users.list": self._list_users,
            "users.info": self._info,
            "conversations.open": self._open,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_beside,
            "views.open": self._open_view,
        }

    def forget_posts(self) -> None:
        self._last_post.clear()

    def _auth_test(self, _: Body) -> Result:
        body = {
            "url": "https://steward-sandbox.slack.com/",
            "team": "Steward sandbox",
            "user": "steward",
            "team_id": self._workspace.team_id,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }
        return Result(body, 1)

    def _look_up(self, arguments: Body) -> Result:
        return Result({"user": self._workspace.find_by_email(_required(arguments, "email"))}, 1)

    def _list_users(self, arguments: Body) -> Result:
        users = sorted(self._workspace.users.values(), key=lambda user: str(user["id"]))
        limit, start = _number(arguments, "limit", len(users) or 1), _cursor(arguments)
        if not 0 < limit <= max(MAX_PAGE, len(users)):
            raise SlackError("invalid_limit")
        page = users[start : start + limit]
        following = f"user:{start + limit}" if start + limit < len(users) else ""
        body = {
            "members": page,
            "cache_ts": int(self._now().timestamp()),
            "response_metadata": {"next_cursor": following},
        }
        return Result(body, len(page))

    def _info(self, arguments: Body) -> Result:
        user = self._workspace.users.get(_required(arguments, "user"))
        if user is None:
            raise SlackError("user_not_found")
        return Result({"user": user}, 1)

    def _post_beside(self, arguments: Body) -> Result:
        """Only `user` sees it, and Slack keeps it nowhere; the emulator does, for who looks what was told."""
        channel, user = self._workspace.find_channel(_required(arguments, "channel")), _required(arguments, "user")
        if user not in self._workspace.channels[channel]:
            raise SlackError("user_not_in_channel")
        text = str(arguments.get("text") or "")
        shown = check_content(text, _blocks(arguments))
        self._workspace.beside.append({"channel": channel, "user": user, "text": text, "blocks": shown})
        return Result({"message_ts": f"{self._now().timestamp():.6f}"}, 1)

    def _open(self, arguments: Body) -> Result:
        people = arguments.get("users") or ""
        names = people if isinstance(people, list) else [name for name in str(people).split(",") if name]
        channel, already = self._workspace.open_conversation([str(name) for name in names])
        shown: Body = {"id": channel}
        if str(arguments.get("return_im", "")).lower() in ("true", "1") and len(names) == 1:
            shown |= {"user": names[0], "is_im": True, "is_open": True}
        return Result({"channel": shown, **({"already_open": True, "no_op": True} if already else {})}, 1)

    def _post(self, arguments: Body) -> Result:
        channel = self._workspace.find_channel(_required(arguments, "channel"))
        text, blocks = (
            str(arguments.get("text") or ""),
            check_content(str(arguments.get("text") or ""), _blocks(arguments)),
        )
        key = str(arguments.get("client_msg_id") or "")
        if not self._workspace.was_sent(channel, key):
            self._hold_to_pace(channel)
        message = self._workspace.post(channel, text, blocks, key, str(arguments.get("thread_ts") or ""))
        return Result({"channel": channel, "ts": message["ts"], "message": message}, 1)

    def _update(self, arguments: Body) -> Result:
        channel, ts = _required(arguments, "channel"), _required(arguments, "ts")
        text = str(arguments.get("text") or "")
        message = self._workspace.rewrite(channel, ts, text, check_content(text, _blocks(arguments)))
        return Result({"channel": channel, "ts": ts, "text": text, "message": message}, 1)

    def _open_view(self, arguments: Body) -> Result:
        view = _decoded(arguments.get("view"), "invalid_arguments")
        return Result({"view": self._interactions.open_view(_required(arguments, "trigger_id"), view)}, 1)

    def _hold_to_pace(self, channel: str) -> None:
        now, last = self._now(), self._last_post.get(channel)
        if last is not None and now - last < self._post_interval:
            wait = max(1, math.ceil((self._post_interval - (now - last)).total_seconds()))
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(wait)})
        self._last_post[channel] = now


def read_arguments(method: str, query: Body, content_type: str, raw: bytes) -> Body:
    """The call's arguments, whichever way they were sent. Raises `SlackError`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return query | _read_json(method, raw)
    if raw and kind != "application/x-www-form-urlencoded":
        raise SlackError("invalid_post_type")
    try:
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise SlackError("invalid_form_data") from None
    return query | form


def _read_json(method: str, raw: bytes) -> Body:
    try:
        sent = json.loads(raw or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(sent, dict):
        raise SlackError("json_not_object")
    # Slack does not read JSON in the older methods: the argument is simply missing.
    return sent if method in TAKES_JSON else {}


def _required(arguments: Body, name: str) -> str:
    if not arguments.get(name):
        raise SlackError(
            "invalid_arguments",
            response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
        )
    return str(arguments[name])


def _blocks(arguments: Body) -> Any:
    return _decoded(arguments.get("blocks"), "invalid_blocks_format")


def _decoded(given: Any, error: str) -> Any:
    """What was sent as JSON in a string, or as it is."""
    if not isinstance(given, str) or not given:
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise SlackError(error) from None


def _number(arguments: Body, name: str, default: int) -> int:
    text = str(arguments.get(name) or default)
    if not text.isdecimal():
        raise SlackError("invalid_arguments")
    return int(text) or default


def _cursor(arguments: Body) -> int:
    cursor = str(arguments.get("cursor") or "")
    if not cursor:
        return 0
    head, _, place = cursor.partition(":")
    if head != "user" or not place.isdecimal():
        raise SlackError("invalid_cursor")
    return int(place)
