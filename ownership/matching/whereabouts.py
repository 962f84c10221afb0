"""Where accounts are, by their places in the index: of many alike names, which are in a lead's city or postcode."""

from __future__ import annotations

from array import array
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ownership.matching.company import Normal
from ownership.matching.postings import Places


class Whereabouts:
    """City and postcode of each account, as checksums: two cities with one of them cost a lead a needless candidate."""

    def __init__(self) -> None:
        self._numbers = array("I")

    def append(self, account: Normal) -> None:
        """Take in the account at the next place."""
        self._numbers.extend(_numbers_of(account))

    def shared(self, lead: Normal, places: Places) -> NDArray[np.bool_]:
        """For each of these places whether its account has the lead's city or postcode."""
        mine = np.array(_numbers_of(lead), dtype=np.uint32)
        theirs = np.frombuffer(self._numbers, dtype=np.uint32).reshape(-1, 2)[places]
        same: NDArray[np.bool_] = ((theirs == mine) & (mine != 0)).any(axis=1)
        return same


def _numbers_of(account: Normal) -> tuple[int, int]:
    """0 for what is not known."""
    return _number(account.city), _number(account.area)


def _number(text: str | None) -> int:
    return (crc32(text.encode("utf-8", "surrogatepass")) or 1) if text else 0
