"""Who looked at what, and what was refused to whom: the log of accesses, for ops."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ownership.policy import Roster
from store.unit_of_work import UnitOfWork
from tasks.explanation import find_account
from web.access.guard import read
from web.access.noting import NOBODY
from web.access.viewer import Role, Viewer
from web.rendering import page
from web.surroundings import surroundings_of

PATH = "/access"
ROWS = 100


def access_list(request: Request, viewer: Viewer) -> Response:
    """GET /access?who=&about=&before=: the newest first."""
    here = surroundings_of(request)
    asked = {name: request.query_params.get(name, "").strip() for name in ("who", "about", "before")}
    here.journal.write()  # what was asked of this process a moment ago is shown, too
    with here.store.transaction(readonly=True) as uow:
        who = _whom(here.policy.roster, asked["who"]) if asked["who"] else None
        about = _what(uow, asked["about"]) if asked["about"] else None
        found = uow.access_log.recent(who, about, asked["before"] or None, ROWS + 1)
        named = (each.object_id or "" for each in found)
        accounts = uow.accounts.get_many({*named, about or ""})
        tokens = {token.token_id: token.name for token in uow.api_tokens.all()}
    return page(
        request,
        viewer,
        "accesses.html",
        rows=found[:ROWS],
        more=len(found) > ROWS,
        accounts=accounts,
        tokens=tokens,
        asked=asked,
        about=about,
        kept_days=here.settings.access_log_days,
    )


def _whom(roster: Roster, said: str) -> str:
    """Whom ops mean: an id or name of the roster, an address, or nobody for who had not logged in."""
    if said.casefold() == NOBODY:
        return ""
    named = (rep.id for rep in roster.reps.values() if rep.name.casefold() == said.casefold())
    return roster.with_address(said) or next(named, said)


def _what(uow: UnitOfWork, said: str) -> str:
    """What ops mean: an account by its name, web domain or id, else whatever has this id."""
    account = find_account(uow, said)
    return account.id if account else said


routes = [read(PATH, access_list, Role.OPS)]
