"""How the notices stand, in lines for people. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.context import RunContext


def notice_lines(context: RunContext) -> Iterator[str]:
    """How many there are by channel and state, then each that was refused or waits, with the vendor's word."""
    with context.store.transaction(readonly=True) as uow:
        counts, unsent = uow.notifications.counts(), uow.notifications.not_delivered()
    for (channel, state), count in sorted(counts.items()):
        yield f"{channel:<8} {state:<8} {count:,}"
    if not unsent:
        yield "Everybody was told."
    connected = context.connectors.notifiers
    for message in unsent:
        word = message.error or ("" if message.channel in connected else f"{message.channel} is not connected")
        if message.not_before is not None:
            word += f"; again at {message.not_before:%Y-%m-%d %H:%M} UTC"
        subject = message.subject.replace("{count}", f"{len(message.lines)} account(s)")
        yield f"{message.state:<8} {message.channel:<6} {message.created_at:%Y-%m-%d %H:%M} UTC  {message.email}"
        yield f"{'':<8} {subject}" + (f": {word}" if word else "")
