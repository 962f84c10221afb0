"""Webhooks on their way out: queued, delivered in the background to a loopback URL, tried a few times."""

from __future__ import annotations

import queue
import threading
from urllib.parse import urlsplit

import httpx

from emulators.vendor import Delivery

TRIES = 4
FIRST_WAIT_S = 0.2  # doubled after each try; the vendors themselves wait minutes
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Deliveries:
    """A queue and one thread. Order is kept, except that a delivery that fails is overtaken by later ones."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._timers: set[threading.Timer] = set()
        self.failed: list[Delivery] = []

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery. Raises `ValueError` for a URL that leaves this machine."""
        if urlsplit(delivery.url).hostname not in LOOPBACK:
            raise ValueError(f"webhooks are delivered to loopback only, not {delivery.url}")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="emulated-webhooks", daemon=True)
            self._thread.start()
        self._queue.put(delivery)

    def close(self) -> None:
        """Stop delivering; what is still queued is lost, as it would be when a vendor is down."""
        self._closing.set()
        for timer in tuple(self._timers):
            timer.cancel()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        tries: dict[int, int] = {}
        with httpx.Client(timeout=10, trust_env=False) as client:
            while (delivery := self._queue.get()) is not None and not self._closing.is_set():
                if _post(client, delivery):
                    tries.pop(id(delivery), None)
                    continue
                done = tries[id(delivery)] = tries.get(id(delivery), 0) + 1
                if done < TRIES:
                    self._again_later(delivery, FIRST_WAIT_S * 2 ** (done - 1))
                else:
                    tries.pop(id(delivery), None)
                    self.failed.append(delivery)

    def _again_later(self, delivery: Delivery, wait_s: float) -> None:
        timer = threading.Timer(wait_s, self._queue.put, (delivery,))
        timer.daemon = True
        self._timers = {running for running in self._timers if running.is_alive()} | {timer}
        timer.start()


def _post(client: httpx.Client, delivery: Delivery) -> bool:
    try:
        response = client.post(delivery.url, content=delivery.body, headers=dict(delivery.headers))
    except httpx.HTTPError:
        return False
    return delivery.accepted(response.status_code, response.content)
