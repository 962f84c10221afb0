"""What a request does is done once for each Idempotency-Key: a repeat does nothing and is answered alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ownership.acceptance import NotYours
from ownership.placed_by_people import MayNot
from store.canonical import digest
from store.unit_of_work import UnitOfWork
from web.api.problems import MEDIA_TYPE, answer_of, answer_to
from web.surroundings import surroundings_of

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern="^[!-~]+$",
        description="Your own name for this request. Sent again with it within a day, it does nothing and is answered "
        "as the first time.",
        examples=["b1946ac9-2f0e-4d0b"],
    ),
]


def answered_once(request: Request, key: str | None, body: Any, work: Callable[[], BaseModel]) -> Response:
    """Do the work and answer with what it returns, or with what it refused; with a key, as it was the first time."""
    if key is None:
        return _answer(work)
    here, token_id = surroundings_of(request), request.state.token_id
    asked = digest([request.method, request.url.path, body])

    def keep(answer: JSONResponse) -> None:
        status, text = answer.status_code, bytes(answer.body).decode()
        here.store.run(lambda uow: uow.api_answers.keep(token_id, key, status, text))

    def leave(uow: UnitOfWork) -> None:
        uow.api_answers.leave(token_id, key)

    kept = here.store.run(lambda uow: uow.api_answers.take(token_id, key, asked, here.clock()))
    if kept is None:
        try:
            answer = _answer(work)
        except BaseException:
            here.store.run(leave)
            raise
        keep(answer)
        return answer
    if kept.request_hash != asked:
        return answer_of(422, "This Idempotency-Key was used for another request; take a new one.")
    if kept.status is None:
        return answer_of(409, "The first request with this Idempotency-Key is not done yet.", {"Retry-After": "1"})
    return _again(kept.status, kept.body)


def _answer(work: Callable[[], BaseModel]) -> JSONResponse:
    try:
        return JSONResponse(work().model_dump(mode="json"))
    except HTTPException as refused:
        return answer_of(refused.status_code, str(refused.detail))
    except NotYours as refused:
        return answer_of(403, f"{refused}.")
    except MayNot as refused:
        return answer_to(refused)


def _again(status: int, body: str) -> Response:
    return Response(body, status, {"Idempotent-Replayed": "true"}, MEDIA_TYPE if status >= 400 else "application/json")
