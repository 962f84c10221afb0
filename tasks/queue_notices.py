"""What those who were asked are told once an account waits for a person because none of them accepted it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ownership.model import Account
from ownership.notices import UNACCEPTED
from store.exceptions import NewException
from store.offers import IN_VAIN, Offer
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.notices import About, add_notices


def add_queue_notices(
    uow: UnitOfWork, context: RunContext, unaccepted: Sequence[NewException], accounts: Mapping[str, Account]
) -> None:
    """Queue what everybody who was asked for these accounts in vain, and is still here, is told, once each."""
    made = uow.offers.since_placed(each.account_id for each in unaccepted if each.account_id)
    about = list[About]()
    for each in unaccepted:
        account = accounts[each.account_id or ""]
        about += _about(context, account, str(each.detail["problem"]), made.get(account.id, ()))
    add_notices(uow, context, UNACCEPTED, about, "")


def _about(context: RunContext, account: Account, problem: str, made: Sequence[Offer]) -> Iterator[About]:
    """One for each who was asked, by the latest offer to them; all bear the mark of the offer that was the last."""
    roster, here = context.policy.roster, context.policy.roster.present_on(context.today())
    in_vain = {offer.owner_id: offer for offer in reversed(made) if offer.state in IN_VAIN and offer.owner_id in here}
    names = ", ".join(map(roster.name, in_vain))
    others = f"{account.name}: {problem}. Who was asked can still take it: {names}"
    address = context.settings.public_url.rstrip("/")
    for rep, offer in in_vain.items():
        line = f"{account.name}: {problem}. You were asked and can still take it: {address}/offers/{offer.offer_id}"
        yield About(account.id, rep, line, others, made[0].offer_id)
