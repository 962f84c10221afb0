"""Initials: "International Business Machines" is "ibm", "Bank of America" is "boa" and "ba"."""

from __future__ import annotations

from collections.abc import Sequence

LEFT_OUT = frozenset(["and", "of", "the", "for", "de"])
"""Little words whose letters are often left out."""


def initials_of(words: Sequence[str]) -> frozenset[str]:
    """The initials of a name of two words or more, with and without those of little words; none of a shorter name."""
    if len(words) < 2:
        return frozenset()
    return frozenset(["".join(word[0] for word in words), "".join(word[0] for word in words if word not in LEFT_OUT)])
