"""The tokens of the API: whom each acts for, until when, when it was last used; and an end to it."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from tasks.tokens import TokenRefused, revoke_token
from web.access.guard import act, read
from web.access.viewer import Role, Viewer
from web.rendering import back, page
from web.surroundings import surroundings_of

PATH = "/tokens"


def token_list(request: Request, viewer: Viewer) -> Response:
    """GET /tokens."""
    with surroundings_of(request).store.transaction(readonly=True) as uow:
        tokens = uow.api_tokens.all()
    return page(request, viewer, "tokens.html", tokens=tokens)


def revoke(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /tokens/revoke."""
    context = surroundings_of(request).reading()  # tokens are no part of the ledger: they say themselves who ended them
    try:
        return back(PATH, revoke_token(context, str(form.get("token", "")), viewer.actor))
    except TokenRefused:
        return back(PATH, "There is no such token. Those below are all there are.")


routes = [read(PATH, token_list, Role.OPS), act(f"{PATH}/revoke", revoke, Role.OPS)]
