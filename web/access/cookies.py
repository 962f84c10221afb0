"""Cookies that prove something: no script reads them, no other site's form brings them, and over HTTPS no other host of
our domain can set them, which the prefix says."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.surroundings import surroundings_of

OURS_ALONE = "__Host-"


def keep(request: Request, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Give it to the browser, for so long or until it is closed."""
    called, is_secure = _called(request, name)
    response.set_cookie(called, value, max_age=seconds, httponly=True, samesite="lax", secure=is_secure, path="/")


def kept(request: Request, name: str) -> str:
    """What the browser brings, "" when that is nothing."""
    return request.cookies.get(_called(request, name)[0], "")


def forget(request: Request, response: Response, name: str) -> None:
    """Take it from the browser."""
    called, is_secure = _called(request, name)
    response.delete_cookie(called, httponly=True, samesite="lax", secure=is_secure, path="/")


def _called(request: Request, name: str) -> tuple[str, bool]:
    is_secure = surroundings_of(request).settings.public_url.startswith("https://")
    return (OURS_ALONE if is_secure else "") + name, is_secure
