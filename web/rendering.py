"""From values to pages: the templates, what all of them know, and how a page says that something went wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from web.access.viewer import Role, Viewer
from web.surroundings import surroundings_of

SAID = "steward_said"  # a cookie with what the last form came to, shown once
LONGEST_SAID = 1200  # bytes; each may take three characters of a cookie, of which browsers keep no more than 4096
NAVIGATION = (
    ("Who owns this?", "/", Role.REP),
    ("My book", "/book", Role.REP),
    ("Exceptions", "/exceptions", Role.MANAGER),
    ("Overrides", "/overrides", Role.REP),
    ("Disputes", "/disputes", Role.REP),
    ("Health", "/kpis", Role.MANAGER),
    ("Notices", "/notices", Role.MANAGER),
    ("Tokens", "/tokens", Role.OPS),
    ("Accesses", "/access", Role.OPS),
)
_TEMPLATES = Environment(
    loader=PackageLoader("web"), undefined=StrictUndefined, autoescape=select_autoescape(), trim_blocks=True
)


def page(request: Request, viewer: Viewer | None, template: str, status: int = 200, **values: Any) -> Response:
    """The page of this template. It knows `viewer`, `roster`, `now`, `at(instant)` in the viewer's time zone,
    `rep(id)` as a name, `form_token()` for every form, `run_link(flow run, words)` to the Prefect UI, and what was
    `said` by the last one."""
    here = surroundings_of(request)
    roster = here.policy.roster
    rep = roster.reps.get(viewer.rep_id or "") if viewer else None
    zone = ZoneInfo(rep.timezone if rep else here.policy.policy.timezone)
    said = unquote(request.cookies.get(SAID, ""))
    body = _TEMPLATES.get_template(template).render(
        viewer=viewer,
        roster=roster,
        now=here.clock(),
        here=request.url.path,
        said=said,
        navigation=[(label, path) for label, path, role in NAVIGATION if viewer and viewer.role.may(role)],
        at=lambda instant: _at(instant, zone),
        zone=zone.key,
        rep=lambda id_: roster.name(id_) if id_ else "nobody",
        ago=lambda instant: in_words(here.clock() - instant),
        form_token=lambda: _form_token(viewer),
        run_link=lambda flow_run_id, said: _run_link(here.settings.prefect_ui_url, flow_run_id, said),
        **values,
    )
    response = HTMLResponse(body, status_code=status)
    if said:
        response.delete_cookie(SAID, path="/")
    return response


def back(to: str, said: str) -> Response:
    """After a form: on to a page that says once what came of it, so that loading it again sends nothing again."""
    response = RedirectResponse(to, status_code=303)
    kept = said.encode()[:LONGEST_SAID].decode(errors="ignore")
    response.set_cookie(SAID, quote(kept), max_age=60, httponly=True, samesite="lax", path="/")
    return response


def refusal(
    request: Request, viewer: Viewer | None, status: int, title: str, said: str, looked_for: str | None = None
) -> Response:
    """A page that says what was wrong and what to do; where something was `looked_for` in vain, with the search."""
    return page(request, viewer, "refusal.html", status, title=title, problem=said, looked_for=looked_for)


def _at(instant: datetime | None, zone: ZoneInfo) -> Markup:
    """An instant to the minute in this time zone, in UTC to programs; nothing where there is none."""
    if instant is None:
        return Markup("")
    said = f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(instant.astimezone(UTC).isoformat(timespec="seconds"), said)


def _form_token(viewer: Viewer | None) -> Markup:
    token = viewer.form_token if viewer else ""
    return Markup('<input type="hidden" name="form_token" value="{}">').format(token)


def _run_link(prefect_ui_url: str, flow_run_id: str | None, said: str) -> Markup:
    """The words, linked to the Prefect run that did it; only the words where there is none or no UI is known."""
    url = run_url(prefect_ui_url, flow_run_id)
    return Markup('<a href="{}">{}</a>').format(url, said) if url else Markup("{}").format(said)


def run_url(prefect_ui_url: str, flow_run_id: str | None) -> str | None:
    """The page of a run in the Prefect UI; None where there is none, or no UI is known."""
    return f"{prefect_ui_url}/runs/flow-run/{flow_run_id}" if prefect_ui_url and flow_run_id else None


def in_words(span: timedelta) -> str:
    """A length of time as people say it, to one unit: "3 hours", "2 days"."""
    seconds = abs(int(span.total_seconds()))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}" + ("s" if count > 1 else "")
    return "less than a minute"
