"""Failures on order: which request of which vendor goes wrong, and how. The same orders give the same failures.

A vendor asks `Faults.next` exactly once for each request, after it knows the operation and before it does anything.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset(
    {
        "status",  # answer params["status"] (429, 500, 503, …) with the vendor's own body; nothing is done
        "expire_token",  # the token is refused from now on, until a new one is fetched
        "reset",  # drop the connection; params["after_commit"] says whether the request was carried out first
        "timeout_after_commit",  # carry it out, then stay silent for params["seconds"]
        "truncate",  # carry it out, then cut the body in the middle and drop the connection
        "slow",  # answer properly after params["seconds"]
        "row_lock",  # Salesforce: the rows at params["rows"] (all, without it) answer UNABLE_TO_LOCK_ROW
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. Exactly one of `nth` (1-based, counted from installing), `every` and `probability` (with `seed`).

    `operation` is the vendor's label, or "*" for any. Raises `ValueError` for an order that could never be met.
    """

    vendor: str
    operation: str
    kind: str
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if sum(when is not None for when in (self.nth, self.every, self.probability)) != 1:
            raise ValueError("a fault needs exactly one of nth, every and probability")
        if any(when is not None and when < 1 for when in (self.nth, self.every)):
            raise ValueError("nth and every count from 1")


class Faults:
    """The orders in force. Safe to use from any thread."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._lock = threading.Lock()

    def install(self, fault: Fault) -> None:
        with self._lock:
            self._orders.append(_Order(fault))

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def unmet(self) -> list[Fault]:
        """The `nth` orders that no request has met yet: a test that counts on them counts in vain."""
        with self._lock:
            return [order.fault for order in self._orders if order.fault.nth is not None and not order.met]

    def next(self, vendor: str, operation: str) -> Fault | None:
        """Count this request against every order that covers it; the first one due is what happens to it."""
        with self._lock:
            due = [order for order in self._orders if order.covers(vendor, operation) and order.is_due()]
            if due:
                due[0].met = True
        return due[0].fault if due else None


class _Order:
    """A fault and how many requests it has seen."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.met = False
        self._seen = 0
        self._rng = random.Random(fault.seed)

    def covers(self, vendor: str, operation: str) -> bool:
        return self.fault.vendor == vendor and self.fault.operation in ("*", operation)

    def is_due(self) -> bool:
        self._seen += 1
        fault = self.fault
        if fault.nth is not None:
            return self._seen == fault.nth
        if fault.every is not None:
            return self._seen % fault.every == 0
        return self._rng.random() < (fault.probability or 0.0)
