"""The lineage of one record as one page: the chain of `steward lineage`, with what each of its ids stands for.

The page needs nothing but itself: it can be mailed, attached to a ticket, or kept as evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from prefect.utilities.urls import url_for

from ownership.explain import REASON_WORDS, RULE_WORDS
from store.runs import Run
from tasks.context import RunContext
from tasks.lineage import Trace, trace_records, who


@dataclass(frozen=True, slots=True)
class RunLink:
    """A run, and its address in the Prefect UI; None where no UI is known or the run was not Prefect's."""

    run: Run
    url: str | None


def lineage_page(context: RunContext, query: str, live: bool = False) -> str:
    """The page of every record that `query` finds, as HTML. Raises as `trace_records` does."""
    traces = trace_records(context, query, live)
    return (
        _environment(context)
        .get_template("lineage.html")
        .render(
            query=query,
            traces=traces,
            policies=_policies(context, traces),
            runs=[_links((trace.runs or {}).values()) for trace in traces],
            reasons=REASON_WORDS,
            rules=RULE_WORDS,
            written_at=context.now().astimezone(UTC),
        )
    )


def _environment(context: RunContext) -> Environment:
    environment = Environment(
        loader=PackageLoader("cli"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    name = context.policy.roster.name
    environment.filters["who"] = lambda owner: who(name, owner)
    environment.filters["at"] = _at
    environment.filters["pretty"] = _pretty
    return environment


def _policies(context: RunContext, traces: Sequence[Trace]) -> dict[str, str | None]:
    """The text of each policy that decided, by its hash; None where it is not kept."""
    hashes = {trace.decision.decision.policy_hash for trace in traces if trace.decision}
    with context.store.transaction(readonly=True) as uow:
        return {each: uow.policies.get(each) for each in sorted(hashes)}


def _links(runs: Iterable[Run]) -> list[RunLink]:
    return [RunLink(run, url_for("flow-run", run.flow_run_id) if run.flow_run_id else None) for run in runs]


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _pretty(said: str | Mapping[str, Any]) -> str:
    return json.dumps(json.loads(said) if isinstance(said, str) else said, indent=2, sort_keys=True, ensure_ascii=False)
