"""Zendesk, emulated: organisations and their fields, agents and background jobs of one account, with its limits."""

from emulators.zendesk.app import Zendesk

__all__ = ["Zendesk"]
