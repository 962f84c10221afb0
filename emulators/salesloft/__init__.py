"""Salesloft, emulated: the accounts and users of one team, with its paging, filters and points a minute."""

from emulators.salesloft.app import Salesloft

__all__ = ["Salesloft"]
