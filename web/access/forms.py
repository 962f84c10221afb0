"""Forms that come in: from a page of ours, and no larger than any of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from store.types import readable
from web.surroundings import surroundings_of

MAX_FORM = 64_000
MAX_FIELDS = 200
OURS = ("same-origin", "none")  # "none": the person themselves, as when a browser restores its pages


async def form_of(request: Request) -> FormData:
    """The form that was sent. Raises `HTTPException`: 413 as soon as it is larger than any of ours, 400 when it cannot
    be read. What no database can hold is U+FFFD in it."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > MAX_FORM:
            raise HTTPException(413)
        return message

    form = await Request(request.scope, counted).form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_FORM)
    return FormData([(name, readable(str(value))) for name, value in form.multi_items()])


def is_from_elsewhere(request: Request) -> bool:
    """Whether another site's page sent this, as the browser says.

    Browsers of the last years say it in Sec-Fetch-Site. Origin counts where that is missing, and then only when it
    names a site: under our own Referrer-Policy it is "null" for our own forms too.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in OURS
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return False
    ours = urlsplit(surroundings_of(request).settings.public_url).netloc
    return urlsplit(origin).netloc not in (ours, request.headers.get("host"))
