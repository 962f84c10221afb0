"""Errors named by what the caller does next. Every connector turns its vendor's answers into one of these.

| error             | the caller                                                            |
|-------------------|-----------------------------------------------------------------------|
| `RetryLater`      | leaves the work where it is and comes back after `retry_after_s`      |
| `Deferred`        | does the same with this record alone, and goes on with the others     |
| `Ambiguous`       | reads before it does anything else: the write may or may not be done  |
| `OwnerMoved`      | re-decides: somebody changed the record since we read it              |
| `RecordRejected`  | makes an exception of this record and goes on with the others         |
| `BadRecord`       | makes an exception of this row: it cannot be read                     |
| `SchemaChanged`   | stops this stream, leaves its cursor, raises an exception             |
| `ConnectorStopped`| stops this connector: credentials, permission or allowance are gone   |
"""

from __future__ import annotations


class ConnectorError(Exception):
    """A failure of an outside system.

    `code` is the vendor's own code where there is one; `mend` tells a person what to do.
    """

    def __init__(self, connector: str, message: str, *, code: str = "", mend: str = "") -> None:
        self.connector = connector
        self.code = code
        self.mend = mend
        self.message = message
        super().__init__(f"{connector}: {message}" + (f" ({code})" if code else "") + (f". {mend}" if mend else ""))


class RetryLater(ConnectorError):
    """The vendor is busy or unreachable after the connector's own retries. `retry_after_s` in seconds, or None."""

    def __init__(
        self,
        connector: str,
        message: str,
        *,
        code: str = "",
        mend: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(connector, message, code=code, mend=mend)
        self.retry_after_s = retry_after_s


class Deferred(RetryLater):
    """The vendor will take this record later, and others now: a full mailbox, a server that greylists."""


class Ambiguous(ConnectorError):
    """A write was sent and no answer came. Only a read can tell whether it happened."""


class OwnerMoved(ConnectorError):
    """A conditional write failed because the record changed since it was read."""


class RecordRejected(ConnectorError):
    """The vendor refuses this record for good: inactive owner, deleted or merged record, no right."""


class BadRecord(ConnectorError):
    """A row that cannot be turned into a value. The row harms only itself."""


class SchemaChanged(ConnectorError):
    """A field or object we need is missing or has another type."""


class ConnectorStopped(ConnectorError):
    """Nothing more can be done with this connector until a person acts."""
