"""Answers to offers that people give in Slack: who they are, what they say, and what they are told.

A press of a button is a hint: what counts is whether the offer is open, and whether it is theirs to answer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from connectors.base import Messenger
from connectors.errors import ConnectorError, RecordRejected
from ownership.acceptance import NotYours, is_over
from store.offers import OFFERED
from store.people import PersonSeen
from tasks.acceptance import NoSuchOffer, accept_offer, decline_offer
from tasks.context import RunContext
from tasks.notice_words import outcome_of
from tasks.slack_messages import show_message_anew

SLACK = "slack"
KNOWN_FOR = timedelta(days=1)  # who somebody is in Slack is asked again after that
GONE = "This offer is not known here. Look at My book."
UNKNOWN = "Nobody on the roster has your address in Slack. Ask sales operations to correct the one or the other."
TOO_SLOW = "Nothing was changed: the question for the reason could not be opened in time. Press Decline again."
Acting = Callable[[str, str], AbstractContextManager[RunContext]]


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button of an offer, or gave the reason why they decline. `message_id` is where.

    `trigger_id` is what a question back may be asked with; `reason` is None until it was given.
    """

    user_id: str
    offer_id: str
    message_id: str
    accepts: bool
    trigger_id: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What to tell who answered, and whether their answer is the one that counts."""

    said: str
    counts: bool


def take_press(context: RunContext, acting: Acting, press: Press) -> Answered | None:
    """Do what somebody pressed, tell them what came of it, and show the message as it is now. None: they are asked for
    the reason first, or there is no Slack.

    `acting(actor, what)` opens a recorded run. What Slack cannot be told now is told by the next run that notifies.
    Raises the connector's error when it cannot be said who they are: nothing was done, and the buttons are still there.
    """
    messenger = context.connectors.messenger
    if messenger is None:
        return None
    by = rep_of(context, messenger, press.user_id)
    if not press.accepts and press.reason is None and by is not None and _is_open(context, press.offer_id):
        return _ask_why(messenger, press)
    if by is None:
        answered = Answered(UNKNOWN, False)
    else:
        with acting(by, "answer-in-slack") as run:
            answered = answer(run, press.offer_id, by, press.accepts, press.reason or "")
    _show(context, messenger, press, answered)
    return answered


def _ask_why(messenger: Messenger, press: Press) -> Answered | None:
    """Slack gives a few seconds to ask; who waits longer than that is told to press again."""
    try:
        messenger.ask_why(press.trigger_id, press.offer_id, press.message_id)
    except RecordRejected:
        messenger.tell_in_place(press.message_id, press.user_id, TOO_SLOW)
        return Answered(TOO_SLOW, False)
    return None


def answer(context: RunContext, offer_id: str, by: str, accepts: bool, reason: str) -> Answered:
    """Answer an offer for the rep `by`. One that has ended already keeps its answer, which is told instead."""
    with context.store.transaction(readonly=True) as uow:
        offer = uow.offers.get(offer_id)
        if offer is not None and offer.state != OFFERED:
            return Answered(outcome_of(context, uow, offer), False)
    try:
        done = accept_offer(context, offer_id, by) if accepts else decline_offer(context, offer_id, by, reason)
    except NoSuchOffer:
        return Answered(GONE, False)
    except NotYours as refusal:
        return Answered(f"Nothing was changed: {refusal}.", False)
    return Answered(done.said, done.outcome in ("accepted", "declined"))


def rep_of(context: RunContext, messenger: Messenger, user_id: str) -> str | None:
    """Who of the roster this user of Slack is. Asked once a day and kept."""
    since = context.now() - KNOWN_FOR
    with context.store.transaction(readonly=True) as uow:
        seen = uow.people.seen_since(SLACK, user_id, since)
    if seen is None:
        try:
            email = messenger.address_of(user_id)
        except RecordRejected:
            return None
        seen = person = PersonSeen(user_id, "", email, True)
        context.store.run(lambda uow: uow.people.note(SLACK, person, context.now()))
    return context.policy.roster.with_address(seen.email)


def _is_open(context: RunContext, offer_id: str) -> bool:
    with context.store.transaction(readonly=True) as uow:
        offer = uow.offers.get(offer_id)
    return offer is not None and offer.state == OFFERED and not is_over(offer.due_by, context.now())


def _show(context: RunContext, messenger: Messenger, press: Press, answered: Answered) -> None:
    """Show every message of the offer as it is now; tell who pressed in vain why."""
    with context.store.transaction(readonly=True) as uow:
        messages = {*uow.notifications.of_offer(press.offer_id), press.message_id}
    try:
        for message_id in sorted(messages):
            show_message_anew(context, messenger, message_id)
        if not answered.counts:
            messenger.tell_in_place(press.message_id, press.user_id, answered.said)
    except ConnectorError:
        return  # the answer is recorded; the next run that notifies shows it
