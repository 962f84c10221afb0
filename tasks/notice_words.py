"""What a message says: the notifications it tells of, and of each offer whether it can still be answered."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Notice, Question
from store.erasures import ERASED
from store.notifications import Notification
from store.offers import OFFERED, Offer
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

SHOWN = 10  # of one message; Slack takes 50 blocks, and people read fewer
ENDED = {"expired": "Nobody answered in time", "superseded": "It is not asked any more"}


def shown_in(together: Sequence[Notification]) -> list[Notification]:
    """Those that a message of all these shows; it counts the others."""
    shown, lines = [], 0
    for message in together:
        if lines < SHOWN:
            shown.append(message)
        lines += len(message.lines) or 1
    return shown


def to_notice(context: RunContext, together: Sequence[Notification]) -> Notice:
    """One message out of several, as things are now. A repeat has the same key, so that the vendor can drop it."""
    outcomes = outcomes_of(context, [message.offer_id for message in together if message.offer_id])
    address = context.settings.public_url.rstrip("/")
    questions: list[Question] = []
    lines: list[str] = []
    for message in shown_in(together):
        said = message.lines or (ERASED,)
        if message.offer_id is None:
            lines += said
            continue
        url, outcome = f"{address}/offers/{message.offer_id}", outcomes.get(message.offer_id, "")
        questions.append(Question(message.offer_id, " ".join(said), url, outcome))
    total = sum(len(message.lines) or 1 for message in together)
    lines = lines[: SHOWN - len(questions)]
    if more := total - len(questions) - len(lines):
        lines.append(f"and {more} more")
    links = {"See all of them": f"{address}/book"} if more else {}
    count = f"{total} account" + ("s" if total > 1 else "")
    subject = together[0].subject.replace("{count}", count)
    key = together[0].message_key or together[0].dedup_key
    return Notice(together[0].email, subject, tuple(lines), key, links, tuple(questions))


def outcomes_of(context: RunContext, offer_ids: Sequence[str]) -> dict[str, str]:
    """What became of offers, in words; "" while one is open."""
    if not offer_ids:
        return {}
    with context.store.transaction(readonly=True) as uow:
        offers = uow.offers.get_many(offer_ids)
        return {id_: outcome_of(context, uow, offer) for id_, offer in offers.items()}


def outcome_of(context: RunContext, uow: UnitOfWork, offer: Offer) -> str:
    """What became of one offer, with who has the account now; "" while it is open."""
    if offer.state == OFFERED:
        return ""
    roster = context.policy.roster
    said = ENDED.get(offer.state) or f"{offer.state.capitalize()} by {roster.name(offer.answered_by or '')}"
    holder = uow.ledger.current([offer.account_id]).get(offer.account_id)
    whose = roster.name(holder.owner_id) if holder else "nobody"
    return f"{said}. It belongs to {whose} now."
