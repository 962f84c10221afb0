"""Webhooks in: prove the sender, keep the delivery, answer, and only then start a run.

Nothing here decides anything or calls a vendor. A payload is a hint that names a record; the run reads the record. It
may be an account or a lead: events about leads are kept apart (`tasks.pull.inbox_of`), and the run is given their ids
as "leads/<id>". Events about anything else are acknowledged, or the vendor would send them again, and left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from store.inbox import ChangeNote
from tasks.inbox import take_in
from tasks.pull import inbox_of
from web.outbound_messages import ACK, NotAnOutboundMessage, read_outbound_message
from web.signatures import is_from_hubspot
from web.surroundings import surroundings_of

MAX_BODY = 1_000_000
LAST_MS = 253_402_300_799_999  # the last instant a datetime can hold
ACCOUNTS, LEADS = "", "leads"  # streams; a source's first one has no name here
# What an event is about, in the vendor's words; both say nothing of it now and then, and mean an account.
HUBSPOT_STREAMS = {"": ACCOUNTS, "company": ACCOUNTS, "0-2": ACCOUNTS, "contact": LEADS, "0-1": LEADS}
SALESFORCE_STREAMS = {"": ACCOUNTS, "Account": ACCOUNTS, "Lead": LEADS}


class HubSpotEvent(BaseModel):
    """What a webhook event says that matters here; `occurredAt` in epoch milliseconds. Field names are HubSpot's."""

    model_config = ConfigDict(extra="allow", strict=True)

    eventId: int = Field(ge=0)
    objectId: int = Field(gt=0)
    occurredAt: int = Field(ge=0, le=LAST_MS)
    propertyName: str = ""
    subscriptionType: str = ""
    objectTypeId: str = ""

    @property
    def about(self) -> str:
        """The object: "contact" of `contact.creation`, and "0-1" of the newer `object.creation`."""
        about = self.subscriptionType.partition(".")[0]
        return self.objectTypeId if about == "object" else about


EVENTS = TypeAdapter(list[HubSpotEvent])


async def hubspot(request: Request) -> Response:
    """POST /webhooks/hubspot: an array of up to 100 events, signed v3, at least once, in no order."""
    settings = surroundings_of(request).settings
    body = await body_of(request)
    if body is None:
        return Response(status_code=413)
    now = datetime.now(UTC)
    genuine = is_from_hubspot(
        settings.hubspot_webhook_secret.get_secret_value(),
        request.method,
        settings.public_url.rstrip("/") + request.url.path,
        body,
        request.headers.get("x-hubspot-signature-v3", ""),
        request.headers.get("x-hubspot-request-timestamp", ""),
        int(now.timestamp() * 1000),
    )
    if not genuine:
        return Response(status_code=401)
    try:
        events = EVENTS.validate_json(body)
    except ValidationError:
        return JSONResponse({"error": "expected a JSON array of HubSpot events"}, status_code=400)
    notes = [(HUBSPOT_STREAMS.get(event.about), _hubspot_note(event)) for event in events]
    return await _accept(request, "hubspot", notes, now, Response(status_code=204))


async def salesforce(request: Request) -> Response:
    """POST /webhooks/salesforce: an Outbound Message of our org.

    It carries no signature (mutual TLS in front of us proves the sender), so it is never more than a hint.
    """
    settings = surroundings_of(request).settings
    now = datetime.now(UTC)
    body = await body_of(request)
    if body is None:
        return Response(status_code=413)
    try:
        message = read_outbound_message(body)
    except NotAnOutboundMessage:
        return Response(status_code=400)
    if not settings.salesforce_org_id or message.organization_id != settings.salesforce_org_id:
        return Response(status_code=401)
    notes = [
        (SALESFORCE_STREAMS.get(note.object_type), ChangeNote(note.id, note.record_id, None, ""))
        for note in message.notifications
    ]
    return await _accept(request, "salesforce", notes, now, Response(ACK, media_type="text/xml"))


async def body_of(request: Request) -> bytes | None:
    """The raw body, None as soon as it is larger than any vendor's delivery."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


async def _accept(
    request: Request, source: str, notes: Sequence[tuple[str | None, ChangeNote]], now: datetime, answer: Response
) -> Response:
    """Keep what is about a stream of ours; its ids start a run once the answer is out."""
    here = surroundings_of(request)
    external_ids: list[str] = []
    for stream in (ACCOUNTS, LEADS):
        some = [note for about, note in notes if about == stream]
        fresh = await run_in_threadpool(take_in, here.store, inbox_of(source, stream), some, now) if some else []
        external_ids += [f"{stream}/{id_}" if stream else id_ for id_ in fresh]
    answer.background = BackgroundTask(here.changes.pass_on, source, external_ids)
    return answer


def _hubspot_note(event: HubSpotEvent) -> ChangeNote:
    # HubSpot does not promise that eventId is unique, so the key is everything that tells two changes apart.
    parts = (event.eventId, event.objectId, event.propertyName, event.occurredAt)
    return ChangeNote(
        event_key="/".join(str(part) for part in parts),
        object_id=str(event.objectId),
        occurred_at=datetime.fromtimestamp(event.occurredAt / 1000, UTC),
        body=event.model_dump_json(),
    )
