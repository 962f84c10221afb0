"""What one Slack workspace holds: people, direct messages and what our bot posted in them. No HTTP here.

Errors are Slack's own words (`users_not_found`), carried out by `SlackError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulators.slack.blocks import buttons_of, check_blocks
from emulators.slack.errors import SlackError

MAX_TEXT = 40_000
MAX_PEOPLE = 8
BOT_USER, BOT_ID, APP_ID = "U0BOTSTEWARD", "B0BOTSTEWARD", "A0BOTSTEWARD"

Row = dict[str, Any]


@dataclass(slots=True)
class Workspace:
    """One workspace. `now` is its clock; a message's `ts` is made from it and is unique in the workspace."""

    now: Callable[[], datetime]
    team_id: str = "T00000000"
    users: dict[str, Row] = field(default_factory=dict)
    channels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    messages: dict[str, dict[str, Row]] = field(default_factory=dict)
    # Every button a message has ever had, by channel and ts: a screen may be a moment behind.
    buttons: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    beside: list[Row] = field(default_factory=list)  # what only one person of a conversation was shown
    _sent: dict[tuple[str, str], str] = field(default_factory=dict)
    _last_micros: int = 0

    def load(self, team_id: str, users: Iterable[Row]) -> None:
        self.team_id = team_id
        self.users = {row["id"]: _full_user(row, team_id) for row in users}
        self.channels, self.messages, self.buttons, self.beside, self._sent = {}, {}, {}, [], {}

    def find_by_email(self, email: str) -> Row:
        """A deactivated person is not found, as at Slack. Raises `SlackError` users_not_found."""
        for user in self.users.values():
            if not user["deleted"] and (user["profile"].get("email") or "").lower() == email.lower():
                return user
        raise SlackError("users_not_found")

    def open_conversation(self, people: list[str]) -> tuple[str, bool]:
        """The conversation with these people and whether it was open already.

        Raises `SlackError` users_list_not_supplied, too_many_users, user_not_found, user_disabled.
        """
        if not people:
            raise SlackError("users_list_not_supplied")
        if len(people) > MAX_PEOPLE:
            raise SlackError("too_many_users")
        for person in people:
            if person not in self.users:
                raise SlackError("user_not_found")
            if self.users[person]["deleted"]:
                raise SlackError("user_disabled")
        members = tuple(sorted(set(people)))
        channel = _channel_id(members)
        already = channel in self.channels
        self.channels[channel] = members
        return channel, already

    def find_channel(self, name: str) -> str:
        """A channel id; a person's id stands for the direct message with them. Raises channel_not_found."""
        if name in self.channels:
            return name
        if name in self.users and not self.users[name]["deleted"]:
            return self.open_conversation([name])[0]
        raise SlackError("channel_not_found")

    def post(self, channel: str, text: str, blocks: list[Row], client_msg_id: str, thread_ts: str) -> Row:
        """Post, or give back the message already posted under this `client_msg_id` in this channel."""
        key = (channel, client_msg_id)
        if client_msg_id and key in self._sent:
            return self.messages[channel][self._sent[key]]
        ts = self._next_ts()
        message: Row = {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT_ID,
            "team": self.team_id,
            "text": text,
            "ts": ts,
        }
        message |= {"blocks": blocks} if blocks else {}
        message |= {"client_msg_id": client_msg_id} if client_msg_id else {}
        message |= {"thread_ts": thread_ts} if thread_ts else {}
        self.messages.setdefault(channel, {})[ts] = message
        self._remember_buttons(channel, ts, blocks)
        if client_msg_id:
            self._sent[key] = ts
        return message

    def rewrite(self, channel: str, ts: str, text: str, blocks: list[Row]) -> Row:
        """Change a message; a text without blocks takes its blocks away (docs.slack.dev/reference/methods/chat.update).

        Raises `SlackError` channel_not_found (a person's id is no channel here), message_not_found.
        """
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        message = self.messages.get(channel, {}).get(ts)
        if message is None:
            raise SlackError("message_not_found")
        message["text"] = text
        message.pop("blocks", None)
        message |= {"blocks": blocks} if blocks else {}
        self._remember_buttons(channel, ts, blocks)
        return message

    def _remember_buttons(self, channel: str, ts: str, blocks: list[Row]) -> None:
        self.buttons.setdefault((channel, ts), []).extend(buttons_of(blocks))

    def was_sent(self, channel: str, client_msg_id: str) -> bool:
        return bool(client_msg_id) and (channel, client_msg_id) in self._sent

    def _next_ts(self) -> str:
        micros = max(int(self.now().timestamp() * 1_000_000), self._last_micros + 1)
        self._last_micros = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def check_content(text: str, given: Any) -> list[Row]:
    """The blocks, once text and blocks are what Slack takes. Raises `SlackError`."""
    blocks = check_blocks([] if given is None or given == "" else given)
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > MAX_TEXT:
        raise SlackError("msg_too_long")
    return blocks


def _channel_id(members: tuple[str, ...]) -> str:
    digest = hashlib.sha256(",".join(members).encode()).hexdigest()[:9].upper()
    return ("D0" if len(members) == 1 else "G0") + digest


def _full_user(row: Row, team_id: str) -> Row:
    """A seeded person with every field Slack always sends."""
    name = row.get("real_name") or row["name"]
    profile = {
        "title": "", "phone": "", "skype": "", "status_text": "", "status_emoji": "", "fields": None,
        "avatar_hash": "g" + hashlib.sha256(row["id"].encode()).hexdigest()[:11],
        "real_name": name, "real_name_normalized": name, "display_name": row["name"],
        "display_name_normalized": row["name"], "team": team_id, **row.get("profile", {}),
    }  # fmt: skip
    return {
        "id": row["id"], "team_id": team_id, "name": row["name"], "real_name": name,
        "deleted": bool(row.get("deleted")),
        "profile": profile, "is_bot": False, "is_app_user": False, "updated": 1_700_000_000,
    }  # fmt: skip
