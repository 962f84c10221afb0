"""What each operation on records answers: reads a request that passed the door, changes the portal, shapes the body.

Every handler takes the path's names, the query and the raw body, and gives the status, the body and how many rows it
read or wrote. Response order of a batch is not the request's: recorded traffic shows that HubSpot does not keep it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from emulators.hubspot.errors import HubSpotError, batch_problem, invalid, no_such_object
from emulators.hubspot.portal import OWNER, THROUGH_API, Portal, Record
from emulators.hubspot.properties import DEFAULT_ASSOCIATIONS, ObjectKind, clean, find_kind, instant
from emulators.hubspot.search import read_search, run_search

API = "https://api.hubapi.com"
BATCH_MAX, PAGE_MAX, OWNERS_MAX, ASSOCIATIONS_MAX, LINKS_IN_BULK_MAX = 100, 100, 500, 500, 1000
HISTORIES_MAX = 50  # recorded: "The maximum number of inputs supported in a batch request for property histories is 50"
OUR_APP = "1234567"  # the private app whose token is the only one this portal gives


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `path`, what it names, and the query's values by name (a name may come several times)."""

    path: str
    names: dict[str, str]
    query: dict[str, list[str]]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]

    def many(self, name: str) -> list[str]:
        """Both notations HubSpot takes: `properties=a,b` and `properties=a&properties=b`."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]

    def flag(self, name: str) -> bool:
        return self.one(name).lower() == "true"

    def kind(self, name: str = "kind") -> ObjectKind:
        """Raises `HubSpotError` 400 for an object type this portal does not have."""
        kind = find_kind(self.names[name])
        if kind is None:
            raise invalid(f"Unable to infer object type from: {self.names[name]}")
        return kind


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None is an empty answer (204)."""

    status: int
    body: dict[str, Any] | None
    rows: int


class Records:
    """The operations on one portal. Each public method is the handler of the operation of its name."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def search(self, request: Request) -> Answer:
        kind = request.kind()
        asked = read_search(kind, request.body)
        total, rows = run_search(kind, asked, self._portal.searchable(kind))
        body: dict[str, Any] = {"total": total, "results": [show(kind, row, asked.properties) for row in rows]}
        end = asked.after + len(rows)
        if end < total:
            body["paging"] = {"next": {"after": str(end)}}
        return Answer(200, body, len(rows))

    def list_records(self, request: Request) -> Answer:
        kind, limit, archived = request.kind(), _limit(request, 10, PAGE_MAX), request.flag("archived")
        after = _whole("after", request.one("after", "0"))
        rows = sorted(self._portal.records[kind.plural].values(), key=lambda row: int(row.id))
        rows = [row for row in rows if row.archived == archived and int(row.id) > after]
        page = rows[:limit]
        body: dict[str, Any] = {"results": [show(kind, row, tuple(request.many("properties"))) for row in page]}
        if len(rows) > limit:
            link = f"{API}{request.path}?limit={limit}&after={page[-1].id}"
            body["paging"] = {"next": {"after": page[-1].id, "link": link}}
        return Answer(200, body, len(page))

    def get(self, request: Request) -> Answer:
        kind = request.kind()
        record = self._find(kind, request.names["id"], archived=request.flag("archived"))
        return Answer(200, show(kind, record, tuple(request.many("properties"))), 1)

    def create(self, request: Request) -> Answer:
        kind, body = request.kind(), _body(request)
        links = [self._link(kind, link) for link in body.get("associations") or []]
        record = self._portal.create(kind, _properties(body), THROUGH_API)
        for end, end_id in links:
            self._portal.link(kind, record.id, end, end_id)
        return Answer(201, show(kind, record, tuple(record.properties)), 1)

    def update(self, request: Request) -> Answer:
        kind, values = request.kind(), _properties(_body(request))
        record = self._find(kind, request.names["id"])
        stored = clean(kind, values, self._portal.owner_ids())
        fresh = self._portal.update(kind, record, stored, THROUGH_API, OUR_APP)
        return Answer(200, show(kind, fresh, tuple(values)), 1)

    def archive(self, request: Request) -> Answer:
        """204 whether or not the record is there, as the vendor does."""
        kind = request.kind()
        record = self._portal.find(kind, request.names["id"])
        if record is not None:
            self._portal.archive(kind, record, THROUGH_API)
        return Answer(204, None, 1 if record else 0)

    def merge(self, request: Request) -> Answer:
        kind, body = request.kind(), _body(request)
        if kind.plural == "tasks":
            raise invalid(f"{kind.plural} cannot be merged")
        record = self._portal.merge(kind, _text(body, "primaryObjectId"), _text(body, "objectIdToMerge"), THROUGH_API)
        return Answer(200, show(kind, record, ()), 1)

    def batch_read(self, request: Request) -> Answer:
        """Of `propertiesWithHistory` only the owner's is kept here, from when the portal started."""
        kind, body = request.kind(), _body(request)
        histories = OWNER in (body.get("propertiesWithHistory") or ())
        if histories and len(_inputs(body)) > HISTORIES_MAX:
            raise invalid(
                f"The maximum number of inputs supported in a batch request for property histories is {HISTORIES_MAX}. "
                "Please reduce the number of items and try again"
            )
        wanted = tuple(str(name) for name in body.get("properties") or ())
        archived, found, missing = request.flag("archived"), {}, []
        for one in _inputs(body):
            record = self._portal.find(kind, _text(one, "id"), archived=archived)
            if record is None:
                missing.append(_text(one, "id"))
            else:
                found[record.id] = record
        shown = [show(kind, row, wanted) for row in found.values()]
        if histories:
            for one, row in zip(shown, found.values(), strict=True):
                one["propertiesWithHistory"] = {OWNER: [dict(version) for version in row.owner_history]}
        return self._batch(kind, shown, missing, "get")

    def batch_update(self, request: Request) -> Answer:
        """All values are checked before the first is written: one bad value fails the whole call with 400."""
        kind, inputs = request.kind(), _inputs(_body(request))
        owners = self._portal.owner_ids()
        changes = [(_text(one, "id"), clean(kind, _properties(one), owners)) for one in inputs]
        if len({record_id for record_id, _ in changes}) < len(changes):
            raise invalid("Duplicate IDs found in batch input")
        shown, missing = [], []
        for record_id, stored in changes:
            record = self._portal.find(kind, record_id)
            if record is None:
                missing.append(record_id)
                continue
            fresh = self._portal.update(kind, record, stored, THROUGH_API, OUR_APP)
            shown.append(show(kind, fresh, tuple(stored)))
        return self._batch(kind, shown, missing, "update")

    def associate(self, request: Request) -> Answer:
        start, end = request.kind(), request.kind("end")
        start_id, end_id = request.names["id"], request.names["end_id"]
        type_id = self._portal.link(start, start_id, end, end_id)
        result = {
            "from": {"id": start_id},
            "to": {"id": end_id},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
        }
        return Answer(200, self._complete([result]), 1)

    def associations(self, request: Request) -> Answer:
        start, end = request.kind(), request.kind("end")
        record = self._find(start, request.names["id"])
        limit, after = _limit(request, 500, ASSOCIATIONS_MAX), _whole("after", request.one("after", "0"))
        linked = self._portal.linked(start, record.id, end)
        ids = [end_id for end_id in linked if int(end_id) > after][:limit]
        type_id = DEFAULT_ASSOCIATIONS.get((start.plural, end.plural))
        label = {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": None}
        body: dict[str, Any] = {"results": [{"toObjectId": end_id, "associationTypes": [label]} for end_id in ids]}
        if ids and ids[-1] != linked[-1]:
            body["paging"] = {"next": {"after": ids[-1], "link": f"{API}{request.path}?limit={limit}&after={ids[-1]}"}}
        return Answer(200, body, len(ids))

    def associations_read(self, request: Request) -> Answer:
        """Up to 1,000 records, each with a page of what is linked to it; one without any is an error of a 207."""
        start, end = request.kind(), request.kind("end")
        inputs = _inputs(_body(request), LINKS_IN_BULK_MAX)
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in inputs:
            from_id, after = _text(one, "id"), _whole("after", str(one.get("after") or "0"))
            linked = self._portal.linked(start, from_id, end)
            ids = [id_ for id_ in linked if int(id_) > after][:ASSOCIATIONS_MAX]
            if not linked:
                errors.append(_no_links(start, from_id, end))
                continue
            label = {"category": "HUBSPOT_DEFINED", "typeId": DEFAULT_ASSOCIATIONS.get((start.plural, end.plural))}
            to = [{"toObjectId": int(id_), "associationTypes": [{**label, "label": None}]} for id_ in ids]
            more = {"paging": {"next": {"after": ids[-1]}}} if ids and ids[-1] != linked[-1] else {}
            results.append({"from": {"id": from_id}, "to": to, **more})
        body = self._complete(results)
        if not errors:
            return Answer(200, body, len(results))
        return Answer(207, body | {"numErrors": len(errors), "errors": errors}, len(results))

    def list_owners(self, request: Request) -> Answer:
        limit, archived, email = _limit(request, 100, OWNERS_MAX), request.flag("archived"), request.one("email")
        after = _whole("after", request.one("after", "0"))
        owners = sorted(self._portal.owners.values(), key=lambda owner: int(owner["id"]))
        owners = [one for one in owners if bool(one.get("archived")) == archived and int(one["id"]) > after]
        owners = [one for one in owners if not email or one.get("email") == email]
        page = owners[:limit]
        body: dict[str, Any] = {"results": [show_owner(one) for one in page]}
        if len(owners) > limit:
            link = f"{API}{request.path}?limit={limit}&after={page[-1]['id']}"
            body["paging"] = {"next": {"after": str(page[-1]["id"]), "link": link}}
        return Answer(200, body, len(page))

    def get_owner(self, request: Request) -> Answer:
        key = "userId" if request.one("idProperty") == "userId" else "id"
        for owner in self._portal.owners.values():
            if str(owner[key]) == request.names["id"] and bool(owner.get("archived")) == request.flag("archived"):
                return Answer(200, show_owner(owner), 1)
        raise no_such_object()

    def _find(self, kind: ObjectKind, record_id: str, *, archived: bool = False) -> Record:
        record = self._portal.find(kind, record_id, archived=archived)
        if record is None:
            raise no_such_object()
        return record

    def _link(self, start: ObjectKind, link: dict[str, Any]) -> tuple[ObjectKind, str]:
        """The record an association names; of which object it is, only the association's type says."""
        end_id, types = str(link.get("to", {}).get("id", "")), link.get("types") or []
        given = {one.get("associationTypeId") for one in types}
        for (from_, to), type_id in DEFAULT_ASSOCIATIONS.items():
            end = find_kind(to)
            if from_ == start.plural and given == {type_id} and end is not None:
                if self._portal.find(end, end_id) is None:
                    raise invalid(f"One or more associations are not valid: {end_id} does not exist")
                return end, end_id
        raise invalid(f"No association type of {start.plural} is {sorted(map(str, given))}")

    def _batch(self, kind: ObjectKind, shown: list[dict[str, Any]], missing: list[str], verb: str) -> Answer:
        body = self._complete(shown[::-1])
        if not missing:
            return Answer(200, body, len(shown))
        what = f"some {kind.singular.upper()} objects"
        message = f"Could not {verb} {what}, they may be deleted or not exist. Check that ids are valid."
        return Answer(207, body | {"numErrors": 1, "errors": [batch_problem(message, missing)]}, len(shown))

    def _complete(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        at = instant(self._portal.now())
        return {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}


def show(kind: ObjectKind, record: Record, wanted: tuple[str, ...]) -> dict[str, Any]:
    """A record with the wanted properties, null where unset; names this portal does not know are left out."""
    names = sorted({*(wanted or kind.default), *kind.always} & set(kind.types))
    shown: dict[str, Any] = {
        "id": record.id,
        "properties": {name: record.properties.get(name) for name in names},
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
        "archived": record.archived,
    }
    return shown | ({"archivedAt": record.archived_at} if record.archived else {})


def show_owner(owner: dict[str, Any]) -> dict[str, Any]:
    """An owner. An archived one has lost its `userId`; only `userIdIncludingInactive` still tells it."""
    archived = bool(owner.get("archived"))
    user_id = owner.get("userId")
    return {
        "id": str(owner["id"]),
        "email": owner.get("email"),
        "type": owner.get("type", "PERSON"),
        "firstName": owner.get("firstName", ""),
        "lastName": owner.get("lastName", ""),
        "userId": None if archived or user_id is None else int(user_id),
        "userIdIncludingInactive": None if user_id is None else int(user_id),
        "createdAt": owner.get("createdAt", "2021-03-01T09:00:00.000Z"),
        "updatedAt": owner.get("updatedAt", "2021-03-01T09:00:00.000Z"),
        "archived": archived,
    }


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise invalid(f"Invalid input JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: expected an object")
    return body


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    values = body.get("properties")
    if not isinstance(values, dict):
        raise invalid("Invalid input JSON: properties must be an object")
    return values


def _no_links(start: ObjectKind, from_id: str, end: ObjectKind) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {end.singular} is associated with {start.singular} {from_id}.",
        "context": {"fromObjectId": [from_id], "fromObjectType": [start.singular], "toObjectType": [end.singular]},
    }


def _inputs(body: dict[str, Any], most: int | None = None) -> list[dict[str, Any]]:
    most = most or BATCH_MAX
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise invalid("Invalid input JSON: inputs must be an array of objects")
    if body.get("idProperty"):
        raise invalid(
            "Unable to perform the call by a non-unique property", context={"idProperty": [body["idProperty"]]}
        )
    if not 0 < len(inputs) <= most:
        raise invalid(f"A batch holds 1 to {most} inputs; this one has {len(inputs)}")
    return inputs


def _text(body: dict[str, Any], name: str) -> str:
    if body.get(name) in (None, ""):
        raise invalid(f"Invalid input JSON: {name} is missing")
    return str(body[name])


def _limit(request: Request, default: int, most: int) -> int:
    limit = _whole("limit", request.one("limit", str(default)))
    if not 0 < limit <= most:
        raise invalid(f"limit must be between 1 and {most}")
    return limit


def _whole(name: str, text: str) -> int:
    if not text.isdecimal():
        raise HubSpotError(400, "VALIDATION_ERROR", f"{name} must be an integer")
    return int(text)
