"""What was told to whom, as ops and managers look through it, and sending once more what did not get through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from store.erasures import ERASED
from store.notifications import Notification
from tasks.context import RunContext

# What people call the states of a notification.
WAITING, SENT, FAILED = "waiting", "sent", "failed"
STATES = {WAITING: "pending", SENT: "sent", FAILED: "refused"}
_CALLED = {state: word for word, state in STATES.items()}
CONNECT = {
    "slack": "Slack is not connected: set STEWARD_SLACK_TOKEN",
    "email": "no mail server is connected: set STEWARD_SMTP_HOST and STEWARD_SMTP_FROM",
}


class NoSuchNotice(LookupError):
    """There is none with this id, or it was for somebody else."""


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """One thing somebody is told. `word` is why it failed or waits, `again_at` when it is tried again by itself;
    `may_retry` says that sending it once more would do something."""

    notice_id: str
    email: str
    rep_id: str | None
    channel: str
    subject: str
    lines: tuple[str, ...]
    state: str
    word: str
    attempts: int
    queued_at: datetime
    sent_at: datetime | None
    again_at: datetime | None
    offer_id: str | None
    may_retry: bool


@dataclass(frozen=True, slots=True)
class NoticesShown:
    """A page of them, the newest first. `more` is the id to go on before, None on the last page."""

    notices: tuple[NoticeShown, ...]
    waiting: int
    failed: int
    more: str | None


def notices_shown(
    context: RunContext,
    reps: Collection[str] | None,
    *,
    state: str | None = None,
    channel: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> NoticesShown:
    """What was told to these reps (None: to anybody), in one state and over one channel, when given."""
    emails = _emails(context, reps)
    with context.store.transaction(readonly=True) as uow:
        found = uow.notice_list.page(emails, STATES[state] if state else None, channel, before, limit + 1)
        counts = uow.notice_list.not_delivered(emails)
    shown = tuple(_shown(context, each) for each in found[:limit])
    more = shown[-1].notice_id if len(found) > limit else None
    return NoticesShown(shown, counts["pending"], counts["refused"], more)


def send_again(context: RunContext, notice_id: str, reps: Collection[str] | None) -> str:
    """Send once more what was refused or put off, with all that its message told; what came of it in words.

    Raises `NoSuchNotice`, also for what was told to somebody who is not one of `reps`.
    """
    emails = _emails(context, reps)
    with context.store.transaction(readonly=True) as uow:
        found = uow.notice_list.get(notice_id)
    if found is None or (emails is not None and found.email not in emails):
        raise NoSuchNotice(notice_id)
    if not _may_retry(found):
        return f"Nothing was changed: it is {_CALLED[found.state]} by now."
    context.store.run(lambda uow: uow.notifications.try_again(found.message_key))
    return f"{found.email} is told again with the next run that notifies, within a minute or so."


def send_all_again(context: RunContext) -> str:
    """Send once more everything that was refused or put off."""
    count = context.store.run(lambda uow: uow.notifications.try_again())
    return f"{count} notices are sent again with the next run that notifies, within a minute or so."


def _emails(context: RunContext, reps: Collection[str] | None) -> frozenset[str] | None:
    known = context.policy.roster.reps
    return None if reps is None else frozenset(known[rep].email for rep in reps if rep in known)


def _may_retry(found: Notification) -> bool:
    return bool(found.message_key) and (found.state == "refused" or found.not_before is not None)


def _shown(context: RunContext, each: Notification) -> NoticeShown:
    word = each.error
    if not word and each.state == "pending" and each.channel not in context.connectors.notifiers:
        word = CONNECT.get(each.channel, f"{each.channel} is not connected")
    lines = each.lines or (ERASED,)
    count = f"{len(lines)} account" + ("s" if len(lines) > 1 else "")
    return NoticeShown(
        notice_id=each.notification_id,
        email=each.email,
        rep_id=context.policy.roster.with_address(each.email),
        channel=each.channel,
        subject=each.subject.replace("{count}", count),
        lines=lines,
        state=_CALLED[each.state],
        word=word,
        attempts=each.attempts,
        queued_at=each.created_at,
        sent_at=each.settled_at if each.state == "sent" else None,
        again_at=each.not_before,
        offer_id=each.offer_id,
        may_retry=_may_retry(each),
    )
