"""The error bodies Outreach sends, and the exception that carries one out of any depth.

The ids, titles and texts of 403, 404, 415, 422, 429 and 503 are those of Outreach's developer pages (making-requests,
getting-started); the 401 is what its gateway answers to a token it cannot read. Unverified: the bodies of the token
address (OAuth's own words are used), of a 400, and of a 5xx that is no maintenance.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any


class OutreachError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers or {}


def problem(status: int, id_: str, title: str, detail: str, pointer: str = "") -> OutreachError:
    """A JSON:API error object; `pointer` names the part of the request that is wrong."""
    source = {"source": {"pointer": pointer}} if pointer else {}
    return OutreachError(status, {"errors": [{"id": id_, "title": title, "detail": detail, **source}]})


def invalid(detail: str, pointer: str = "") -> OutreachError:
    return problem(422, "validationError", "Validation Error", detail, pointer)


def bad_request(detail: str) -> OutreachError:
    return problem(400, "badRequest", "Bad Request", detail)


def not_found(kind: str, id_: object) -> OutreachError:
    return problem(404, "resourceNotFound", "Resource Not Found", f"Could not find '{kind}' with ID '{id_}'.")


def no_such_route(path: str) -> OutreachError:
    return problem(404, "resourceNotFound", "Resource Not Found", f"Could not find '{path}'.")


def no_token() -> OutreachError:
    body = {"error": "Invalid JWT token.", "description": "The JWT token could not be decoded."}
    return OutreachError(401, body)


def missing_scope(scope: str) -> OutreachError:
    detail = f"Your authorization does not include the required scope '{scope}'."
    return problem(403, "unauthorizedOauthScope", "Unauthorized OAuth Scope", detail)


def wrong_media_type() -> OutreachError:
    said = {
        "id": "unsupportedMediaType",
        "title": "Unsupported Media Type",
        "details": "Expected Content-Type header to be 'application/vnd.api+json'.",
    }
    return OutreachError(415, {"errors": [said]})


def too_many(limit: int, again_at: datetime) -> OutreachError:
    detail = (
        f"You have exceeded your permitted rate limit of {limit:,}; please try again at {again_at:%Y-%m-%dT%H:%M:%S}."
    )
    return problem(429, "rateLimitExceeded", "Rate Limit Exceeded", detail)


def maintenance(until: datetime) -> OutreachError:
    """503 whose Retry-After is an instant in ISO 8601."""
    until_text = f"{until:%Y-%m-%dT%H:%M:%S}"
    detail = f"Scheduled server maintenance is under way; please try again at {until_text}."
    error = problem(503, "scheduledServerMaintenance", "Scheduled Server Maintenance", detail)
    error.headers["Retry-After"] = until_text
    return error


def oauth(status: int, error: str, description: str) -> OutreachError:
    return OutreachError(status, {"error": error, "error_description": description})
