"""What the API says when it does not do what was asked: problem documents (RFC 9457), each with the mend."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHttpException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ownership.acceptance import NotYours
from ownership.placed_by_people import MayNot, NotTheirs, NotThere, TooLate
from store.errors import StoreError

MEDIA_TYPE = "application/problem+json"
MAX_BODY = 64_000
_REASONS = {
    400: "The body cannot be read.",
    401: "No token, or one that is not in force.",
    403: "The token may not do this, or not with this account.",
    404: "There is nothing with this id.",
    409: "It is too late, or it cannot be done at present; `detail` says who has the account.",
    413: "The body is too large.",
    422: "A parameter or the body is not as described; `errors` says which.",
    429: "Too many requests with this token; try again after `Retry-After` seconds.",
    503: "The database is busy or away; try again after `Retry-After` seconds.",
}


class WrongValue(BaseModel):
    """One value that is not as described."""

    where: str = Field(description="Which parameter, or place in the body", examples=["query.limit"])
    problem: str = Field(examples=["Input should be less than or equal to 200"])


class Problem(BaseModel):
    """What was wrong and what to do (RFC 9457)."""

    type: str = Field("about:blank", description="The title and status say it all")
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no account with this id; look it up with GET /accounts?q="])
    errors: list[WrongValue] = Field([], description="With 422, each value that is wrong")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These refusals, as OpenAPI says them."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _REASONS[status], "content": content} for status in statuses}


def answer_of(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem document."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


async def refused(_request: Request, error: AnyHttpException) -> JSONResponse:
    """Whatever was refused with a status."""
    headers = dict(error.headers or {})
    return answer_of(error.status_code, str(error.detail), headers)


async def not_as_described(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Parameters or a body that are not as OpenAPI says. What was sent is not said again: it may be anything."""
    errors = [WrongValue(where=_place(each["loc"]), problem=each["msg"]) for each in error.errors()]
    said = "; ".join(f"{each.where}: {each.problem}" for each in errors[:3])
    return answer_of(422, f"Something is not as described at /api/v1/openapi.json. {said}", errors=errors)


async def not_theirs(_request: Request, error: NotYours) -> JSONResponse:
    """An answer to somebody else's offer."""
    return answer_of(403, f"{error}.")


def answer_to(problem: MayNot) -> JSONResponse:
    """What people may not do with overrides and disputes."""
    statuses = {NotThere: 404, TooLate: 409, NotTheirs: 403}
    return answer_of(statuses.get(type(problem), 422), f"{problem}.")


async def may_not(_request: Request, error: MayNot) -> JSONResponse:
    return answer_to(error)


async def database_away(_request: Request, _error: StoreError) -> JSONResponse:
    """The database was busy through all repeats, or is away."""
    said = "The database cannot be used at the moment. Nothing was changed; try again in a few seconds."
    return answer_of(503, said, {"Retry-After": "5"})


async def failed(_request: Request, _error: Exception) -> JSONResponse:
    """A defect of ours. What it was is in the server's log and nowhere else."""
    return answer_of(500, "Steward failed. What you sent may have been done or not: look before you send it again.")


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    AnyHttpException: refused,
    RequestValidationError: not_as_described,
    NotYours: not_theirs,
    MayNot: may_not,
    StoreError: database_away,
    Exception: failed,
}


def _place(where: tuple[int | str, ...]) -> str:
    """Where a value stands. Names in it can be a client's own and hold what JSON cannot."""
    return ".".join(map(str, where)).encode("ascii", "backslashreplace").decode()[:200]


class SmallBodies:
    """Stops reading a body that is larger than any request needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise HTTPException(413, f"The body is larger than {MAX_BODY} bytes; no request needs as much.")
            return message

        await self._app(scope, counted, send)
