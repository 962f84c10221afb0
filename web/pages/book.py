"""My book: what waits for a rep's answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.access.guard import read
from web.access.viewer import Role, Viewer
from web.rendering import page, refusal
from web.surroundings import surroundings_of


def book(request: Request, viewer: Viewer) -> Response:
    """GET /book: one's own; `?rep=` shows that of somebody one manages, and ops anybody's."""
    here = surroundings_of(request)
    whose = request.query_params.get("rep") or viewer.rep_id or ""
    own = whose == viewer.rep_id or viewer.role is Role.OPS
    if not own and viewer.rep_id not in here.policy.roster.managers_of(whose):
        return refusal(request, viewer, 403, "This book is not for you", "Only they and their managers see it.")
    with here.store.transaction(readonly=True) as uow:
        offers = uow.offers.of_owner(whose)
        accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    return page(request, viewer, "book.html", whose=whose, offers=offers, accounts=accounts)


routes = [read("/book", book, Role.REP)]
