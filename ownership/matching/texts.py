"""Strings in one buffer, by number: a million of them in the memory of their letters."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ends = NDArray[np.int64]


class Texts:
    """Strings in the order they came in. What was settled stands in two arrays; what came later behind it."""

    def __init__(self) -> None:
        self.letters: Bytes = np.empty(0, dtype=np.uint8)
        self.ends: Ends = np.zeros(1, dtype=np.int64)
        self._look()

    def _look(self) -> None:
        self._letters, self._ends = self.letters.data, self.ends.data
        self._later, self._later_ends = bytearray(), array("q", [0])

    def __len__(self) -> int:
        return len(self.ends) + len(self._later_ends) - 2

    def __getitem__(self, number: int) -> str:
        later = number - len(self.ends) + 1
        if later >= 0:
            return self._later[self._later_ends[later] : self._later_ends[later + 1]].decode("utf-8", "surrogatepass")
        return str(self._letters[self._ends[number] : self._ends[number + 1]], "utf-8", "surrogatepass")

    def append(self, text: str) -> None:
        self._later += text.encode("utf-8", "surrogatepass")
        self._later_ends.append(len(self._later))

    def settle(self) -> None:
        """Move what was appended to an empty collection into its arrays, without a copy."""
        if len(self.ends) > 1:
            raise ValueError("these texts are settled already")
        self.letters = np.frombuffer(self._later, dtype=np.uint8)
        self.ends = np.frombuffer(self._later_ends, dtype=np.int64)
        self._look()
