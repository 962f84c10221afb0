"""How a step becomes a Prefect task, and which of its failures Prefect may try again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import RetryLater
from store.errors import StoreBusy

P = ParamSpec("P")
R = TypeVar("R")

# Connectors have already repeated what may be repeated within seconds; these waits are for an outage of minutes.
RETRY_DELAYS_S = [15.0, 60.0, 240.0]


def is_worth_retrying(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """True for what passes by itself: a busy vendor, a busy database. All else needs a person or a new decision."""
    try:
        state.result()
    except (RetryLater, StoreBusy):
        return True
    except Exception:
        return False
    return False


def as_task(step: Callable[P, R], tag: str, run_name: str | None = None) -> Task[P, R]:
    """The step as a task of that tag. Never cached: what a step does, it does to the outside or to the store."""
    return Task(
        step,
        name=step.__name__.replace("_", "-"),
        task_run_name=run_name,
        tags=[tag],
        cache_policy=NO_CACHE,
        retries=len(RETRY_DELAYS_S),
        retry_delay_seconds=RETRY_DELAYS_S,
        retry_condition_fn=is_worth_retrying,
    )
