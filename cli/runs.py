"""Start deployed flows through the Prefect server and wait for them, the way an ops user or an event does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx


class RunFailed(RuntimeError):
    """A flow run did not complete; the message says which, in which state and why."""


class Runs:
    """Flow runs of one Prefect server, over its HTTP API."""

    def __init__(self, api_url: str) -> None:
        self._client = httpx.Client(base_url=api_url, timeout=30, trust_env=False)

    def pause_schedules(self) -> None:
        """Hold every schedule, so that a demonstration decides itself when things run."""
        for deployment in self._post("/deployments/filter", {}):
            self._client.patch(f"/deployments/{deployment['id']}", json={"paused": True}).raise_for_status()

    def start(self, deployment: str, **parameters: Any) -> str:
        """Create a run of `flow/deployment`; returns its id."""
        found = self._client.get(f"/deployments/name/{deployment}").raise_for_status().json()
        created = self._post(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(UUID(created["id"]))

    def wait(self, run_id: str, within_s: float = 120.0) -> dict[str, Any]:
        """Wait for a run to end. Raises `RunFailed` unless it completed."""
        run = _poll(lambda: self._ended(run_id), within_s, f"flow run {run_id}")
        if run["state"]["type"] != "COMPLETED":
            raise RunFailed(
                f"{run['name']} ended as {run['state']['name']}: {run['state'].get('message') or 'no message'}"
            )
        return run

    def wait_for_next(self, flow: str, after: str, within_s: float = 120.0) -> dict[str, Any]:
        """Wait until a run of `flow` created after the instant `after` (ISO) has ended. Raises `RunFailed`."""
        first = _poll(lambda: self._first(flow, after), within_s, f"a run of {flow}")
        return self.wait(first["id"], within_s)

    def count(self, flow: str) -> int:
        """How many runs of `flow` there are."""
        return int(self._post("/flow_runs/count", {"flows": {"name": {"any_": [flow]}}}))

    def _ended(self, run_id: str) -> dict[str, Any] | None:
        run: dict[str, Any] = self._client.get(f"/flow_runs/{run_id}").raise_for_status().json()
        return run if run["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

    def _first(self, flow: str, after: str) -> dict[str, Any] | None:
        wanted = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"expected_start_time": {"after_": after}},
            "sort": "START_TIME_ASC",
            "limit": 1,
        }
        runs = self._post("/flow_runs/filter", wanted)
        return runs[0] if runs else None

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()


def _poll(ask: Callable[[], dict[str, Any] | None], within_s: float, what: str) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.3)
    raise RunFailed(f"{what} did not end within {within_s:.0f} s")
