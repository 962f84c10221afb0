"""Outreach, emulated: OAuth, JSON:API accounts, users and tasks, and batches that work while nobody waits."""

from emulators.outreach.app import Outreach

__all__ = ["Outreach"]
