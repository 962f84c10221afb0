"""The application under /api/v1: its routes, what all of them refuse, and its description at /api/v1/openapi.json."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute

from config.settings import Settings
from web.api import accounts, kpis, notices, offers, operations, overrides
from web.api.access import Allowance, Noted, caller
from web.api.problems import HANDLERS, Problem, SmallBodies, WrongValue, documented

PREFIX = "/api/v1"
ABOUT = """Who owns every account, why, and since when; as the pages show it.

Send `Authorization: Bearer <token>`; `steward token create` makes tokens. A token has a role (rep, manager or ops) and
sees what the pages show to it. What is refused is answered with a problem document (RFC 9457) that says what to do."""


class Api(FastAPI):
    """FastAPI with problem documents in its description."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schemas = super().openapi().setdefault("components", {}).setdefault("schemas", {})
            for model in (Problem, WrongValue):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schema.pop("$defs", None)
                schemas[model.__name__] = schema
        return super().openapi()


def create_api(settings: Settings) -> Api:
    """Build it; `web.app` mounts it at `PREFIX` and shares its state with it."""
    api = Api(
        title="Steward",
        version=version("steward"),
        description=ABOUT,
        docs_url=None,  # both load their pages from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(caller), Depends(check_parameters)],  # no route without a token
        responses=documented(400, 401, 403, 413, 422, 429, 503),
        exception_handlers=HANDLERS,
        generate_unique_id_function=_name,
    )
    for module in (accounts, offers, overrides, kpis, operations, notices):
        api.include_router(module.router)
    api.add_middleware(SmallBodies)
    api.add_middleware(Noted)
    api.state.allowance = Allowance(settings.api_requests_per_minute)
    return api


def check_parameters(request: Request) -> None:
    """A misspelt filter is refused: left out, it would show more than was asked for."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    if unknown := sorted(set(request.query_params) - set(known)):
        name = unknown[0].encode("ascii", "backslashreplace").decode()[:50]
        raise HTTPException(422, f"There is no parameter '{name}'; there are {', '.join(known) or 'none'}.")


def _name(route: APIRoute) -> str:
    return route.name
