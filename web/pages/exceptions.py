"""Exceptions: everything that needs a person, by whose it is to act, and the ways out of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from ownership.exception_kinds import KINDS, WAYS, Acts, Kind, Way, due_by, kind_of, said_of, ways_of, who_acts
from ownership.policy import Roster
from store.exception_pages import ShownItem, Wanted
from store.exceptions import Answer
from tasks.context import RunContext
from tasks.resolving import may_take, resolve_many
from web.access.guard import act, read
from web.access.rules import looks_after
from web.access.viewer import Role, Viewer
from web.rendering import back, page
from web.surroundings import surroundings_of

PATH = "/exceptions"
PAGE = 50
SNOOZE_DAYS = 7
WHOSE = {"": "anybody", "mine": "me", **{acts.name.lower(): acts.value for acts in Acts}}
AGES = {"": "any age", "2": "more than 2 days", "7": "more than 7 days", "30": "more than 30 days"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. Anything it cannot mean is as if it were not there."""

    kind: str
    whose: str
    age: str
    asleep: bool
    after: str
    account: str = ""

    @staticmethod
    def of(query: QueryParams) -> Asked:
        whose, age = query.get("whose", ""), query.get("age", "")
        return Asked(
            query.get("kind", ""),
            whose if whose in WHOSE else "",
            age if age in AGES else "",
            query.get("asleep") == "1",
            query.get("after", ""),
            query.get("account", ""),
        )

    def address(self, **different: object) -> str:
        """The address of this page, with something else asked for."""
        other = replace(self, **different)  # type: ignore[arg-type]
        said = {"kind": other.kind, "whose": other.whose, "age": other.age, "after": other.after}
        said["account"] = other.account
        said["asleep"] = "1" if other.asleep else ""
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{PATH}?{query}" if query else PATH


@dataclass(frozen=True, slots=True)
class Line:
    """One exception as this viewer sees it; `ways` are those they may take."""

    shown: ShownItem
    kind: Kind
    said: str
    acts: str
    due_by: datetime
    is_overdue: bool
    ways: Sequence[tuple[str, Way]]
    answers: Sequence[Answer]


def exceptions(request: Request, viewer: Viewer) -> Response:
    """GET /exceptions: those of accounts of a manager's reports; all of them for ops."""
    here = surroundings_of(request)
    context, asked = here.reading(), Asked.of(request.query_params)
    owners = looks_after(viewer, here.policy.roster)
    wanted = _wanted(asked, viewer, here.policy.roster, owners, context.now())
    with here.store.transaction(readonly=True) as uow:
        found = uow.exception_pages.page(wanted, asked.after or None, PAGE + 1, context.now())
        counts = uow.exception_pages.counts(owners, context.now())
        answers = uow.exceptions.answers(each.item.exception_id for each in found)
    lines = [_line(each, viewer, context, answers) for each in found[:PAGE]]
    return page(
        request,
        viewer,
        "exceptions.html",
        asked=asked,
        lines=lines,
        counts={kind: (kind_of(kind), count) for kind, count in counts.items()},
        open=sum(each.open for each in counts.values()),
        asleep=sum(each.asleep for each in counts.values()),
        next=asked.address(after=found[PAGE - 1].item.exception_id) if len(found) > PAGE else None,
        whose=WHOSE,
        ages=AGES,
        bulk=_in_bulk(asked, lines),
        a_week_on=(date.fromisoformat(context.today()) + timedelta(days=SNOOZE_DAYS)).isoformat(),
    )


def resolve(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /exceptions/resolve: take one way out of the exceptions that are ticked."""
    way, ids = str(form.get("way", "")), [str(each) for each in form.getlist("exception")]
    asked = Asked.of(QueryParams(str(form.get("asked", ""))))
    if not 0 < len(ids) <= PAGE:
        how_many = "Nothing" if not ids else f"More than {PAGE}"
        return back(asked.address(), f"{how_many} was ticked, and nothing was changed. Tick what you mean.")
    reason, until = str(form.get("reason", "")), str(form.get("until", "")) or None
    what = f"exception-{way}" if way in WAYS else "exception"
    with surroundings_of(request).acting(viewer.actor, what) as context:
        came = resolve_many(context, ids, way, viewer.person, reason, until)
    return back(asked.address(), came.in_words())


def _wanted(asked: Asked, viewer: Viewer, roster: Roster, owners: Collection[str] | None, now: datetime) -> Wanted:
    kinds, fallen = {asked.kind} if asked.kind else None, set[str]()
    managed = {id_ for id_, rep in roster.reps.items() if rep.manager}
    if asked.whose:
        acting = _acting(asked.whose, viewer)
        kinds = _kinds_for(acting, asked.kind)
        if Acts.OPS in acting:
            fallen = _kinds_for((Acts.MANAGER,), asked.kind)
        if Acts.MANAGER in acting:
            owners = managed if owners is None else managed & set(owners)
        if asked.whose == "mine" and viewer.role is Role.MANAGER:
            owners = {id_ for id_ in owners or () if roster.reps[id_].manager == viewer.rep_id}
    seen_by = now - timedelta(days=int(asked.age)) if asked.age else None
    return Wanted(kinds, seen_by, owners, asked.asleep, asked.account or None, fallen, managed)


def _kinds_for(acting: Collection[Acts], kind: str) -> set[str]:
    return {name for name, each in KINDS.items() if each.acts in acting and kind in ("", name)}


def _acting(whose: str, viewer: Viewer) -> Collection[Acts]:
    if whose == "mine":
        return (Acts.OPS, Acts.STEWARD) if viewer.role is Role.OPS else (Acts.MANAGER,)
    return (Acts[whose.upper()],)


def _line(shown: ShownItem, viewer: Viewer, context: RunContext, answers: Sequence[Answer]) -> Line:
    item, roster = shown.item, context.policy.roster
    acts, manager = who_acts(item.kind, shown.owner_id, roster)
    due = due_by(item.kind, item.first_seen_at, context.policy.policy.exception_hours)
    return Line(
        shown,
        kind_of(item.kind),
        said_of(item.detail),
        roster.name(manager) if manager else acts.value,
        due,
        due < context.now(),
        [(id_, WAYS[id_]) for id_ in ways_of(item.kind, item.detail) if may_take(viewer.person, shown, id_, context)],
        [each for each in answers if each.exception_id == item.exception_id],
    )


def _in_bulk(asked: Asked, lines: Sequence[Line]) -> Sequence[tuple[str, Way]]:
    """What may be done to several at once: they have to be of one kind."""
    if not asked.kind or len(lines) < 2:
        return ()
    return list(dict.fromkeys(way for line in lines for way in line.ways))


routes = [read(PATH, exceptions, Role.MANAGER), act(f"{PATH}/resolve", resolve, Role.MANAGER)]
