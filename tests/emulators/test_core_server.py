"""What all emulated vendors share: the way in, the way nobody gets out, faults on order, the control plane."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce

from emulators.deliveries import Deliveries
from emulators.faults import Fault, Faults
from emulators.server import EmulatedVendors
from emulators.vendor import Delivery

COUNT = "SELECT COUNT() FROM Account"


def test_a_host_that_is_no_vendor_is_refused_and_remembered(
    running: EmulatedVendors, session: requests.Session
) -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        session.get("https://example.com/")
    assert running.refused_hosts == ("example.com:443",)


def test_plain_http_does_not_get_through_the_gateway(running: EmulatedVendors, session: requests.Session) -> None:
    assert session.get("http://api.hubapi.com/crm/v3/owners").status_code == 403
    assert running.refused_hosts


@pytest.mark.parametrize("host", ["northwind.my.salesforce.com", "api.hubapi.com", "api.stripe.com", "slack.com"])
def test_every_vendor_answers_for_its_own_host_under_a_valid_certificate(
    session: requests.Session, host: str, running: EmulatedVendors
) -> None:
    assert session.get(f"https://{host}/no/such/thing").status_code in (401, 404)
    assert running.journal.count() == 1


def test_a_client_that_does_not_trust_the_run_is_turned_away_by_tls(
    running: EmulatedVendors, session: requests.Session
) -> None:
    session.verify = True
    with pytest.raises(requests.exceptions.SSLError):
        session.get("https://api.stripe.com/v1/customers")


def test_the_same_seed_breaks_the_same_requests() -> None:
    def broken() -> list[int]:
        faults = Faults()
        faults.install(Fault("stripe", "*", "reset", probability=0.3, seed=11))
        return [n for n in range(100) if faults.next("stripe", "customers.list")]

    assert broken() == broken()
    assert 10 < len(broken()) < 50


def test_nth_counts_the_requests_of_that_operation_since_the_order() -> None:
    faults = Faults()
    faults.install(Fault("salesforce", "query", "status", nth=2))
    seen = [faults.next("salesforce", name) is not None for name in ("query", "token", "query", "query")]
    assert seen == [False, False, True, False]


def test_a_fault_that_nobody_can_play_is_refused(running: EmulatedVendors) -> None:
    order = {"vendor": "slack", "operation": "*", "kind": "gremlins", "nth": 1}
    assert requests.post(f"{running.control_url}/faults", json=order, timeout=5).status_code == 400


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.exceptions.ConnectionError),
        ("truncate", (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)),
    ],
)
def test_a_broken_connection_is_broken_on_the_wire(
    running: EmulatedVendors, salesforce: Salesforce, kind: str, error: Any
) -> None:
    order = {"vendor": "salesforce", "operation": "query", "kind": kind, "nth": 1}
    assert requests.post(f"{running.control_url}/faults", json=order, timeout=5).status_code == 201
    with pytest.raises(error):
        salesforce.query(COUNT)
    assert salesforce.query(COUNT)["totalSize"] > 0


def test_a_write_reset_after_its_commit_is_done_though_no_answer_came(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    account = world["salesforce"]["accounts"][0]
    running.faults.install(Fault("salesforce", "row_update", "reset", nth=1, params={"after_commit": True}))
    with pytest.raises(requests.exceptions.ConnectionError):
        salesforce.Account.update(account["Id"], {"Site": "Lyon"})
    assert salesforce.Account.get(account["Id"])["Site"] == "Lyon"


def test_a_write_reset_before_its_commit_is_not_done(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    account = world["salesforce"]["accounts"][0]
    running.faults.install(Fault("salesforce", "row_update", "reset", nth=1))
    with pytest.raises(requests.exceptions.ConnectionError):
        salesforce.Account.update(account["Id"], {"Site": "Lyon"})
    assert salesforce.Account.get(account["Id"])["Site"] is None


def test_the_control_plane_edits_reads_back_and_forgets(running: EmulatedVendors, world: dict[str, Any]) -> None:
    account, plane = world["salesforce"]["accounts"][0], running.control_url
    command = {"vendor": "salesforce", "object": "Account", "id": account["Id"], "fields": {"Rating": "Hot"}}
    assert requests.post(f"{plane}/edit", json=command, timeout=5).json()["Rating"] == "Hot"
    held = requests.get(f"{plane}/snapshot/salesforce", timeout=5).json()
    assert held["Account"][account["Id"]]["Rating"] == "Hot"
    assert requests.get(f"{plane}/journal", timeout=5).json() == []
    assert requests.delete(f"{plane}/journal", timeout=5).status_code == 204
    assert requests.get(f"{plane}/health", timeout=5).json()["vendors"] == ["hubspot", "salesforce", "slack", "stripe"]


def test_an_edit_the_vendor_would_refuse_is_refused(running: EmulatedVendors, world: dict[str, Any]) -> None:
    command = {"vendor": "salesforce", "object": "Account", "id": world["salesforce"]["accounts"][0]["Id"]}
    answer = requests.post(f"{running.control_url}/edit", json=command | {"fields": {"Nope": 1}}, timeout=5)
    assert answer.status_code == 400
    assert "INVALID_FIELD" in answer.json()["error"]


class Listener(BaseHTTPRequestHandler):
    answers: list[int]
    bodies: list[bytes]
    enough: threading.Event

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.answers.pop(0))
        self.end_headers()
        if not self.answers:
            self.enough.set()

    def log_message(self, *_: Any) -> None:
        return


def listen(answers: list[int]) -> tuple[HTTPServer, type[Listener]]:
    """A webhook target that gives these statuses in turn."""
    handler = type("Target", (Listener,), {"answers": answers, "bodies": [], "enough": threading.Event()})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, handler


def test_a_webhook_that_is_not_accepted_comes_again() -> None:
    server, target = listen([500, 200])
    deliveries = Deliveries()
    deliveries.add(Delivery(f"http://127.0.0.1:{server.server_port}/hook", b"x"))
    assert target.enough.wait(30)
    deliveries.close()
    server.shutdown()
    server.server_close()
    assert target.bodies == [b"x", b"x"]


def test_a_webhook_never_leaves_the_machine() -> None:
    with pytest.raises(ValueError, match="loopback"):
        Deliveries().add(Delivery("https://example.com/hook", b"x"))


def test_the_program_serves_until_it_is_told_to_stop(tmp_path: Path, world: dict[str, Any]) -> None:
    (tmp_path / "world.json").write_text(json.dumps(world), encoding="utf-8")
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "emulators", "--world", str(tmp_path / "world.json")]
    command += ["--state-dir", str(tmp_path / "state"), "--ready-file", str(ready), "--usage-db"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        told = wait_for(ready, process)
        assert requests.get(f"{told['control_url']}/health", timeout=5).ok
        assert Path(told["ca_file"]).exists()
        assert Path(told["usage_db"]).exists()
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
    assert code == 0


def wait_for(ready: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    while not ready.exists():
        assert process.poll() is None, "the emulators ended before they served"
        threading.Event().wait(0.02)
    told: dict[str, str] = json.loads(ready.read_text(encoding="utf-8"))
    return told
