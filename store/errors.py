"""What can go wrong with the database, named by what the caller does next."""

from __future__ import annotations


class StoreError(Exception):
    """A failure of the store."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or written. The message says what to mend; trying again alone does not help."""


class StoreBusy(StoreError):
    """Others held the database through all repeats of a transaction. Nothing was written; try again later."""


class CursorMoved(StoreError):
    """Another run advanced the same stream since the cursor was read: stop, that run has the rows."""
