"""Start deployed flows through the Prefect server and wait for them, the way an ops user or an event does."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

from cli.processes import RunFailed

T = TypeVar("T")

POLL_S = 0.3
# A run takes seconds, on a slow machine minutes: this ends what hangs, not what is slow.
RUN_LIMIT_S = 600.0


class Runs(ExitStack):
    """Flow runs of one Prefect server. Use as a context manager.

    Prefect's own client, because it repeats what a busy server refuses: on SQLite, a 503 for every locked database.
    """

    def __init__(self, api_url: str) -> None:
        super().__init__()
        self._client = self.enter_context(SyncPrefectClient(api_url))

    def pause_schedules(self) -> None:
        """Hold every schedule, so that a demonstration decides itself when things run."""
        for deployment in self._client.read_deployments():
            self._client.pause_deployment(deployment.id)

    def resume_schedule(self, deployment: str) -> None:
        """Let the schedule of `flow/deployment` start runs again."""
        self._client.resume_deployment(self._client.read_deployment_by_name(deployment).id)

    def start(self, deployment: str, **parameters: Any) -> UUID:
        """Create a run of `flow/deployment`; returns its id."""
        found = self._client.read_deployment_by_name(deployment)
        # The key makes a repeated request give the same run.
        run = self._client.create_flow_run_from_deployment(
            found.id, parameters=parameters, idempotency_key=str(uuid4())
        )
        return run.id

    def wait(self, run_id: UUID) -> FlowRun:
        """Wait for a run to end. Raises `RunFailed` unless it completed."""
        run = self._poll(lambda: self._ended(run_id), f"flow run {run_id}")
        if run.state is None or not run.state.is_completed():
            said = (run.state.message if run.state else None) or "no message"
            raise RunFailed(f"{run.name} ended as {run.state_name}: {said}")
        return run

    def wait_for_next(self, flow: str, after: datetime) -> FlowRun:
        """Wait until the first run of `flow` that something other than a schedule started after `after` has ended.

        Raises `RunFailed`.
        """
        first = self._poll(lambda: self._started_after(flow, after), f"a run of {flow}")
        return self.wait(first.id)

    def _ended(self, run_id: UUID) -> FlowRun | None:
        run = self._client.read_flow_run(run_id)
        return run if run.state is not None and run.state.is_final() else None

    def _started_after(self, flow: str, after: datetime) -> FlowRun | None:
        runs = self._client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
            flow_run_filter=FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(after_=after)),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        )
        # Schedules make their runs long before they are due.
        return next((run for run in runs if not run.auto_scheduled), None)

    def _poll(self, ask: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + RUN_LIMIT_S
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(POLL_S)
        raise RunFailed(f"{what} did not end within {RUN_LIMIT_S:.0f} s; under way: {self._under_way()}")

    def _under_way(self) -> str:
        """What the server has begun and not ended: a run that waits is often waiting for one of these."""
        begun = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING]))
        runs = self._client.read_flow_runs(flow_run_filter=FlowRunFilter(state=begun))
        waiting = FlowRunFilterState(name=FlowRunFilterStateName(any_=["AwaitingConcurrencySlot"]))
        runs += self._client.read_flow_runs(flow_run_filter=FlowRunFilter(state=waiting))
        return ", ".join(f"{run.name} ({run.state_name})" for run in runs) or "nothing"
