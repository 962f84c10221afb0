"""The error bodies HubSpot sends, and the exception that carries one out of any depth.

Sources: the 429 of the search endpoint is recorded traffic; MISSING_SCOPES and PROPERTY_DOESNT_EXIST are quoted in
issues of HubSpot's own client libraries; the burst 429 is the example of the usage guidelines. The other texts follow
the same shape (`Error` of the derived OpenAPI), but their wording is ours: read `category` and `code`, not `message`.
"""

from __future__ import annotations

import json
from typing import Any

SCOPES_PAGE = "https://developers.hubspot.com/scopes"


class HubSpotError(Exception):
    """An answer other than 2xx. `body` still lacks its correlation id, which each call gives its own."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"status": "error", "message": message, "category": category, **more}


def no_credentials() -> HubSpotError:
    return HubSpotError(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )


def expired_token() -> HubSpotError:
    return HubSpotError(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")


def missing_scopes(scope: str) -> HubSpotError:
    required = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": [scope]},
    }
    return HubSpotError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. "
        f"Read more about required scopes here: {SCOPES_PAGE}.",
        errors=[required],
        links={"scopes": SCOPES_PAGE},
    )


def secondly_limit() -> HubSpotError:
    """429 of the search endpoint, as recorded: no Retry-After, no policy name."""
    return HubSpotError(429, "RATE_LIMITS", "You have reached your secondly limit.")


def window_limit(policy: str) -> HubSpotError:
    """429 of everything else; `policy` is TEN_SECONDLY_ROLLING or DAILY."""
    message = f"You have reached your {policy.lower()} limit."
    return HubSpotError(429, "RATE_LIMITS", message, errorType="RATE_LIMIT", policyName=policy)


def invalid(message: str, **more: Any) -> HubSpotError:
    return HubSpotError(400, "VALIDATION_ERROR", message, **more)


def invalid_properties(problems: list[dict[str, str]]) -> HubSpotError:
    """400 for property values: the problems stand both as JSON inside the message and as `errors`."""
    shown = [{"isValid": False, **problem, "localizedErrorMessage": problem["message"]} for problem in problems]
    details = [
        {"message": problem["message"], "code": problem["error"], "context": {"propertyName": [problem["name"]]}}
        for problem in problems
    ]
    text = json.dumps(shown, separators=(",", ":"))
    return invalid(f"Property values were not valid: {text}", errors=details)


def already_exists(what: str, record_id: str) -> HubSpotError:
    """409 for a second contact of one e-mail address, as quoted in issues of HubSpot's client libraries."""
    return HubSpotError(409, "CONFLICT", f"{what.capitalize()} already exists. Existing ID: {record_id}")


def no_such_object() -> HubSpotError:
    return HubSpotError(404, "OBJECT_NOT_FOUND", "resource not found")


def no_such_route(path: str) -> HubSpotError:
    return HubSpotError(404, "OBJECT_NOT_FOUND", f"No resource found at {path}")


def batch_problem(message: str, ids: list[str]) -> dict[str, Any]:
    """One entry of `errors` in a 207 (`StandardError`)."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": message,
        "context": {"ids": ids},
        "links": {},
        "errors": [],
    }
