"""What changed outside, gathered for a moment: a burst of deliveries starts a few runs rather than one for each."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Iterable

from starlette.concurrency import run_in_threadpool

from store.statements import chunks
from tasks.inbox import pass_on

GATHER_S = 0.3  # little beside the seconds in which a run begins
RECORDS_A_RUN = 1000


class Changes:
    """The ids that wait, by source. Of one event loop: nothing here is done between two of its steps."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[str]] = {}

    async def pass_on(self, source: str, external_ids: Iterable[str]) -> None:
        """Start runs for these records, with those that others bring meanwhile.

        To be called when the vendor has its answer. Whatever comes in between loses nothing: the inbox has all of it,
        and the scheduled run reads what no event led to.
        """
        others_wait = source in self._waiting
        self._waiting.setdefault(source, set()).update(external_ids)
        if others_wait:
            return
        await sleep(GATHER_S)
        for some in chunks(sorted(self._waiting.pop(source)), RECORDS_A_RUN):
            await run_in_threadpool(pass_on, source, some)
