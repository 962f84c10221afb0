"""Slack: direct messages to the people that ownership concerns."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.base import Notice
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RecordRejected, RetryLater
from connectors.http import Egress, Patience, no_answer, retry_after_s, unreachable, untrusted

NAME = "slack"
TOKEN_MEND = "Check STEWARD_SLACK_TOKEN (a bot token with users:read.email, im:write and chat:write)"  # noqa: S105
MESSAGES = uuid.UUID("6f1f0c0e-8a0b-5f65-9d52-5d1c5e0d8f11")  # namespace of our message ids; any fixed one does
LONGEST_HEADER = 150  # characters of a header block
LONGEST_SECTION = 3_000  # characters of a section block
TIMEOUT_S = 30

STOPPING = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
    }
)
BUSY = frozenset({"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"})


class SlackNotifier:
    """One workspace. The first message to a person takes three calls, each later one takes one."""

    name = NAME

    def __init__(self, token: str, *, egress: Egress | None = None, patience: Patience | None = None) -> None:
        egress = egress or Egress()
        trusted = ssl.create_default_context(cafile=str(egress.ca_file)) if egress.ca_file else None
        # The client's own retry handlers sleep as long as Slack asks; `Patience` has a budget.
        self._slack = WebClient(token, proxy=egress.proxy, ssl=trusted, timeout=TIMEOUT_S, retry_handlers=[])
        self._patience = patience or Patience()
        self._channels: dict[str, str] = {}  # by lower-case e-mail address

    def check(self) -> None:
        self._call(self._slack.auth_test)

    def notify(self, notice: Notice) -> str:
        """Send a direct message. `client_msg_id` follows from the dedup key, so that a repeat is one message."""
        channel = self._channel_of(notice.email)
        answer = self._call(
            lambda: self._slack.chat_postMessage(
                channel=channel,
                text=notice.subject,
                blocks=to_blocks(notice),
                client_msg_id=str(uuid.uuid5(MESSAGES, notice.dedup_key)),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return str(answer["ts"])

    def _channel_of(self, email: str) -> str:
        known = self._channels.get(email.lower())
        if known:
            return known
        try:
            user = self._call(lambda: self._slack.users_lookupByEmail(email=email))["user"]["id"]
        except RecordRejected as error:
            mend = "Invite the person to the workspace, or correct the address in the roster"
            raise RecordRejected(NAME, f"nobody has the address {email}", code=error.code, mend=mend) from error
        channel = str(self._call(lambda: self._slack.conversations_open(users=[user]))["channel"]["id"])
        self._channels[email.lower()] = channel
        return channel

    def _call(self, call: Callable[[], Any]) -> Any:
        # Every call here may be repeated: look-ups change nothing, and a message carries its client_msg_id.
        def once() -> Any:
            try:
                return call()
            except (SlackClientError, OSError) as error:
                raise to_error(error) from error

        return self._patience.read(once)


def to_blocks(notice: Notice) -> list[dict[str, Any]]:
    """Subject as header, lines as text, links as buttons (Block Kit)."""
    text = "\n".join(escape(line) for line in notice.lines)[:LONGEST_SECTION]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": notice.subject[:LONGEST_HEADER]}}
    ]
    if text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    if notice.links:
        buttons = [
            {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}
            for label, url in notice.links.items()
        ]
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def escape(line: str) -> str:
    """Slack's three control characters; otherwise a company called <!channel> would call everybody."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_error(error: Exception) -> ConnectorError:
    """What a failed call means for the caller."""
    if isinstance(error, SlackApiError):
        return _from_answer(error)
    reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(reason, ssl.SSLError):
        return untrusted(NAME, reason)
    if isinstance(reason, ConnectionRefusedError):
        return unreachable(NAME, reason)
    return no_answer(NAME, reason)


def _from_answer(error: SlackApiError) -> ConnectorError:
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or 0)
    code = str(response.get("error") or f"HTTP_{status}") if hasattr(response, "get") else f"HTTP_{status}"
    if code in STOPPING or status in (401, 403):
        return ConnectorStopped(NAME, f"Slack answers {code}", code=code, mend=TOKEN_MEND)
    if code in BUSY or status in (429, 503):
        headers = {name.lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
        asked = headers.get("retry-after")
        return RetryLater(NAME, "Slack is busy", code=code, retry_after_s=retry_after_s(asked))
    if status >= 500:
        return Ambiguous(NAME, f"Slack answers {status}", code=code)
    return RecordRejected(NAME, f"Slack answers {code}", code=code)


__all__ = ["SlackNotifier", "to_blocks"]
