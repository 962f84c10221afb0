"""Slack: direct messages to the people that ownership concerns."""

from __future__ import annotations

import json
import re
import ssl
import uuid
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.base import Notice, Question
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RecordRejected, RetryLater
from connectors.http import Egress, Patience, no_answer, retry_after_s, unreachable, untrusted

NAME = "slack"
TOKEN_MEND = "Check STEWARD_SLACK_TOKEN (a bot token with users:read, users:read.email, im:write and chat:write)"  # noqa: S105
MESSAGES = uuid.UUID("6f1f0c0e-8a0b-5f65-9d52-5d1c5e0d8f11")  # namespace of our message ids; any fixed one does
LONGEST_HEADER = 150  # characters of a header block
LONGEST_SECTION = 3_000  # characters of a section block
# Of one question, and of what became of it: Slack refuses a message whose blocks say more than about 13,000 characters
# together, which its reference does not tell (slackapi/bolt-js#2509).
LONGEST_QUESTION, LONGEST_OUTCOME = 800, 200
ACCEPT, DECLINE, OPEN, REASON = "accept_offer", "decline_offer", "open_offer", "reason"  # ids of actions and the view
LONGEST_REASON = 500  # characters
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
CODE = re.compile("[a-z0-9_]+")  # of an error, as Slack writes it
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
        return f"{answer['channel']}/{answer['ts']}"

    def show_anew(self, message_id: str, notice: Notice) -> None:
        channel, _, ts = message_id.partition("/")
        blocks, text = to_blocks(notice), notice.subject
        self._call(lambda: self._slack.chat_update(channel=channel, ts=ts, text=text, blocks=blocks))

    def ask_why(self, trigger_id: str, offer_id: str, message_id: str) -> None:
        view = to_reason_view(offer_id, message_id)
        self._call(lambda: self._slack.views_open(trigger_id=trigger_id, view=view))

    def address_of(self, user_id: str) -> str:
        user = self._call(lambda: self._slack.users_info(user=user_id))["user"]
        email = str((user.get("profile") or {}).get("email") or "")
        if user.get("deleted") or user.get("is_bot") or user.get("is_stranger") or not email:
            mend = "Only people of the workspace can answer"
            raise RecordRejected(NAME, f"the user {user_id} is nobody of ours", code="not_ours", mend=mend)
        return email

    def tell_in_place(self, message_id: str, user_id: str, said: str) -> None:
        channel = message_id.partition("/")[0]
        self._call(lambda: self._slack.chat_postEphemeral(channel=channel, user=user_id, text=escape(said)))

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
            except (SlackClientError, OSError, UnicodeDecodeError) as error:  # the last for a page in another encoding
                raise to_error(error) from error

        return self._patience.read(once)


def to_blocks(notice: Notice) -> list[dict[str, Any]]:
    """Subject as header, questions with their buttons, lines as text, links as buttons (Block Kit)."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _short(notice.subject, LONGEST_HEADER)}}
    ]
    for question in notice.questions:
        blocks += _question_blocks(question)
    if text := "\n".join(escape(line) for line in notice.lines):
        blocks.append(_section(text))
    if notice.links:
        blocks.append({"type": "actions", "elements": [_button(label, url=url) for label, url in notice.links.items()]})
    return blocks


def _question_blocks(question: Question) -> list[dict[str, Any]]:
    """What an offer says with its buttons; once it has ended, with what became of it."""
    said = _short(escape(question.said), LONGEST_QUESTION)
    if question.outcome:
        return [_section(f"{said}\n*{_short(escape(question.outcome), LONGEST_OUTCOME)}*")]
    buttons = [
        _button("Accept", action_id=ACCEPT, value=question.offer_id, style="primary"),
        _button("Decline", action_id=DECLINE, value=question.offer_id),
        _button("Open", action_id=OPEN, url=question.url),
    ]
    return [_section(said), {"type": "actions", "block_id": f"offer-{question.offer_id}", "elements": buttons}]


def to_reason_view(offer_id: str, message_id: str) -> dict[str, Any]:
    """The modal that asks why somebody declines. What it is about goes along where only Slack and we can write."""
    typed = {
        **{"type": "plain_text_input", "action_id": REASON, "multiline": True, "max_length": LONGEST_REASON},
        "placeholder": {"type": "plain_text", "text": "The next to be asked will read it"},
    }
    return {
        "type": "modal",
        "callback_id": DECLINE,
        "private_metadata": json.dumps({"offer": offer_id, "message": message_id}),
        "title": {"type": "plain_text", "text": "Decline"},
        "submit": {"type": "plain_text", "text": "Decline"},
        "close": {"type": "plain_text", "text": "Keep it"},
        "blocks": [
            {
                **{"type": "input", "block_id": REASON, "element": typed},
                "label": {"type": "plain_text", "text": "Why is it not yours?"},
            }
        ],
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _short(text, LONGEST_SECTION)}}


def _button(label: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, **more}


def _short(text: str, most: int) -> str:
    """The text, cut where it is too long; never in the middle of what `escape` wrote for one character."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    start = kept.rfind("&")
    return (kept if start < 0 or ";" in kept[start:] else kept[:start]) + "…"


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
    said = str(response.get("error") or "") if hasattr(response, "get") else ""
    is_slacks = CODE.fullmatch(said) is not None  # and no page of a proxy, which the client hands on as an error
    code = said if is_slacks else f"HTTP_{status}"
    if code in STOPPING or status in (401, 403):
        return ConnectorStopped(NAME, f"Slack answers {code}", code=code, mend=TOKEN_MEND)
    if code in BUSY or status in (429, 503):
        headers = {name.lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
        asked = headers.get("retry-after")
        return RetryLater(NAME, "Slack is busy", code=code, retry_after_s=retry_after_s(asked))
    if status >= 500 or not is_slacks:
        return Ambiguous(NAME, f"Slack answers {status}", code=code)
    return RecordRejected(NAME, f"Slack answers {code}", code=code)


__all__ = ["ACCEPT", "DECLINE", "REASON", "SlackNotifier", "to_blocks", "to_reason_view"]
