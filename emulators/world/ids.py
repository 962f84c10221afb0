"""Ids in the vendors' own forms, each a pure function of a number, so that a world is the same on every build."""

from __future__ import annotations

import hashlib
import string

BASE62 = string.ascii_uppercase + string.ascii_lowercase + string.digits
BASE36 = string.ascii_uppercase + string.digits
CHECKSUM_LETTERS = string.ascii_uppercase + "012345"
ORGANIZATION_ID = "00DHs000000Nrth2AM"  # the one Salesforce org

# Ids of a real org start anywhere and have gaps where rows were deleted; nobody should count on "one after another".
FIRST_ROW, ROW_GAP = 4_100_003, 37


def salesforce_id(prefix: str, number: int) -> str:
    """The 18-character id of row `number` of the object with this three-character key prefix ("001" is Account)."""
    short = f"{prefix}Hs00000{_base62(FIRST_ROW + number * ROW_GAP, 5)}"
    return short + salesforce_checksum(short)


def salesforce_checksum(short_id: str) -> str:
    """The three letters that make a 15-character id safe where case is lost: one letter for each five characters.

    Each letter holds which of its five characters are upper case, lowest bit first.
    """
    chunks = (short_id[start : start + 5] for start in range(0, 15, 5))
    return "".join(CHECKSUM_LETTERS[sum(1 << bit for bit, c in enumerate(chunk) if c.isupper())] for chunk in chunks)


def hubspot_company_id(number: int) -> str:
    return str(18_204_511_207 + number * 7_919)


def hubspot_contact_id(number: int) -> str:
    return str(61_450_351 + number * 613)


def hubspot_owner_id(number: int) -> str:
    """What `hubspot_owner_id` holds. Not the `userId`, which HubSpot refuses there."""
    return str(71_310_042 + number * 1_009)


def hubspot_user_id(number: int) -> int:
    return 9_400_117 + number * 613


def stripe_id(prefix: str, number: int) -> str:
    """An id such as `cus_…` with fourteen characters that look random, as Stripe's do."""
    return f"{prefix}_{_scrambled(prefix, number, 14, BASE62)}"


def slack_user_id(number: int) -> str:
    return "U07" + _scrambled("slack", number, 8, BASE36)


def workspace_id(number: int) -> str:
    return f"ws_{_scrambled('workspace', number, 10, string.ascii_lowercase + string.digits)}"


def _scrambled(topic: str, number: int, length: int, alphabet: str) -> str:
    rest = int.from_bytes(hashlib.sha256(f"{topic}:{number}".encode()).digest(), "big")
    letters = []
    for _ in range(length):
        rest, place = divmod(rest, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)


def _base62(number: int, width: int) -> str:
    letters = []
    for _ in range(width):
        number, place = divmod(number, 62)
        letters.append(BASE62[place])
    return "".join(reversed(letters))
