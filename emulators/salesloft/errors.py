"""The error bodies Salesloft sends, and the exception that carries one out of any depth.

The shapes are those of "Request and response format": one text under `error` (403, 404), texts by field under `errors`
(422). The text of the 401 without a token was observed; all other texts, and the body of a 429, are unverified.
"""

from __future__ import annotations

from typing import Any


class SalesloftError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def no_token() -> SalesloftError:
    text = "No Bearer Token attached to request, please see documentation at developers.salesloft.com"
    return SalesloftError(401, {"error": text})


def bad_token() -> SalesloftError:
    return SalesloftError(401, {"error": "Invalid Bearer Token"})


def missing_scope(scope: str) -> SalesloftError:
    return SalesloftError(403, {"error": f"Insufficient scope: {scope} is required"})


def not_found() -> SalesloftError:
    return SalesloftError(404, {"error": "Resource not found"})


def invalid(field: str, text: str) -> SalesloftError:
    return SalesloftError(422, {"errors": {field: [text]}})


def too_many() -> SalesloftError:
    return SalesloftError(429, {"error": "Rate limit exceeded"})


def oauth(status: int, error: str, description: str) -> SalesloftError:
    return SalesloftError(status, {"error": error, "error_description": description})
