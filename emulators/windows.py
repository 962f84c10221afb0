"""Rolling windows of calls, as vendors' limits count them. How many and how long is the vendor's own file."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Window:
    """Counts calls in a rolling window. A refused call does not count."""

    size: int
    length: timedelta
    _taken: deque[datetime] = field(default_factory=deque)

    def take(self, at: datetime) -> bool:
        """Whether a call at this instant is within the limit."""
        while self._taken and self._taken[0] <= at - self.length:
            self._taken.popleft()
        if len(self._taken) >= self.size:
            return False
        self._taken.append(at)
        return True

    @property
    def remaining(self) -> int:
        return self.size - len(self._taken)

    def wait_s(self, at: datetime) -> int:
        """Whole seconds until the next call is within the limit, as a Retry-After header says it."""
        if len(self._taken) < self.size:
            return 0
        return max(1, math.ceil((self._taken[0] + self.length - at).total_seconds()))
