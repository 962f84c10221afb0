"""Salesforce's refusals: one class for a whole request, one for a row, with the vendor's codes and sentences."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request is refused. Body: `[{"message", "errorCode"[, "fields"]}]` (recorded traffic)."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields

    @property
    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            error["fields"] = list(self.fields)
        return [error]


class RowError(Exception):
    """One row of a write is refused. A failed row of a collections answer carries no id (recorded traffic)."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, fields

    @property
    def body(self) -> dict[str, Any]:
        error = {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}
        return {"success": False, "errors": [error]}

    def for_request(self) -> ApiError:
        """The same refusal where the row is the whole request."""
        return ApiError(404 if self.code == "ENTITY_IS_DELETED" else 400, self.code, self.message, self.fields)


def not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def session_expired() -> ApiError:
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def malformed(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_QUERY", message)


def no_such_column(name: str, kind: str) -> ApiError:
    """For SOQL."""
    return ApiError(
        400,
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{kind}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate "
        "names.",
    )


def no_such_type(kind: str) -> ApiError:
    return ApiError(
        400,
        "INVALID_TYPE",
        f"sObject type '{kind}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
    )
