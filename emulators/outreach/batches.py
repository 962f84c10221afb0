"""Outreach's batches: an action on many accounts that begins some time after it was asked for, and then takes a while.

The accounts are chosen when the batch is made, by `attributes.ids` and `actionParams[filter]`; with neither, the action
is on ALL accounts, as the bulk API page warns. A batch that was not told to skip its confirmation waits for one.
Unverified: the names of the states before "finished", how long a batch takes, what an item's `data` holds, and that a
locked owner fails each item rather than the whole call.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from emulators.outreach.collections import filters
from emulators.outreach.errors import OutreachError, bad_request, invalid, not_found
from emulators.outreach.org import Org, Resource, stamp


@dataclass(slots=True)
class Batch:
    """One batch. `due` is when its work begins; None while it waits to be confirmed."""

    id: int
    owner_id: int
    account_ids: list[int]
    created: datetime
    payload: Mapping[str, Any]
    due: datetime | None
    started: datetime | None = None
    finished: datetime | None = None
    items: list[Resource] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(item["attributes"]["failed"] for item in self.items)


class Batches:
    """The batches of one organisation. `delay` passes before one begins and again before it ends."""

    def __init__(self, org: Org, now: Callable[[], datetime], delay: timedelta) -> None:
        self._org, self._now, self._delay = org, now, delay
        self._ids, self._item_ids = itertools.count(1), itertools.count(1)
        self.all: dict[int, Batch] = {}

    def load(self) -> None:
        self.all = {}

    def assign_owner(self, query: str, sent: Resource) -> Resource:
        """Take a batch. Raises `OutreachError`."""
        skip, tests = self._action_params(query)
        attributes = sent.get("attributes") or {}
        owner_id, ids = attributes.get("ownerId"), attributes.get("ids")
        if not isinstance(owner_id, int) or owner_id not in self._org.users:
            raise invalid("Owner must exist.", "/data/attributes/ownerId")
        if ids is not None and not (isinstance(ids, list) and all(isinstance(id_, int) for id_ in ids)):
            raise invalid("Ids must be numbers.", "/data/attributes/ids")
        chosen = [
            id_
            for id_, account in self._org.accounts.items()
            if (ids is None or id_ in ids) and all(test(account) for test in tests)
        ]
        now = self._now()
        due = now + self._delay if skip else None
        batch = Batch(next(self._ids), owner_id, chosen, now, {"ownerId": owner_id}, due)
        self.all[batch.id] = batch
        return self.shown(batch)

    def confirm(self, id_: str) -> Resource:
        batch = self.find(id_)
        if batch.due is None:
            batch.due = self._now() + self._delay
        return self.shown(batch)

    def find(self, id_: str) -> Batch:
        """Raises `OutreachError` 404."""
        batch = self.all.get(int(id_)) if id_.isdecimal() else None
        if batch is None:
            raise not_found("batch", id_)
        return batch

    def items(self) -> list[Resource]:
        return [item for batch in self.all.values() for item in batch.items]

    def work(self) -> None:
        """Do what has become due."""
        now = self._now()
        for batch in self.all.values():
            if batch.due is None or batch.due > now or batch.finished:
                continue
            if batch.started is None:
                batch.started = batch.due
                batch.items = [self._item(batch, id_) for id_ in batch.account_ids]
            if batch.started + self._delay <= now:
                batch.finished = batch.started + self._delay

    def shown(self, batch: Batch) -> Resource:
        waiting = "waiting_for_confirmation" if batch.due is None else "pending"
        state = "finished" if batch.finished else "running" if batch.started else waiting
        attributes = {
            "action": "accounts_assign_owner",
            "state": state,
            "total": len(batch.account_ids),
            "pending": 0 if batch.finished else len(batch.account_ids),
            "failures": batch.failures,
            "confirmCount": len(batch.account_ids),
            "payload": batch.payload,
            "createdAt": stamp(batch.created),
            "startedAt": stamp(batch.started) if batch.started else None,
            "finishedAt": stamp(batch.finished) if batch.finished else None,
            "canceledAt": None,
        }
        return {"type": "batch", "id": batch.id, "attributes": attributes, "relationships": {}}

    def _item(self, batch: Batch, account_id: int) -> Resource:
        info = ""
        try:
            self._org.give(self._org.find_account(account_id), batch.owner_id)
        except OutreachError as error:
            info = error.body["errors"][0]["detail"]
        attributes = {
            "batchId": batch.id,
            "data": json.dumps({"id": account_id}),
            "failed": bool(info),
            "info": info or None,
            "state": "failed" if info else "finished",
            "createdAt": stamp(batch.created),
        }
        return {"type": "batchItem", "id": next(self._item_ids), "attributes": attributes, "relationships": {}}

    def _action_params(self, query: str) -> tuple[bool, list[Callable[[Resource], bool]]]:
        """Whether to skip the confirmation, and what the filter lets through. Other parameters are a 400."""
        skip, asked = False, []
        for name, value in parse_qsl(query, keep_blank_values=True):
            chosen = re.fullmatch(r"actionParams\[filter\](\[.+\])", name)
            if name == "actionParams[skipConfirmation]":
                skip = value == "true"
            elif chosen:
                asked.append((f"filter{chosen[1]}", value))
            else:
                raise bad_request(f"Unexpected query parameter '{name}'.")
        return skip, filters("account", asked)
