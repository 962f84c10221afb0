"""Virtual time: many workers in one thread, of which one runs until it waits. The same seed gives the same run.

A worker is a greenlet. It gives way where a real one could be overtaken: before and after each transaction and vendor
call, and whenever it sleeps. What happens then is drawn from the seed: nothing, a pause, or the end of the worker.
What vendors do, and what must hold, is not said here.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenlet import GreenletExit, getcurrent, greenlet

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CRASH, PAUSE = 0.012, 0.03  # how likely at each place where a worker can be overtaken
PAUSE_S = (5.0, 90.0)
RESTART_S = (5.0, 30.0)


class Crashed(BaseException):
    """The worker's process is gone. Not an Exception, so that nothing in between handles it."""


@dataclass
class Worker:
    """One process: its name, and what is known of the run it is in."""

    name: str
    body: Callable[[Worker], None]
    starts: int = 0
    run_id: str = ""
    greenlet: greenlet | None = field(default=None, repr=False)


class Scheduler:
    """The clock, what is due when, and the dice. `faults` counts what went wrong; `trace` is what happened."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.seconds = 0.0
        self.stormy = True
        self.faults: Counter[str] = Counter()
        self.trace: list[tuple[float, str, str]] = []
        self.broken: list[str] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._workers: list[Worker] = []
        self._hub = getcurrent()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def at(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something in `delay_s` seconds; it must not wait itself."""
        heapq.heappush(self._due, (self.seconds + delay_s, next(self._numbers), action))

    def note(self, what: str) -> None:
        worker = self.worker()
        self.trace.append((round(self.seconds, 6), worker.name if worker else "world", what))

    def worker(self) -> Worker | None:
        """Whose turn it is; None for the world around."""
        current = getcurrent()
        return next((each for each in self._workers if each.greenlet is current), None)

    def start(self, name: str, body: Callable[[Worker], None]) -> None:
        """A worker that runs `body`, and is started again some time after each crash."""
        worker = Worker(name, body)
        self._workers.append(worker)
        self.at(self.dice.uniform(0, 5), lambda: self._launch(worker))

    def sleep(self, seconds: float) -> None:
        """Let others go on; return `seconds` later."""
        me = getcurrent()
        self.at(max(seconds, 0.0), me.switch)
        self._hub.switch()

    def give_way(self, place: str) -> None:
        """A place where a real worker can be overtaken, paused, or die."""
        if self.worker() is None:
            return
        chance = self.dice.random() if self.stormy else 1.0
        if chance < CRASH:
            self.faults["crash"] += 1
            self.note(f"dies {place}")
            raise Crashed
        if chance < CRASH + PAUSE:
            self.faults["pause"] += 1
            self.sleep(self.dice.uniform(*PAUSE_S))
        else:
            self.sleep(self.dice.uniform(0.001, 0.3))

    def run_until(self, is_over: Callable[[], bool], limit_s: float) -> bool:
        """Go on until `is_over`, asked each ten seconds; False when it is not after `limit_s` seconds."""
        self._hub = getcurrent()
        end, ask_at = self.seconds + limit_s, self.seconds
        while self._due and self.seconds < end:
            if self._due[0][0] >= ask_at:
                if is_over():
                    return True
                ask_at = self._due[0][0] + 10
            self.seconds, _, action = heapq.heappop(self._due)
            action()
        return is_over()

    def stop(self) -> None:
        """End every worker where it stands."""
        self._due.clear()
        for worker in self._workers:
            if worker.greenlet is not None and not worker.greenlet.dead:
                worker.greenlet.throw(GreenletExit)

    def _launch(self, worker: Worker) -> None:
        worker.starts += 1
        worker.greenlet = greenlet(lambda: self._live(worker))
        worker.greenlet.switch()

    def _live(self, worker: Worker) -> None:
        try:
            worker.body(worker)
        except Crashed:
            self.at(self.dice.uniform(*RESTART_S), lambda: self._launch(worker))
        except Exception as error:
            self.broken.append(f"{worker.name} broke: {type(error).__name__}: {error}")
