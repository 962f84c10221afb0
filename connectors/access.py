"""Bearer tokens that run out: fetched when first needed, and again once the vendor refuses one. No vendor is known."""

from __future__ import annotations

import threading
from collections.abc import Callable

from connectors.errors import Ambiguous, RetryLater


class AccessToken:
    """One token for all calls of a connector. Safe to share between threads: a refused token is fetched anew once."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._token: str | None = None
        self._lock = threading.Lock()

    def get(self) -> str:
        """The token to send. Raises what fetching raises, but never `Ambiguous`: without a token nothing was sent, so
        that a write which waits for one was surely not done."""
        with self._lock:
            if self._token is None:
                try:
                    self._token = self._fetch()
                except Ambiguous as error:
                    raise RetryLater(error.connector, error.message, code=error.code, mend=error.mend) from error
            return self._token

    def refused(self, token: str) -> None:
        """Forget `token`, unless another thread already has a newer one."""
        with self._lock:
            if self._token == token:
                self._token = None


__all__ = ["AccessToken"]
