"""An identity provider on loopback, and a browser's way to it and back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from starlette.testclient import TestClient

from emulators.identity import Client, IdentityProvider, Person

SECRET = "client-secret-of-steward"
DANA, RACHEL = "Dana.Whitfield@northwind-data.example", "rachel.stein@northwind-data.example"
OPS, STRANGER, CHIEF = "carla@northwind-data.example", "guest@elsewhere.example", "chief@northwind-data.example"
PEOPLE = (
    Person(DANA, "Dana Whitfield"),
    Person(RACHEL, "Rachel Stein", ("steward-ops-readers",)),
    Person(OPS, "Carla Ops", ("everyone", "steward-ops")),
    Person(CHIEF, "The Chief", ("steward-managers",)),
    Person(STRANGER, "A guest", ("everyone",)),
)


@contextmanager
def provider_for(callback: str) -> Iterator[IdentityProvider]:
    """A provider that knows us, and answers at `callback` alone."""
    provider = IdentityProvider("", Client("steward", SECRET, (callback,)), PEOPLE)
    server = uvicorn.Server(uvicorn.Config(provider.app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the provider did not start"
        time.sleep(0.005)
    provider.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    thread.join()


def go_to_provider(client: TestClient, on_to: str = "/") -> str:
    """Follow the link of the login page; the provider's address the browser is sent to."""
    answer = client.get(f"/login/start?next={on_to}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def log_in_there(address: str, email: str) -> str:
    """Say there who one is; the path and query of ours the browser is sent back to."""
    answer = httpx.post(address, data={"email": email}, trust_env=False)
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.path == "/login/callback"
    return f"{back.path}?{back.query}"


def asked_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
