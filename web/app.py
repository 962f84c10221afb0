"""The web application: today the webhooks and a health check."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.settings import Settings
from store.engine import open_store
from web import webhooks


async def health(request: Request) -> Response:
    """GET /health: the process is up and its database answers."""
    with request.app.state.store.transaction(readonly=True) as uow:
        uow.runs.recent(1)
    return JSONResponse({"status": "ok"})


def create_app(settings: Settings | None = None) -> Starlette:
    """Build the application; uvicorn calls it as a factory: `uvicorn --factory web.app:create_app`."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.store = open_store(settings.database_url)
        app.state.store.migrate()
        yield
        app.state.store.close()

    routes = [
        Route("/health", health),
        Route("/webhooks/hubspot", webhooks.hubspot, methods=["POST"]),
        Route("/webhooks/salesforce", webhooks.salesforce, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
