"""The control plane: plain HTTP on loopback, for tests and the demo. No vendor has any of this.

POST   /edit               {"vendor", …}: a person edits a record (the rest is the vendor's own command)
GET    /journal[?vendor=]  every request so far; DELETE forgets them
POST   /faults             one order, or a list of orders, as in `emulators.faults.Fault`; DELETE lifts all
GET    /snapshot/{vendor}  everything the vendor holds
POST   /webhooks           {"vendor", "url", …}: where the vendor sends its events
GET    /mails[?to=]        every mail taken so far; DELETE forgets them; /mails.html shows them
POST   /mails/answers      what the mail server says in place of taking a mail; DELETE lifts all
GET    /health             {"vendors": [...], "refused_hosts": [...]}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.faults import Fault

if TYPE_CHECKING:
    from emulators.server import EmulatedVendors


def control_app(running: EmulatedVendors) -> Starlette:
    """The control plane of one running set of vendors."""
    plane = _ControlPlane(running)
    return Starlette(
        routes=[
            Route("/edit", plane.edit, methods=["POST"]),
            Route("/journal", plane.journal, methods=["GET"]),
            Route("/journal", plane.forget_journal, methods=["DELETE"]),
            Route("/faults", plane.install_faults, methods=["POST"]),
            Route("/faults", plane.lift_faults, methods=["DELETE"]),
            Route("/snapshot/{vendor}", plane.snapshot, methods=["GET"]),
            Route("/webhooks", plane.subscribe, methods=["POST"]),
            Route("/health", plane.health, methods=["GET"]),
            *running.mailboxes.routes,
        ]
    )


class _ControlPlane:
    def __init__(self, running: EmulatedVendors) -> None:
        self._running = running

    async def edit(self, request: Request) -> Response:
        command = await request.json()
        vendor = self._running.vendors.get(command.pop("vendor", ""))
        if vendor is None:
            return _refuse(404, "no such vendor")
        try:
            return JSONResponse(await run_in_threadpool(vendor.edit, command))
        except Exception as error:  # whatever the vendor would have refused, said to the test that asked
            return _refuse(400, f"{type(error).__name__}: {error}")

    async def journal(self, request: Request) -> Response:
        entries = self._running.journal.entries(request.query_params.get("vendor"))
        return JSONResponse([entry.to_json() for entry in entries])

    async def forget_journal(self, _: Request) -> Response:
        self._running.journal.clear()
        return Response(status_code=204)

    async def install_faults(self, request: Request) -> Response:
        orders = await request.json()
        try:
            faults = [Fault(**order) for order in (orders if isinstance(orders, list) else [orders])]
        except (TypeError, ValueError) as error:
            return _refuse(400, str(error))
        for fault in faults:
            self._running.faults.install(fault)
        return JSONResponse({"installed": len(faults)}, 201)

    async def lift_faults(self, _: Request) -> Response:
        self._running.faults.clear()
        return Response(status_code=204)

    async def snapshot(self, request: Request) -> Response:
        vendor = self._running.vendors.get(request.path_params["vendor"])
        return _refuse(404, "no such vendor") if vendor is None else JSONResponse(vendor.snapshot())

    async def subscribe(self, request: Request) -> Response:
        """A vendor that sends events has `subscribe(url, **options)`."""
        order: dict[str, Any] = await request.json()
        vendor = self._running.vendors.get(order.pop("vendor", ""))
        subscribe = getattr(vendor, "subscribe", None)
        if subscribe is None:
            return _refuse(404, "no such vendor, or it sends no events")
        try:
            subscribe(**order)
        except (TypeError, ValueError) as error:
            return _refuse(400, str(error))
        return Response(status_code=204)

    async def health(self, _: Request) -> Response:
        return JSONResponse({"vendors": sorted(self._running.vendors), "refused_hosts": self._running.refused_hosts})


def _refuse(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status)
