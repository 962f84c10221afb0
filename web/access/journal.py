"""Every request of a page or of the API is noted: who asked for what, and whether it was refused.

Requests do not wait for it. What was noted is written together a moment later by a thread, and the rest when the
application stops; a process that is killed loses what was noted in the last `GATHER_S` seconds.
"""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread

from store.access_log import Access
from store.engine import Store

GATHER_S = 0.2
RETRY_S = 5.0
log = logging.getLogger("steward.web")


class Journal:
    """Takes accesses from many threads and writes them in one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: list[Access] = []
        self._noting, self._writing = Lock(), Lock()
        self._something, self._closing = Event(), Event()
        self._thread = Thread(target=self._keep_writing, name="access-log", daemon=True)
        self._thread.start()

    def note(self, access: Access) -> None:
        with self._noting:
            self._noted.append(access)
        self._something.set()

    def write(self) -> None:
        """Write what was noted until now. When that fails, it is kept for the next time."""
        with self._writing:
            with self._noting:
                batch, self._noted = self._noted, []
            if not batch:
                return
            try:
                self._store.run(lambda uow: uow.access_log.add(batch))
            except BaseException:
                with self._noting:
                    self._noted[:0] = batch
                raise

    def close(self) -> None:
        """Write the rest, and stop."""
        self._closing.set()
        self._something.set()
        self._thread.join()
        try:
            self.write()
        except Exception as problem:
            log.error("%d accesses are not in the log: %s", len(self._noted), problem)

    def _keep_writing(self) -> None:
        while not self._closing.is_set():
            self._something.wait()
            self._something.clear()
            self._closing.wait(GATHER_S)
            try:
                self.write()
            except Exception as problem:  # whatever it is, the thread goes on, or nothing would be written any more
                log.warning("the log of accesses is written later: %s", problem)
                self._closing.wait(RETRY_S)
                self._something.set()
