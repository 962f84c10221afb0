"""Messages that can be answered where they are: shown anew once their offers have ended, wherever that happened."""

from __future__ import annotations

from connectors.base import Messenger
from connectors.errors import ConnectorError, RecordRejected
from store.offers import OFFERED
from tasks.context import RunContext
from tasks.notice_words import to_notice


def show_ended_offers(context: RunContext) -> int:
    """Take the buttons off offers that were answered elsewhere or ran out; returns how many messages that were.

    Stops quietly when the vendor is busy: a message keeps its buttons until the next run, and what they answer then is
    what became of the offer.
    """
    messenger = context.connectors.messenger
    if messenger is None:
        return 0
    with context.store.transaction(readonly=True) as uow:
        messages = uow.notifications.with_ended_offers()
    for done, message_id in enumerate(messages):
        try:
            show_message_anew(context, messenger, message_id)
        except ConnectorError:
            return done
    return len(messages)


def show_message_anew(context: RunContext, messenger: Messenger, message_id: str) -> None:
    """Make a message say what is so now. One that is not there any more is left in peace."""
    with context.store.transaction(readonly=True) as uow:
        together = uow.notifications.of_message(message_id)
        offers = uow.offers.get_many(message.offer_id for message in together if message.offer_id)
    if not together:
        return
    open_ones = {offer.offer_id for offer in offers.values() if offer.state == OFFERED}
    ended = [message.notification_id for message in together if message.offer_id not in open_ones]
    try:
        messenger.show_anew(message_id, to_notice(context, together))
    except RecordRejected:
        ended = [message.notification_id for message in together]
    context.store.run(lambda uow: uow.notifications.set_answerable(ended, False))
