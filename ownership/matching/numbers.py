"""Numbers in names: "Fund II" is not "Fund III", and "Acquisition Corp. I" is not "Acquisition Corp. II"."""

from __future__ import annotations

from functools import lru_cache

_ROMAN = frozenset(["ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv"])
_LETTERS_TOO = frozenset(["i", "v", "x"])
"""Numbers where a name ends with them; elsewhere they may be anybody's initial."""


@lru_cache(maxsize=50_000)
def numbers_in(words: tuple[str, ...]) -> frozenset[str]:
    """The numbers in a name's words, roman ones as they stand, without zeros in front."""
    found = {word.lstrip("0") or "0" for word in words if word.isdigit() or word in _ROMAN}
    return frozenset(found | (_LETTERS_TOO & set(words[1:][-1:])))
