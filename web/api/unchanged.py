"""What a client has read before is not sent again: it sends the ETag it was given, and is told that nothing changed."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=2000,
        description="The `ETag` of the answer you have; if that still holds, the answer is 304 without a body.",
    ),
]
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The answer you have still holds."}}


def unless_unchanged(answer: BaseModel, known: str | None) -> Response:
    """The answer with its ETag, or 304 when that is among those the client knows."""
    response = JSONResponse(answer.model_dump(mode="json"))
    tag = f'"{sha256(bytes(response.body)).hexdigest()[:32]}"'
    # It differs by what the token may see, and is asked for anew each time.
    headers = {"ETag": tag, "Vary": "Authorization", "Cache-Control": "private, no-cache"}
    response.headers.update(headers)
    tags = {each.strip().removeprefix("W/") for each in (known or "").split(",")}
    return Response(status_code=304, headers=headers) if tags & {tag, "*"} else response
