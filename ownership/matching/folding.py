"""Text as folded words: lower-case ASCII, so that equal spellings are equal text. The cost is bounded for any input."""

from __future__ import annotations

import re
from contextlib import suppress

from anyascii import anyascii

LONGEST_NAME = 300
MOST_WORDS = 24
ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}

NOT_WORD = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = re.compile(r"(?<=[a-z0-9])['`’](?=[a-z0-9])")
_INITIALS = re.compile(r"\b(?:[a-z0-9] ){1,}[a-z0-9]\b")


def words_of(name: str) -> list[str]:
    """The words of a name; letters that stand alone are one word: "I. B. M." is "ibm"."""
    folded = _APOSTROPHES.sub("", fold(name[:LONGEST_NAME]).replace("&", " and "))
    spaced = NOT_WORD.sub(" ", folded).strip()
    words = _INITIALS.sub(lambda found: found[0].replace(" ", ""), spaced).split()[:MOST_WORDS]
    return [ORDINALS.get(word, word) for word in words]


def fold(text: str) -> str:
    """Lower-case ASCII; other scripts as they are read aloud."""
    if "Ã" in text:  # UTF-8 that was read as Latin-1, once or twice
        for _ in range(2):
            with suppress(UnicodeError):
                text = text.encode("cp1252").decode("utf-8")
    return (text if text.isascii() else anyascii(text)).lower()[: 4 * LONGEST_NAME]
