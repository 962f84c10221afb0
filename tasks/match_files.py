"""Match a file of leads with a file of accounts, without server or database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import chain
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ownership.matching.company import Company
from ownership.matching.index import Index
from ownership.matching.matcher import Match, Matcher, Outcome, preference_of
from ownership.matching.model import Model, read_calibration, read_model
from ownership.matching.normal import normalise
from tasks.account_files import UnreadableFile
from tasks.company_rows import CompanyFile

if TYPE_CHECKING:  # polars takes a third of a second to import
    import polars as pl

OUTPUT = ("lead_id", "account_id", "score", "outcome", "evidence")
CHUNK = 1_000
WORTH_TWO = 5_000
"""Fewer leads than these are matched before a second process has started."""


def shipped_model(calibration: Path | None = None) -> Model:
    """The model of this release; with a calibration of one's own where a file is given. Raises `UnreadableFile`."""
    model = _as_shipped()
    if calibration is None:
        return model
    try:
        tables = read_calibration(json.loads(calibration.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        mend = "Make it with: steward match evaluate --recalibrate"
        raise UnreadableFile(calibration, f"is no calibration ({problem})", mend) from None
    return replace(model, calibration=tables)


@cache
def _as_shipped() -> Model:
    """Read once: a model is never changed."""
    return read_model((files("ownership.matching") / "model.json").read_text(encoding="utf-8"))


def matcher_of(accounts: Sequence[Company], model: Model) -> Matcher:
    """A matcher for these accounts."""
    preferences = {each.id: preference_of(each) for each in accounts}
    return Matcher(Index(map(normalise, accounts)), model, preferences=preferences)


def match_files(accounts: CompanyFile, leads: CompanyFile, model: Model, processes: int = 2) -> list[Match]:
    """One match for each row of the leads, in their order; a row that cannot be read matches nothing and says why."""
    matcher = matcher_of(tuple(accounts.readable()), model)
    readable = list(leads.readable())
    matched = iter(match_many(matcher, readable, processes))
    found = []
    for number, company in enumerate(leads.companies):
        if company is None:
            found.append(Match(leads.ids[number], Outcome.NONE, because=leads.problems[number]))
        else:
            found.append(next(matched))
    return found


def match_many(matcher: Matcher, leads: Sequence[Company], processes: int = 2) -> Iterator[Match]:
    """Match many leads, in their order; in several processes, which share the index, where the system can fork."""
    chunks = [leads[at : at + CHUNK] for at in range(0, len(leads), CHUNK)]
    if processes < 2 or len(leads) < WORTH_TWO or "fork" not in get_all_start_methods():
        return chain.from_iterable(_match(matcher, chunk) for chunk in chunks)
    return chain.from_iterable(_in_processes(matcher, chunks, processes))


def _in_processes(matcher: Matcher, chunks: Sequence[Sequence[Company]], processes: int) -> Iterator[list[Match]]:
    global _shared
    _shared = matcher
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        yield from pool.map(_match_shared, chunks)
    _shared = None


_shared: Matcher | None = None


def _match_shared(leads: Sequence[Company]) -> list[Match]:
    if _shared is None:
        raise RuntimeError("the process was not forked from the one that holds the index")
    return _match(_shared, leads)


def _match(matcher: Matcher, leads: Sequence[Company]) -> list[Match]:
    return matcher.match_all([normalise(lead) for lead in leads])


def evidence_of(match: Match) -> str:
    """The evidence in one line: the rule that decided, what speaks for and against, and the runner-up."""
    said = [match.because, *match.evidence]
    if match.runner_up:
        said.append(f"next {match.runner_up.account_id}: {match.lost_by}")
    return "; ".join(said)


def to_table(matches: Sequence[Match]) -> pl.DataFrame:
    """The matches as the columns `OUTPUT`, all text."""
    import polars as pl

    columns = {
        "lead_id": [match.lead_id for match in matches],
        "account_id": [match.account_id or "" for match in matches],
        "score": [f"{match.score:.4f}" for match in matches],
        "outcome": [match.outcome.value for match in matches],
        "evidence": [evidence_of(match) for match in matches],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(OUTPUT, pl.String))


def summary_lines(matches: Sequence[Match]) -> Iterator[str]:
    """How many of each outcome."""
    for outcome in Outcome:
        count = sum(match.outcome is outcome for match in matches)
        yield f"{outcome.value:<7} {count:>9,}  {count / max(1, len(matches)):.1%}"
