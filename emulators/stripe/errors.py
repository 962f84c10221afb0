"""The error bodies Stripe sends: always {"error": {...}}, mostly of type invalid_request_error.

Wording as Stripe's API answers today, from memory of live answers; read `type` and `code`, not `message`.
"""

from __future__ import annotations

from typing import Any

DOCS = "https://stripe.com/docs"


class StripeError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status = status
        error: dict[str, Any] = {"message": message, "type": "invalid_request_error"}
        if code:
            error |= {"code": code, "doc_url": f"{DOCS}/error-codes/{code.replace('_', '-')}"}
        if param:
            error["param"] = param
        self.body = {"error": error}


def no_key() -> StripeError:
    return StripeError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
        "details, or we can help at https://support.stripe.com/.",
    )


def wrong_key(key: str) -> StripeError:
    return StripeError(401, f"Invalid API Key provided: {key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}")


def rate_limited() -> StripeError:
    message = f"Request rate limit exceeded. Learn more about rate limits here {DOCS}/rate-limits."
    return StripeError(429, message, code="rate_limit")


def no_such_route(method: str, path: str) -> StripeError:
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see {DOCS} or we can help at https://support.stripe.com/."
    )
    return StripeError(404, message)


def missing(kind: str, object_id: str, param: str = "id", status: int = 404) -> StripeError:
    return StripeError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


def unknown_parameter(name: str) -> StripeError:
    return StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def bad_parameter(name: str, message: str, code: str = "") -> StripeError:
    return StripeError(400, message, code=code, param=name)
