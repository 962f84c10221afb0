"""Health: the key figures as they were last taken, their lines over time, and what stands behind each."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from math import inf
from typing import Any

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from ownership.kpis.catalogue import BY_ID, PERIODS, REVIEW, Behind, Kpi, Unit
from ownership.kpis.scopes import Scope
from ownership.kpis.words import change_said, is_better, said
from store.kpi_lists import BadCursor, Listed
from tasks.kpis import Board, history, listed, take_kpis
from web import plots
from web.access.guard import act, read
from web.access.viewer import Role, Viewer
from web.figures import NotForYou, board_for, kpi_called, may_name, scopes_for
from web.rendering import back, page, refusal
from web.surroundings import surroundings_of

ROWS = 50
ROWS_AT_ONCE = 5000
GROUPS = (
    ("Every account has an owner", ("coverage", "territory_coverage")),
    ("Promises kept", ("time_to_ownership", "sla", "acceptance")),
    ("Load and revenue", ("workload_balance", "revenue_per_owner")),
    ("Owners stay, and it pays", ("reassignment", "renewal_lift", "expansion_lift", "forecast_delta")),
    ("What we know, and what others change", ("contact_known", "consent_known", "drift")),
)
HEADS: dict[Behind, dict[str, str]] = {
    Behind.ACCOUNTS: {"what": "Quiet since", "at": "Owned since", "until": "", "other": ""},
    Behind.OFFERS: {"what": "Answer", "at": "Answered", "until": "Was due", "other": ""},
    Behind.MOVES: {"what": "Why", "at": "Changed", "until": "", "other": "before"},
    Behind.DRIFT: {"what": "What happened", "at": "Found", "until": "", "other": "shows"},
    Behind.OUTCOMES: {"what": "What happened", "at": "Owned since", "until": "", "other": ""},
}
"""What the columns of a list are called."""
FIRST_SEEN = {"what": "", "at": "First seen", "until": "Owned for good", "other": ""}
CSV_COLUMNS = ("account_id", "name", "kind", "territory", "owner", "other", "annual_revenue", "what", "at", "until")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def key_figures(request: Request, viewer: Viewer) -> Response:
    """GET /kpis?scope=&period=: every figure."""
    try:
        on = _board(request, viewer)
    except NotForYou as problem:
        return _refused(request, viewer, problem)
    names = [(group, [_card(on, BY_ID[id_]) for id_ in ids if id_ in on.figures]) for group, ids in GROUPS]
    return page(
        request,
        viewer,
        "kpis.html",
        board=on,
        review=[_card(on, BY_ID[id_]) for id_ in REVIEW if id_ in on.figures],
        groups=[(group, cards) for group, cards in names if cards],
        choices=_choices(scopes_for(surroundings_of(request), viewer)),
        periods=PERIODS,
        taken_at=next((each.measured_at for each in on.figures.values()), None),
        may_take=viewer.role is Role.OPS,
    )


def key_figure(request: Request, viewer: Viewer) -> Response:
    """GET /kpis/{kpi}?scope=&period=&after=: one figure over time, its parts, and what stands behind it."""
    here = surroundings_of(request)
    context = here.reading()
    try:
        kpi, on = kpi_called(request.path_params["kpi"]), _board(request, viewer)
        names = may_name(viewer, on.scope, here.policy.roster)
        after = request.query_params.get("after", "")
        rows = listed(context, kpi, on, after, ROWS + 1) if names else []
    except NotForYou as problem:
        return _refused(request, viewer, problem)
    except BadCursor as problem:
        return refusal(request, viewer, 400, "There is no such page", f"{str(problem).capitalize()}.")
    territories = {each.id: each.name for each in here.policy.policy.territories}
    return page(
        request,
        viewer,
        "kpi.html",
        board=on,
        kpi=kpi,
        card=_card(on, kpi),
        **_drawn(on, kpi, names),
        nights=[(each, said(each.value, kpi.unit)) for each in history(context, kpi, on)],
        heads=FIRST_SEEN if kpi.unit is Unit.HOURS else HEADS[kpi.behind],
        rows=rows[:ROWS],
        next_after=rows[ROWS - 1].cursor if len(rows) > ROWS else "",
        after=after,
        names=names,
        territories=territories,
        choices=_choices(scopes_for(here, viewer)),
        periods=PERIODS,
        money=lambda cents: said(cents / 100, Unit.MONEY),
    )


def key_figure_list(request: Request, viewer: Viewer) -> Response:
    """GET /kpis/{kpi}/list.csv?scope=&period=: everything that stands behind a figure."""
    try:
        kpi, on = kpi_called(request.path_params["kpi"]), _board(request, viewer)
        if not may_name(viewer, on.scope, surroundings_of(request).policy.roster):
            raise NotForYou(403, "You may list what belongs to your own reports. Choose them, or ask sales operations.")
    except NotForYou as problem:
        return _refused(request, viewer, problem)
    headers = {"Content-Disposition": f'attachment; filename="{kpi.id}-{on.day or "none"}.csv"'}
    return StreamingResponse(_csv_lines(request, kpi, on), media_type="text/csv; charset=utf-8", headers=headers)


def take_key_figures(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /kpis/take: take today's figures now."""
    with surroundings_of(request).acting(viewer.actor, "take-kpis") as context:
        taken = take_kpis(context)
    return back("/kpis", f"Took the figures of {taken.day} over {taken.accounts:,} accounts and leads.")


def with_code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in parts)


def safe_cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _csv_lines(request: Request, kpi: Kpi, on: Board) -> Iterator[str]:
    context, after = surroundings_of(request).reading(), ""
    yield _csv_line(CSV_COLUMNS)
    while rows := listed(context, kpi, on, after, ROWS_AT_ONCE):
        yield "".join(_csv_line(_csv_cells(row)) for row in rows)
        after = rows[-1].cursor


def _csv_cells(row: Listed) -> tuple[str, ...]:
    revenue = "" if row.arr_cents is None else f"{row.arr_cents / 100:.2f}"
    instants = (at.isoformat() if at else "" for at in (row.at, row.until))
    owners = row.owner_id or "", row.other_id or ""
    return row.account_id, row.name, row.kind, row.territory, *owners, revenue, row.what, *instants


def _csv_line(cells: tuple[str, ...]) -> str:
    line = StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()


def _board(request: Request, viewer: Viewer) -> Board:
    params = request.query_params
    return board_for(surroundings_of(request), viewer, params.get("scope"), params.get("period"))


def _choices(scopes: dict[str, Scope]) -> list[tuple[str, list[Scope]]]:
    """The scopes as a list to choose from, by kind."""
    kinds = {"": "Company", "reports": "Managers", "team": "Teams", "territory": "Territories"}
    found: dict[str, list[Scope]] = {title: [] for title in kinds.values()}
    for scope in scopes.values():
        kind, _, id_ = scope.key.partition(":")
        found[kinds[kind if id_ else ""]].append(scope)
    return [(title, some) for title, some in found.items() if some]


def _card(on: Board, kpi: Kpi) -> dict[str, Any]:
    """What a page shows of a figure: in words, with how it has changed since the line began."""
    measured, points = on.figures.get(kpi.id), on.lines.get(kpi.id, ())
    figure = measured.figure if measured else None
    value = figure.value if figure else None
    return {
        "kpi": kpi,
        "said": said(value, kpi.unit),
        "value": value,
        "n": figure.n if figure else 0,
        "note": with_code(figure.note if figure else ""),
        "how": with_code(kpi.how),
        "spark": plots.spark(points, kpi.name, _in_unit(kpi.unit)),
        "change": _change(kpi, value, [each for each in points if measured and each[0] < measured.day]),
    }


def _change(kpi: Kpi, value: float | None, before: Sequence[plots.Point]) -> dict[str, Any] | None:
    """From the first value before to this one; None where one of them is not known."""
    day, earlier = next((each for each in before if each[1] is not None), ("", None))
    if earlier is None or value is None:
        return None
    words = "unchanged" if earlier == value else change_said(earlier, value, kpi.unit)
    return {"said": words, "since": day, "better": is_better(earlier, value, kpi.better)}


def _drawn(on: Board, kpi: Kpi, names: bool) -> dict[str, Any]:
    """The plots of one figure, and the numbers in them. Parts that name people are left out unless they may be seen."""
    measured, points = on.figures.get(kpi.id), on.lines.get(kpi.id, ())
    say = _in_unit(kpi.unit)
    parts = [part for part in measured.figure.parts if names or part.owner_id is None] if measured else []
    unit = part_unit(kpi)
    most = max((part.value for part in parts), default=0.0)
    mark = 1.0 if unit is Unit.SHARE and most > 1 else None
    is_spread = kpi.unit is Unit.HOURS
    return {
        "line": plots.line(points, f"{kpi.name} over {on.period} days", say, 1 if kpi.unit is Unit.SHARE else inf),
        "columns": plots.columns([(p.label, p.value) for p in parts], "How long it took", _in_unit(Unit.COUNT))
        if is_spread
        else "",
        "bars": [
            (
                part.label,
                "" if is_spread else plots.bar(part.value, max(most, 1.0) if unit is Unit.SHARE else most, mark),
                said(part.value, unit),
                part.n,
            )
            for part in parts
        ],
    }


def part_unit(kpi: Kpi) -> Unit:
    """In what the parts of a figure are counted."""
    if kpi.unit in (Unit.SHARE, Unit.POINTS) or kpi.id in ("overloaded", "workload_balance"):
        return Unit.SHARE
    return Unit.MONEY if kpi.unit is Unit.MONEY else Unit.COUNT


def _in_unit(unit: Unit) -> Callable[[float], str]:
    return lambda value: said(value, unit)


def _refused(request: Request, viewer: Viewer, problem: NotForYou) -> Response:
    titles = {400: "That cannot be shown", 403: "These figures are not for you", 404: "There is nothing here"}
    return refusal(request, viewer, problem.status, titles[problem.status], str(problem))


routes: list[BaseRoute] = [
    read("/kpis", key_figures, Role.MANAGER),
    read("/kpis/{kpi}", key_figure, Role.MANAGER),
    read("/kpis/{kpi}/list.csv", key_figure_list, Role.MANAGER),
    act("/kpis/take", take_key_figures, Role.OPS),
]
