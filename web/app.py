"""The web application: pages for reps and ops, webhooks of the vendors, and a health check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from config.settings import Settings
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
from web.rendering import refusal
from web.surroundings import Surroundings, surroundings_of


def health(request: Request) -> Response:
    """GET /health: the process is up and its database answers."""
    with surroundings_of(request).store.transaction(readonly=True) as uow:
        uow.runs.recent(1)
    return JSONResponse({"status": "ok"})


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
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(SafeAnswers, is_https=settings.public_url.startswith("https://"))],
        exception_handlers=dict.fromkeys((400, 404, 405, 413), _not_done),
    )
