"""Books: one's own, with the offers that wait, and that of a colleague."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from tasks.rep_book import RepBook, accept_offers, read_book
from web.access.guard import act, read
from web.access.rules import may_answer, sees_details
from web.access.viewer import Role, Viewer
from web.rendering import back, page, refusal
from web.surroundings import surroundings_of

NOT_THERE = "Whoever is on the roster has one: look somebody up by name to see theirs."


def book(request: Request, viewer: Viewer) -> Response:
    """GET /book: one's own; `?rep=` shows that of somebody one manages, and ops anybody's."""
    roster = surroundings_of(request).policy.roster
    whose = request.query_params.get("rep") or viewer.rep_id or ""
    if not whose:
        return refusal(request, viewer, 200, "You have no book of your own", NOT_THERE)
    if not sees_details(viewer, roster, whose):
        return refusal(request, viewer, 403, "This book is not for you", "Only they and their managers see it.")
    if whose not in roster.reps:
        return refusal(request, viewer, 404, "Nobody on the roster has this id", NOT_THERE)
    found = _book(request, whose)
    is_own = whose == viewer.rep_id
    may = may_answer(viewer, roster, whose)
    return page(request, viewer, "book.html", book=found, is_own=is_own, may_answer=may, more=_more("/book", found))


def person(request: Request, viewer: Viewer) -> Response:
    """GET /people/{rep_id}: who a colleague is, and to those it concerns their book."""
    whose, roster = request.path_params["rep_id"], surroundings_of(request).policy.roster
    if whose not in roster.reps:
        return refusal(request, viewer, 404, "Nobody on the roster has this id", NOT_THERE)
    found, details = _book(request, whose), sees_details(viewer, roster, whose)
    below = [roster.reps[id_] for id_ in sorted(roster.reports_of(whose)) if roster.reps[id_].manager == whose]
    more = _more(f"/people/{whose}", found)
    return page(request, viewer, "person.html", book=found, details=details, below=below, more=more)


def accept_many(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /book/accept: every offer that is ticked."""
    chosen = [str(value) for value in form.getlist("offer")]
    if not chosen:
        return back("/book", "Nothing was changed: tick the offers to accept.")
    with surroundings_of(request).acting(viewer.actor, "accept-offers") as context:
        answers = accept_offers(context, chosen, viewer.actor)
    accepted = sum(answer.outcome == "accepted" for answer in answers)
    others = " ".join(answer.said for answer in answers if answer.outcome != "accepted")
    return back("/book", f"{accepted} of {len(answers)} accepted. {others}".strip())


def _book(request: Request, rep_id: str) -> RepBook:
    context, asked = surroundings_of(request).reading(), request.query_params
    after = (asked["after"], asked.get("id", "")) if "after" in asked else None
    return read_book(context, context.policy.roster.reps[rep_id], after)


def _more(path: str, found: RepBook) -> str | None:
    """The address of the next page."""
    if found.more is None:
        return None
    name, account_id = found.more
    return f"{path}?{urlencode({'rep': found.rep.id, 'after': name, 'id': account_id})}#accounts"


routes = [
    read("/book", book, Role.REP),
    act("/book/accept", accept_many, Role.REP),
    read("/people/{rep_id}", person, Role.REP),
]
