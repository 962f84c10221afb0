"""Tell people: what is queued for one person is one message, delivered at least once and deduplicated by key.

A message that cannot be delivered never holds up ownership, nor another channel; it stays visible with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from connectors.base import Notifier
from connectors.errors import ConnectorError, Deferred, RecordRejected
from ownership.conditions import ALWAYS, fold_fields, holds
from ownership.crm_tasks import ROLE
from ownership.day import Day
from ownership.entries import NoticeRule
from ownership.notices import (
    ASKED,
    EXCEPTION,
    NEW_OWNER,
    OWNER,
    REMINDED,
    SUBJECTS,
    addressee,
    may_answer,
    rules_for,
)
from ownership.plan import OwnerMove
from store.exceptions import ExceptionItem
from store.notifications import NewNotification, Notification
from store.offers import Offer
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.notice_words import shown_in, to_notice
from tasks.slack_messages import show_ended_offers
from tasks.steps import as_task

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=4)
LONGEST_CALL = timedelta(minutes=5)  # a message is with one run; patience of a connector ends before
MOST_TRIES = 12  # of one message that its mailbox does not take yet: about a day
MOST_DEFERRED = 5  # in one run, when nobody was told before: then it is the server


@dataclass(frozen=True, slots=True)
class Notified:
    """Messages delivered, refused for good, and left for the next run."""

    sent: int
    refused: int
    waiting: int


@dataclass(frozen=True, slots=True)
class About:
    """An account or lead that people are told of: whose it is (or who is asked), what they read, what others read.

    `occasion` is what it is told of once: an offer, an exception. Without one it is told together with the others of
    its batch.
    """

    account_id: str
    owner: str | None
    line: str
    line_for_others: str
    occasion: str = ""
    offer_id: str | None = None


def add_owner_notices(uow: UnitOfWork, context: RunContext, moves: Sequence[OwnerMove], batch_key: str) -> None:
    """Queue what people must be told of new owners, in the transaction that made them owners."""
    add_notices(uow, context, NEW_OWNER, _about_moves(uow, context, moves, "has it now"), batch_key)


def add_offer_notices(uow: UnitOfWork, context: RunContext, offers: Sequence[OwnerMove], batch_key: str) -> None:
    """Queue what people must be told when somebody is asked to take over accounts that are not theirs yet."""
    add_notices(uow, context, ASKED, _about_moves(uow, context, offers, "is asked to take it over"), batch_key)


def add_reminders(uow: UnitOfWork, context: RunContext, offers: Mapping[str, Offer], names: Mapping[str, str]) -> None:
    """Queue reminders of offers that run out soon, by account. `names` are those of the accounts."""
    roster = context.policy.roster
    about = []
    for account_id, offer in offers.items():
        name, until = names[account_id], f"by {offer.due_by:%Y-%m-%d %H:%M} UTC"
        others = f"{name}: {roster.name(offer.owner_id)} is to accept or decline {until}"
        line = f"{name}: please accept or decline {until}"
        about.append(About(account_id, offer.owner_id, line, others, offer.offer_id, offer.offer_id))
    add_notices(uow, context, REMINDED, about, "")


def add_notices(uow: UnitOfWork, context: RunContext, event: str, about: Sequence[About], batch_key: str) -> None:
    """Queue what the policy wants people to be told of `event` (one of `ownership.notices.EVENTS`)."""
    uow.notifications.add(notices_of(uow, context, event, about, batch_key), context.now())


def notices_of(
    uow: UnitOfWork, context: RunContext, event: str, about: Sequence[About], batch_key: str
) -> list[NewNotification]:
    """Who is told what of `event`, over which channel; nobody twice of the same."""
    rules = rules_for(context.policy.policy, event) if about else []
    rules = sorted(rules, key=lambda rule: rule.to != OWNER)  # an owner reads what owners read, whoever else they are
    asked = _Asked(uow, context, rules, about)
    together: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    messages: list[NewNotification] = []
    seen: set[tuple[str, str, str]] = set()
    for rule in rules:
        for each in about:
            who = asked.meant(rule, each)
            for channel in rule.channels if who is not None else ():
                if (channel, str(who), each.account_id + each.occasion) in seen:
                    continue
                seen.add((channel, str(who), each.account_id + each.occasion))
                is_owner = who == each.owner
                line, subject = (each.line if is_owner else each.line_for_others), SUBJECTS[event][not is_owner]
                if not each.occasion:
                    together[(channel, str(who), subject)].append(line)
                    continue
                key = f"{channel}:{event}:{each.occasion}:{_opaque(str(who))}"
                offer_id = each.offer_id if may_answer(rule.to) else None
                email = _address(context, str(who))
                messages.append(NewNotification(key, email, subject, (line,), channel, offer_id))
    for (channel, who, subject), lines in sorted(together.items()):
        kind = "" if subject == SUBJECTS[event][0] else ":others"
        key = f"{channel}:{event}{kind}:{context.run_id}:{batch_key}:{_opaque(who)}"
        messages.append(NewNotification(key, _address(context, who), subject, tuple(lines), channel))
    return messages


class _Asked:
    """What the entries of one event ask of accounts, read only where one asks it."""

    def __init__(
        self, uow: UnitOfWork, context: RunContext, rules: Sequence[NoticeRule], about: Sequence[About]
    ) -> None:
        ids = [each.account_id for each in about]
        self._context = context
        self._today = context.today()
        self._teams = uow.ledger.teams(ids) if any(rule.to.startswith(ROLE) for rule in rules) else {}
        self._fields = {}
        if any(rule.when != ALWAYS for rule in rules):
            day = Day.of(context.policy.policy, context.policy.roster, context.now())
            accounts = uow.accounts.get_many(ids)
            self._fields = {id_: fold_fields(each.fields, day.date, day.days) for id_, each in accounts.items()}

    def meant(self, rule: NoticeRule, about: About) -> str | None:
        """Who is told of this by an entry, None when nobody is."""
        if not rule.period.holds_on(self._today):
            return None
        if rule.when != ALWAYS and not holds(rule.when, self._fields.get(about.account_id, {})):
            return None
        return addressee(rule.to, about.owner, self._teams.get(about.account_id, {}), self._context.policy.roster)


def _about_moves(uow: UnitOfWork, context: RunContext, moves: Sequence[OwnerMove], what: str) -> list[About]:
    """Moves as people read them, each with the offer that its owner is asked to answer, if they are."""
    roster = context.policy.roster
    offers = uow.offers.of_accounts(move.account_id for move in moves)
    about = []
    for move in moves:
        if move.after is None or move.after not in roster.reps:
            continue
        offer = offers.get(move.account_id)
        offer_id = offer.offer_id if offer and offer.owner_id == move.after else None
        others = f"{move.name}: {roster.name(move.after)} {what}; {move.because}"
        line = f"{move.name}: {move.because}"
        about.append(About(move.account_id, move.after, line, others, offer_id or "", offer_id))
    return about


def _opaque(who: str) -> str:
    """Keys stay when a person is erased, so that no address is in them."""
    return sha256(who.casefold().encode()).hexdigest()[:16] if "@" in who else who


def _address(context: RunContext, who: str) -> str:
    return who if "@" in who else context.policy.roster.reps[who].email


def deliver_notices(context: RunContext) -> Notified:
    """Send what is queued over every channel there is, everything for one person in one message.

    A channel stops quietly at the first sign that it is busy or out of reach; the rest waits for the next run. Messages
    of offers that have ended since lose their buttons.
    """
    notifiers = context.connectors.notifiers
    _add_exceptions(context)
    groups = context.store.run(lambda uow: _settled_messages(uow, list(notifiers), context.now()))
    done = [_deliver_all(context, channel, notifier, groups[channel]) for channel, notifier in notifiers.items()]
    show_ended_offers(context)
    return Notified(*(sum(each) for each in zip(*done, strict=True))) if done else Notified(0, 0, 0)


def _settled_messages(uow: UnitOfWork, channels: Sequence[str], now: datetime) -> dict[str, list[list[Notification]]]:
    """What is told together, by channel. It is written down before anything is sent: after a crash the same is sent
    under the same key, whatever was queued meanwhile, so that the vendor can drop it and loses nothing new."""
    messages: dict[tuple[str, ...], list[Notification]] = defaultdict(list)
    for each in uow.notifications.pending(channels, now, lock=True):
        told_as = (each.message_key,) if each.message_key else (each.email, each.subject)
        messages[(each.channel, *told_as)].append(each)
    by_channel: dict[str, list[list[Notification]]] = {channel: [] for channel in channels}
    for together in messages.values():
        first = together[0]
        if not first.message_key:
            uow.notifications.tell_together([each.notification_id for each in together], first.dedup_key)
        by_channel[first.channel].append(together)
    return by_channel


def _deliver_all(
    context: RunContext, channel: str, notifier: Notifier, messages: Sequence[list[Notification]]
) -> tuple[int, int, int]:
    """How many messages were sent, refused, and wait."""
    sent = refused = deferred = 0
    for together in messages:
        if not _claim(context, together):
            continue
        try:
            message_id = notifier.notify(to_notice(context, together))
        except RecordRejected as refusal:
            _settle(context, together, "refused", str(refusal))
            refused += 1
        except Deferred as problem:  # one mailbox: it waits by itself, unless all of them say so
            refused += _defer(context, together, problem)
            deferred += 1
            if deferred == MOST_DEFERRED and not sent:
                break
        except ConnectorError as problem:  # busy, out of reach, or no answer: the repeat has the same key
            _put_off(context, together, str(problem), None)
            break
        else:
            _settle(context, together, "sent", "", message_id)
            sent += 1
    return sent, refused, len(messages) - sent - refused


def _claim(context: RunContext, together: Sequence[Notification]) -> bool:
    """Whether it is ours to send: another run may have read the same queue. Who is killed while sending holds it up for
    a while; it is sent again then, under the same key."""
    ids, now = [message.notification_id for message in together], context.now()
    return context.store.run(lambda uow: uow.notifications.claim(ids, now, now + LONGEST_CALL))


def _defer(context: RunContext, together: Sequence[Notification], problem: Deferred) -> int:
    """Put off what one mailbox does not take yet, a little longer each time, and give it up after a day or so; returns
    1 when it was given up."""
    tried = max(message.attempts for message in together) + 1
    if tried >= MOST_TRIES:
        _settle(context, together, "refused", f"given up after {tried} tries: {problem}")
        return 1
    first = timedelta(seconds=problem.retry_after_s or FIRST_WAIT.total_seconds())
    _put_off(context, together, str(problem), context.now() + min(first * 2 ** (tried - 1), LONGEST_WAIT))
    return 0


def _put_off(context: RunContext, together: Sequence[Notification], error: str, until: datetime | None) -> None:
    ids = [message.notification_id for message in together]
    context.store.run(lambda uow: uow.notifications.put_off(ids, error, until))


def _settle(
    context: RunContext, together: Sequence[Notification], state: str, error: str, message_id: str = ""
) -> None:
    ids = [message.notification_id for message in together]
    asking = [message.notification_id for message in shown_in(together) if message.offer_id]
    is_answerable = context.connectors.messenger is not None and together[0].channel == "slack"

    def write(uow: UnitOfWork) -> None:
        uow.notifications.settle(ids, state, error, context.now(), message_id)
        if message_id and is_answerable and asking:
            uow.notifications.set_answerable(asking, True)

    context.store.run(write)


def _add_exceptions(context: RunContext) -> None:
    """Queue what people want to be told of that needs a person, each exception once."""
    if not rules_for(context.policy.policy, EXCEPTION):
        return
    with context.store.transaction(readonly=True) as uow:
        items = uow.exceptions.open_items()
        ids = [item.account_id for item in items if item.account_id]
        owners, accounts = uow.ledger.current(ids), uow.accounts.get_many(ids)
        about = []
        for item in items:
            account, owner = accounts.get(item.account_id or ""), owners.get(item.account_id or "")
            line = f"{account.name if account else item.dedup_key}: {_problem(item)}"
            owned_by = owner.owner_id if owner else None
            about.append(About(item.account_id or "", owned_by, line, line, item.exception_id))
        messages = notices_of(uow, context, EXCEPTION, about, "")
        known = uow.notifications.known_among(message.dedup_key for message in messages)
    if new := [message for message in messages if message.dedup_key not in known]:
        context.store.run(lambda uow: uow.notifications.add(new, context.now()))


def _problem(item: ExceptionItem) -> str:
    said = item.detail.get("problem") or item.detail.get("because") or ""
    words = said if isinstance(said, str) else str(said[-1]) if said else ""
    return f"{item.kind.replace('_', ' ')}" + (f"; {words}" if words else "")


deliver_notices_task = as_task(deliver_notices, "notify")
