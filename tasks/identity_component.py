"""The component of the rows that changed: every row that shares a key with one of them, or with one that does.

Rows outside it are linked the same as before, whatever changed: nothing they have in common with anybody did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from connectors.base import Value
from ownership.linking import CROWD, Background, Problem
from ownership.linking.joining import SHOWN, crowd_problem
from ownership.linking.keys import AT, CROWDED, DOMAIN, place_key
from ownership.model import ACCOUNT, Account, AccountRecord, Ref
from ownership.model import LEAD as LEAD_KIND
from store.likenesses import MATCH
from store.match_keys import LEAD, RECORD, Holder
from store.staging import RowKey
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identity_part import Part, Place, merged_refs, read_background, read_values, to_keyed

MOST_CHANGED = 5_000
"""When more rows than these changed, everything is linked anew: that is not slower then."""


def read_component(context: RunContext, uow: UnitOfWork, claimed: Sequence[RowKey]) -> Part:
    """What hangs together with the claimed rows, whose keys are brought up to date here."""
    search = _Search(context, uow)
    search.take(claimed)
    search.find_accounts()
    search.find_leads()
    return search.part(len(claimed))


@dataclass(slots=True)
class _Search:
    """`rows` are those found, `keys` those that were followed. `changed` are the keys that rows got or lost, with how
    many shared each before; `places` are the records found, gone ones too; `said` are the pairs people spoke of."""

    context: RunContext
    uow: UnitOfWork
    rows: set[RowKey] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    changed: dict[str, int] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    leads: set[RowKey] = field(default_factory=set)
    lead_keys: set[str] = field(default_factory=set)
    lead_places: set[Place] = field(default_factory=set)
    listing: frozenset[str] = frozenset()
    said: list[tuple[Place, Place]] = field(default_factory=list)

    def take(self, claimed: Sequence[RowKey]) -> None:
        """Begin with these rows, by what they said when they were matched last and what they say now."""
        uow = self.uow
        self.said = self._read_said()
        old = uow.keys.of_rows(claimed)
        said = dict(read_values(self.context, uow.staging.get_many(claimed)))
        new = [to_keyed(row, value) for row, value in said.items()]
        now = [Holder(key, each.row, each.says, each.place) for each in new for key in each.keys]
        listed = uow.keys.listing(self.context.connectors.sources)
        of_accounts = {holder.key for holder in (*old, *now) if holder.says != LEAD}
        before = self._counts(of_accounts, listed)
        uow.keys.put(claimed, new)
        self.listing = uow.keys.listing(self.context.connectors.sources)
        self.changed = {key: before.get(key, 0) for key in of_accounts}
        for holder in (*old, *now):
            (self.lead_places if holder.says == LEAD else self.places).add((holder.row.source, holder.place))
        self.leads = {holder.row for holder in (*old, *now) if holder.says == LEAD}
        self.lead_keys = {holder.key for holder in (*old, *now) if holder.says == LEAD}
        # Of a row that never said anything that could be read no more than its id is known.
        silent = {(row.source, row.external_id) for row in claimed} - self.lead_places
        self.places |= silent
        uow.likenesses.forget([*self.places, *self.lead_places])

    def find_accounts(self) -> None:
        frontier = set(self.changed) | self._beyond(self.places)
        while frontier:
            holders = [h for h in self.uow.keys.holders(self._leading(frontier)) if h.says != LEAD]
            self.keys |= frontier
            fresh = {holder.row for holder in holders} - self.rows
            self.rows |= fresh
            found = self.uow.keys.of_rows(fresh)
            places = {(holder.row.source, holder.place) for holder in found} - self.places
            self.places |= places
            frontier = ({holder.key for holder in found} | self._beyond(places)) - self.keys

    def find_leads(self) -> None:
        """Leads that changed, those that may belong to the accounts found, and other records of the same people."""
        shared = {key for key in self.keys if key.startswith((DOMAIN, AT))}
        holders = [h for h in self.uow.keys.holders(shared) if h.says == LEAD]
        self.leads |= {holder.row for holder in holders}
        places = {place for each in self._verdict_places(self.places) for place in each}
        places |= {p for each in self.uow.likenesses.about(self.places) for p in each.places}
        merged = self.uow.identity.merged_rows({id_ for _, id_ in self.lead_places})
        places |= {(source, id_) for source, _, *both in merged for id_ in both}
        self.leads |= self._lead_rows(places)
        keys = self.lead_keys | {holder.key for holder in self.uow.keys.of_rows(self.leads)}
        people = {key for key in keys if not key.startswith((DOMAIN, AT))}
        self.leads |= {holder.row for holder in self.uow.keys.holders(people) if holder.says == LEAD}
        self.lead_places |= {(holder.row.source, holder.place) for holder in self.uow.keys.of_rows(self.leads)}

    def part(self, claimed: int) -> Part:
        uow = self.uow
        values = dict(read_values(self.context, uow.staging.get_many(self.rows | self.leads)))
        before = {
            account.id: account
            for places, kind in ((self.places, ACCOUNT), (self.lead_places, LEAD_KIND))
            for account in uow.accounts.live(uow.accounts.of_places(places))
            if account.kind == kind  # a company and a person may have the same id
        }
        places = self.places | self.lead_places
        part = Part(False, list(values.values()), before, places=places, keys=set(self.keys), claimed=claimed)
        part.likenesses = uow.likenesses.about(places)
        background = read_background(self.context, uow, part, merged_refs(uow, values, places))
        counts = self._counts(self.keys, self.listing)
        crowds = {key: count for key, count in counts.items() if count > CROWD}
        part.background = _within(background, crowds, self.listing, uow)
        part.crowds = [self._crowd(key, count) for key, count in sorted(crowds.items())]
        part.others = self._others(part)
        return part

    # --- steps ---

    def _counts(self, keys: Iterable[str], listing: frozenset[str]) -> dict[str, int]:
        """How many records that found accounts share each of those keys that a crowd can share."""
        crowded = (key for key in keys if key.startswith(CROWDED))
        return self.uow.keys.counts(crowded, listing, self.context.connectors.followers)

    def _leading(self, keys: Iterable[str]) -> list[str]:
        """The keys that lead on: one that a crowd shares links nobody, before the change and after it."""
        every = set(keys)
        counts = self._counts(every, self.listing)
        return [
            key for key in every if counts.get(key, 0) <= CROWD or (key in self.changed and self.changed[key] <= CROWD)
        ]

    def _beyond(self, places: set[Place]) -> set[str]:
        """Keys of what is linked to these records by something else than a key of theirs."""
        uow = self.uow
        found = {place for pair in self._verdict_places(places) for place in pair}
        merged = uow.identity.merged_rows({id_ for _, id_ in places})
        found |= {(source, id_) for source, _, *both in merged for id_ in both}
        found |= {place for each in uow.likenesses.about(places) if each.outcome == MATCH for place in each.places}
        accounts = uow.accounts.live(uow.accounts.of_places(places))
        found |= {(ref.source, ref.external_id) for each in accounts if each.kind == ACCOUNT for ref in each.refs}
        return {place_key(*place) for place in found | places}

    def _verdict_places(self, places: set[Place]) -> list[tuple[Place, Place]]:
        """The pairs people said something of, as far as one of the two is here."""
        return [pair for pair in self.said if places.intersection(pair)]

    def _read_said(self) -> list[tuple[Place, Place]]:
        said = [(each.one, each.other) for each in self.uow.identity.said()]
        said += [(each.child, each.parent) for each in self.uow.identity.said_parents()]
        return [((a.source, a.external_id), (b.source, b.external_id)) for a, b in said]

    def _lead_rows(self, places: set[Place]) -> set[RowKey]:
        rows = [
            RowKey(source, stream, id_)
            for source, id_ in places
            if source in self.context.connectors.sources
            for stream in self.context.connectors.sources[source].streams
        ]
        return {holder.row for holder in self.uow.keys.of_rows(rows) if holder.says == LEAD}

    def _crowd(self, key: str, count: int) -> Problem:
        """As `crowd_problem`, with the first of the crowd's records by their ids."""
        followers = self.context.connectors.followers
        holders = [holder for holder in self.uow.keys.holders([key]) if holder.row.source not in followers]
        records = [h for h in holders if h.says == RECORD or (h.says != LEAD and h.row.source not in self.listing)]
        first = sorted(records, key=lambda holder: (holder.row.source, holder.place))[: SHOWN * 2]
        read = read_values(self.context, self.uow.staging.get_many(holder.row for holder in first))
        return crowd_problem(key, count, {_ref_of(value) for _, value in read})

    def _others(self, part: Part) -> list[Account]:
        """Accounts outside the part that its leads may belong to."""
        keys = {holder.key for holder in self.uow.keys.of_rows(self.leads)}
        holders = self.uow.keys.holders(key for key in keys if key.startswith((DOMAIN, AT)))
        places = {(holder.row.source, holder.place) for holder in holders if holder.says != LEAD}
        places |= {place for each in part.likenesses for place in each.places}
        places |= {place for pair in self._verdict_places(self.lead_places) for place in pair}
        found = self.uow.accounts.live(self.uow.accounts.of_places(places - self.places))
        return [each for each in found if each.kind == ACCOUNT and each.id not in part.before]


def _within(background: Background, crowds: dict[str, int], listing: frozenset[str], uow: UnitOfWork) -> Background:
    """What a part needs to know of the rest to be linked as if all were there."""
    return replace(
        background, crowds=crowds, listing=listing, in_use=lambda account_id: bool(uow.identity.live_ids([account_id]))
    )


def _ref_of(value: Value) -> Ref:
    kind = value.object_type if isinstance(value, AccountRecord) else "workspace"
    return Ref(value.source, kind, value.external_id)
