"""Outreach, emulated: OAuth, JSON:API accounts and users, and batches that work while nobody waits."""

from emulators.outreach.app import Outreach

__all__ = ["Outreach"]
