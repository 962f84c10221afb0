"""What goes with the owner of a HubSpot company: its contacts and its open deals. HubSpot has no team beside an owner.

Found by associations, not by search, which lags behind writes and is held to five calls a second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connectors.batches import chunks
from connectors.hubspot_api import HubSpotApi
from ownership.transfers import CONTACTS, OPPORTUNITIES, Dependent

KINDS = {CONTACTS: "contact", OPPORTUNITIES: "deal"}
DEPENDENT_TYPES = tuple(KINDS.values())
LINKS_BATCH = 1000  # companies of one call (HubSpot's changelog, in force since 2025-02-10)
READ_BATCH = 100  # records of one batch read
PROPERTIES = {"contact": ["hubspot_owner_id", "associatedcompanyid"], "deal": ["hubspot_owner_id", "hs_is_closed"]}


class CompanyTransfers:
    """Reads of one account."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api

    def dependents(self, ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]) -> Iterator[Dependent]:
        """For each kind one call for 1,000 companies (more where one has very many), and one for each 100 records.

        A contact hangs on its primary company, whatever others it is linked to; a deal on any company it is linked to,
        the first by id where there are several.
        """
        for name in (KINDS[kind] for kind in sorted(kinds)):
            on: dict[str, str] = {}
            for company_id, record_id in self._linked(ids, name):
                on[record_id] = min(on.get(record_id, company_id), company_id)
            for some in chunks(sorted(on), READ_BATCH):
                body = {"properties": PROPERTIES[name], "inputs": [{"id": id_} for id_ in some]}
                for record in self._api.get(self._api.objects[name].batch.read, body).get("results") or ():
                    said: Mapping[str, Any] = record.get("properties") or {}
                    company = said.get("associatedcompanyid") or on.get(record["id"], "")
                    if said.get("hubspot_owner_id") in owner_ids and said.get("hs_is_closed") != "true":
                        yield Dependent(name, record["id"], company, said["hubspot_owner_id"])

    def _linked(self, ids: Sequence[str], name: str) -> Iterator[tuple[str, str]]:
        """Pairs of a company and a record linked to it. A company without any is an error of its own in a 207."""
        wanted: list[dict[str, str]] = [{"id": id_} for id_ in ids]
        while wanted:
            some, wanted = wanted[:LINKS_BATCH], wanted[LINKS_BATCH:]
            body = self._api.get(self._api.links.get_page, "company", name, {"inputs": some})
            for found in body.get("results") or ():
                company_id = str(found["from"]["id"])
                yield from ((company_id, str(each["toObjectId"])) for each in found.get("to") or ())
                after = ((found.get("paging") or {}).get("next") or {}).get("after")
                if after:
                    wanted.append({"id": company_id, "after": str(after)})
