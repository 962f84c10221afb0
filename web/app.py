"""The web application: pages for reps and ops, webhooks of the vendors, and a health check."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from config.settings import Settings
from store.errors import StoreError
from tasks.context import Clock, utc_now
from web import slack, webhooks
from web.access.headers import SafeAnswers
from web.access.logins import viewer_of
from web.api.app import PREFIX, create_api
from web.api.problems import answer_of
from web.pages import (
    accesses,
    account,
    book,
    company_login,
    exceptions,
    kpis,
    login,
    look_up,
    notices,
    offer,
    overrides,
    tokens,
)
from web.rendering import page, refusal
from web.surroundings import Surroundings, surroundings_of


def health(request: Request) -> Response:
    """GET /health: the process is up and its database answers."""
    with surroundings_of(request).store.transaction(readonly=True) as uow:
        uow.runs.recent(1)
    return JSONResponse({"status": "ok"})


log = logging.getLogger("steward.web")
Handler = Callable[[Request, Exception], Awaitable[Response]]
NOT_THERE = "There is nothing here", "Check the address, or look the account up."
NOT_DONE = {
    400: ("Nothing was changed", "The form cannot be read. Load the page again."),
    413: ("Nothing was changed", "What you sent is larger than any form of ours. Say it in fewer words."),
}


async def _not_done(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if request.url.path.startswith(f"{PREFIX}/"):  # a line feed in a path keeps a mount from being found
        return answer_of(status, "There is no such path; /api/v1/openapi.json lists those there are.")
    viewer = await run_in_threadpool(viewer_of, request)
    return refusal(request, viewer, status, *NOT_DONE.get(status, NOT_THERE))


async def _away(request: Request, error: Exception) -> Response:
    """The database is busy or away, so nobody is asked who they are."""
    log.error("the database cannot be used: %s", error)
    said = "The database cannot be used at the moment. Try again in a minute; if it stays so, tell sales operations."
    response = page(request, None, "failed.html", 503, title="Steward cannot answer now", problem=said)
    response.headers["Retry-After"] = "5"
    return response


async def _failed(request: Request, _error: Exception) -> Response:
    """A defect of ours. What it was is in the server's log and nowhere else."""
    said = "What you did may have been done or not: look before you do it again, and tell sales operations."
    return page(request, None, "failed.html", 500, title="Steward failed", problem=said)


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> Starlette:
    """Build the application; uvicorn calls it as a factory: `uvicorn --factory web.app:create_app`."""
    settings = settings or Settings()
    api = create_api(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.surroundings = here = Surroundings(settings, clock)
        api.state.surroundings = here
        yield
        here.close()

    routes = [
        Route("/health", health),
        Route("/webhooks/hubspot", webhooks.hubspot, methods=["POST"]),
        Route("/webhooks/salesforce", webhooks.salesforce, methods=["POST"]),
        Route("/slack/interactivity", slack.interactivity, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("web", "static")])),
        *login.routes,
        *company_login.routes,
        *look_up.routes,
        *account.routes,
        *kpis.routes,
        *tokens.routes,
        *accesses.routes,
        Mount(PREFIX, api),
        *overrides.routes,
        *exceptions.routes,
        *notices.routes,
        *offer.routes,
        *book.routes,
    ]
    handlers: dict[Any, Handler] = {**dict.fromkeys((400, 404, 405, 413), _not_done)}
    handlers |= {StoreError: _away, Exception: _failed}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    # Around all of it: what Starlette calls middleware is inside of what answers for a defect.
    app.middleware_stack = SafeAnswers(app.build_middleware_stack(), settings.public_url.startswith("https://"))
    return app
