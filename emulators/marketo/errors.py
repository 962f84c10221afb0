"""How Marketo says no: with HTTP 200, a body of `success: false`, and a code from 601 to 799 or above 1000.

Codes and texts: the vendor's page "Error codes". A row that is skipped, with its reasons and without its id, is
recorded traffic. The identity endpoint and the user management answer with HTTP statuses instead; the texts of the
former are from memory and unverified.
"""

from __future__ import annotations

from typing import Any

TEXTS = {
    601: "Access token invalid",
    602: "Access token expired",
    603: "Access denied",
    604: "Request timed out",
    606: "Max rate limit '100' exceeded with in '20' secs",
    607: "Daily quota reached",
    608: "API Temporarily Unavailable",
    609: "Invalid JSON",
    610: "Requested resource not found",
    611: "System error",
    612: "Invalid Content Type",
    614: "Invalid subscription",
    615: "Concurrent access limit reached",
    713: "Transient Error",
}


class MarketoError(Exception):
    """A call that failed as a whole. `http` is not 200 only where Marketo uses statuses."""

    def __init__(self, code: int, message: str = "", http: int = 200) -> None:
        super().__init__(message or TEXTS[code])
        self.code, self.http, self.message = code, http, message or TEXTS[code]

    def body(self, request_id: str) -> dict[str, Any]:
        errors = [{"code": str(self.code), "message": self.message}]
        return {"requestId": request_id, "success": False, "errors": errors}


class IdentityError(Exception):
    """A token that is not given: HTTP 401."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


def skipped(code: int, message: str) -> dict[str, Any]:
    """A row that was not written."""
    return {"status": "skipped", "reasons": [{"code": str(code), "message": message}]}
