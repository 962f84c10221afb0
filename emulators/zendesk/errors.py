"""The error bodies Zendesk sends, and the exception that carries one out of any depth.

Sources: the plain-text 429 with Retry-After and the RecordInvalid 422 are recorded traffic (of users; organisations are
taken to answer alike); invalid_token, invalid_client and the account's own 429 text are the vendor's pages. From memory
and unverified: InvalidEndpoint, RecordNotFound, TooManyJobs, StartTimeTooRecent and the wording of Forbidden. Read
`error` and the status, not `description`.
"""

from __future__ import annotations

from typing import Any


class ZendeskError(Exception):
    """An answer other than 2xx. A `body` of bytes goes out as plain text."""

    def __init__(self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body
        self.headers = dict(headers or {})
        if isinstance(body, bytes):
            self.headers["Content-Type"] = "text/plain; charset=UTF-8"


def problem(status: int, error: str, description: str, **more: Any) -> ZendeskError:
    return ZendeskError(status, {"error": error, "description": description, **more})


def not_authenticated() -> ZendeskError:
    return ZendeskError(401, {"error": "Couldn't authenticate you"})


def invalid_token() -> ZendeskError:
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return ZendeskError(401, {"error": "invalid_token", "error_description": text})


def invalid_client() -> ZendeskError:
    text = "Client authentication failed (e.g. unknown client, no client authentication included)"
    return ZendeskError(401, {"error": "invalid_client", "error_description": text})


def missing_scope(scope: str) -> ZendeskError:
    return problem(403, "Forbidden", f"You are missing the following required scopes: {scope}")


def no_such_route() -> ZendeskError:
    return problem(404, "InvalidEndpoint", "Not found")


def no_such_record() -> ZendeskError:
    return problem(404, "RecordNotFound", "Not found")


def invalid_record(field: str, text: str) -> ZendeskError:
    details = {field: [{"description": text}]}
    return problem(422, "RecordInvalid", "Record validation errors", details=details)


def too_many_calls(retry_after_s: int) -> ZendeskError:
    """429 of a full minute: plain text, as recorded."""
    text = b"Number of allowed API requests per minute exceeded"
    return ZendeskError(429, text, {"Retry-After": str(retry_after_s)})


def too_many_jobs() -> ZendeskError:
    error = problem(429, "TooManyJobs", "Too many jobs are queued or running. Try again later.")
    error.headers["Retry-After"] = "10"
    return error
