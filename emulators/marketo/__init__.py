"""Marketo, emulated: leads, their log of changes and the people of one instance, with its limits and errors."""

from emulators.marketo.app import Marketo

__all__ = ["Marketo"]
