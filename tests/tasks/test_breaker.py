"""A system that failed is left alone for a while; one that somebody paused is so until they say otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import RetryLater
from tasks.breaker import after_failure, is_paused, note_answer, note_failure, pause, resume, state_of
from tasks.rehearsal import Rehearsal, rehearse

BUSY = RetryLater("salesforce", "is busy")


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    founded = rehearse(tmp_path, database_url=store_url)
    yield founded
    founded.context.store.close()


def test_a_pause_stands_though_the_system_failed_in_a_run_that_had_not_seen_it(company: Rehearsal) -> None:
    context = company.context
    seen = state_of(context, "salesforce")
    pause(context, "salesforce", "the org is migrated")
    context.store.run(lambda uow: uow.targets.put_failures(after_failure(seen, BUSY, context.now())))
    state = state_of(context, "salesforce")
    assert (state.paused_because, state.failures) == ("the org is migrated", 1)


def test_neither_an_answer_nor_a_failure_ends_a_pause_and_resuming_forgets_both(company: Rehearsal) -> None:
    context = company.context
    note_failure(context, "salesforce", BUSY)
    pause(context, "salesforce", "the org is migrated")
    assert state_of(context, "salesforce").failures == 1
    note_answer(context, "salesforce")
    assert (state_of(context, "salesforce").failures, is_paused(context, "salesforce")) == (0, True)
    note_failure(context, "salesforce", BUSY)
    resume(context, "salesforce")
    assert (state_of(context, "salesforce").failures, is_paused(context, "salesforce")) == (0, False)
