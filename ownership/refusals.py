"""What people are told when what they ask for cannot be done: not a failure of Steward, and nothing was changed."""

from __future__ import annotations


class Refusal(ValueError):
    """Somebody may not do what they asked for, or it cannot stand; the message says why and what to do."""
