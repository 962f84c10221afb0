"""How fast matching is, and how well it does on a made-up market: `make bench-match`, SIZES="10000 100000" for less.

For each size in one run: building the index, leads in bulk (a tenth as many as accounts, 100,000 at most), one lead
against a warm index, and beside it three other ways on the same accounts and leads: the rule most companies use (same
domain, else same name), rapidfuzz on blocked candidates, and Splink without labels. The market is made up
(`benchmarks/companies.py`): good for speed and for comparing, no measure of anybody's real data.

Steward and Splink are each measured in a process of its own. Steward reads the accounts from a file one by one:
`built_mb` and `rss_mb` are the most memory that whole process ever had, once the index was built, and when the leads
were matched as well. What Splink takes is counted from normalised records on, its memory is that of the whole process.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from benchmarks.companies import Market, make_market, read_accounts, read_leads, write_market
from benchmarks.splink_table import splink_table
from ownership.matching.company import Company
from ownership.matching.index import Index
from ownership.matching.matcher import Match, Matcher, Outcome
from ownership.matching.normal import normalise
from tasks.match_files import match_many, shipped_model

SINGLE = 2_000


def main(sizes: Sequence[int]) -> None:
    figures: dict[str, Any] = {str(size): measure(size) for size in sizes}
    first, last = str(sizes[0]), str(sizes[-1])
    if len(sizes) > 1:
        figures["growth"] = {
            name: round(figures[last]["steward"][name] / figures[first]["steward"][name], 2)
            for name in ("single_p50_ms", "build_cpu_s")
        }
    print(json.dumps(figures))


def measure(size: int) -> dict[str, Any]:
    market = make_market(size, min(100_000, max(3_000, size // 10)))
    found = {}
    print(f"{size:,} accounts, {len(market.leads):,} leads")
    with tempfile.TemporaryDirectory() as written:
        folder = Path(written)
        write_market(market, folder)
        methods: dict[str, Callable[[], dict[str, Any]]] = {
            "steward": partial(alone, steward, folder),
            "domain, else name": partial(domain_else_name, market),
            "rapidfuzz, blocked": partial(rapidfuzz_blocked, market),
            "splink": partial(alone, splink, folder),
        }
        for name, method in methods.items():
            found[name] = method()
            print(f"  {name:<19} " + "  ".join(f"{key} {value:g}" for key, value in found[name].items()), flush=True)
    return found


def alone(method: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    """The figures of a method, measured in a process that holds nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(method, folder).result()


def steward(folder: Path) -> dict[str, Any]:
    start = time.process_time()
    index = Index(map(normalise, read_accounts(folder)))
    built, built_mb = time.process_time() - start, _most_mb()
    matcher, market = Matcher(index, shipped_model()), read_leads(folder)
    cpu, wall = _cpu(), time.perf_counter()
    matches = list(match_many(matcher, market.leads))
    figures = {
        "build_cpu_s": built,
        "bulk_wall_s": time.perf_counter() - wall,
        "bulk_cpu_s": _cpu() - cpu,
        **_single(matcher, market.leads[:SINGLE]),
        **quality(market, {match.lead_id: (match.account_id, match.score) for match in matches}),
        **bands(market, matches),
        "candidate_recall": candidate_recall(index, market),
        "built_mb": built_mb,
        "rss_mb": _most_mb(),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def candidate_recall(index: Index, market: Market) -> float:
    """Of the leads that have an account, for how many it is among the candidates."""
    leads = [lead for lead in market.leads[: 5 * SINGLE] if market.gold[lead.id] is not None]
    found = sum(any(_is_right(market, lead.id, c.id) for c in index.candidates(normalise(lead))) for lead in leads)
    return found / max(1, len(leads))


def _single(matcher: Matcher, leads: Sequence[Company]) -> dict[str, float]:
    for lead in leads[:100]:
        matcher.match(normalise(lead))
    walls, cpus = [], []
    for lead in leads:
        wall, cpu = time.perf_counter(), time.thread_time()
        matcher.match(normalise(lead))
        cpus.append((time.thread_time() - cpu) * 1000)
        walls.append((time.perf_counter() - wall) * 1000)
    figures = {}
    for kind, times in (("ms", sorted(walls)), ("cpu_ms", sorted(cpus))):
        figures |= {f"single_p{share}_{kind}": times[len(times) * share // 100] for share in (50, 95, 99)}
    return figures


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _cpu() -> float:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime


def bands(market: Market, matches: Sequence[Match]) -> dict[str, float]:
    """What is matched without a person, how much of it rightly, and how much goes to a person."""
    matched = [match for match in matches if match.outcome is Outcome.MATCH]
    right = sum(_is_right(market, match.lead_id, match.account_id) for match in matched)
    wanted = sum(company is not None for company in market.gold.values())
    free = [match for match in matches if match.lead_id in market.free_mail and market.gold[match.lead_id] is not None]
    found = sum(_is_right(market, match.lead_id, match.account_id) for match in free)
    return {
        "auto_precision": right / max(1, len(matched)),
        "auto_recall": right / max(1, wanted),
        "review_share": sum(match.outcome is Outcome.REVIEW for match in matches) / len(matches),
        "free_mail_recall": found / max(1, len(free)),
    }


def quality(market: Market, found: dict[str, tuple[str | None, float]]) -> dict[str, float]:
    """The best F1 over all thresholds."""
    wanted = sum(company is not None for company in market.gold.values())
    scored = sorted(
        ((score, _is_right(market, lead, account)) for lead, (account, score) in found.items() if account), reverse=True
    )
    best, right = 0.0, 0
    for taken, (_, is_right) in enumerate(scored, 1):
        right += is_right
        best = max(best, 2 * right / (taken + wanted))
    return {"f1": best}


def _is_right(market: Market, lead: str, account: str | None) -> bool:
    return account is not None and market.gold[lead] == market.company_of[account]


def domain_else_name(market: Market) -> dict[str, Any]:
    cpu = _cpu()
    by_domain: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for account in map(normalise, market.accounts):
        by_name.setdefault(account.slug, account.id)
        for domain in account.domains:
            by_domain.setdefault(domain, account.id)
    found: dict[str, tuple[str | None, float]] = {}
    for lead in map(normalise, market.leads):
        account_id = next((by_domain[domain] for domain in lead.domains if domain in by_domain), None)
        found[lead.id] = (account_id or (by_name.get(lead.slug) if lead.slug else None), 1.0)
    return {"cpu_s": round(_cpu() - cpu, 2), **_rounded(quality(market, found))}


def rapidfuzz_blocked(market: Market) -> dict[str, Any]:
    index = Index(map(normalise, market.accounts))
    cpu = _cpu()
    found: dict[str, tuple[str | None, float]] = {}
    for lead in map(normalise, market.leads):
        name, best = " ".join(lead.words), (0.0, "")
        for candidate in index.candidates(lead):
            account = index.get(candidate.id)
            likeness = fuzz.token_sort_ratio(name, " ".join(account.words)) / 100
            likeness += 0.5 * (not set(lead.domains).isdisjoint(account.domains))
            best = max(best, (likeness, candidate.id))
        found[lead.id] = (best[1] or None, best[0])
    return {"cpu_s": round(_cpu() - cpu, 2), **_rounded(quality(market, found))}


def splink(folder: Path) -> dict[str, Any]:
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    market, api = read_leads(folder), DuckDBAPI()
    frames = [api.register(splink_table(companies)) for companies in (read_accounts(folder), market.leads)]
    cpu, wall = _cpu(), time.perf_counter()
    rules = [block_on(column) for column in ("slug", "domain", "phone", "postcode")]
    rules += [block_on("first", "country"), block_on("prefix", "country"), block_on("prefix", "city")]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8]),
            *(cl.ExactMatch(column) for column in ("domain", "phone", "city", "postcode", "country")),
        ],
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(frames, settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in (block_on("slug"), block_on("domain")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    best = linker.inference.predict(threshold_match_probability=0.01).query_sql(BEST_OF_LEAD)
    found = {row["lead"]: (row["account"], row["score"]) for row in best.as_pyarrow_table().to_pylist()}
    figures = {"cpu_s": _cpu() - cpu, "wall_s": time.perf_counter() - wall, **quality(market, found)}
    return _rounded({**figures, "rss_mb": _most_mb()})


BEST_OF_LEAD = """
SELECT greatest(unique_id_l, unique_id_r) AS lead, max(match_probability) AS score,
       arg_max(least(unique_id_l, unique_id_r), match_probability) AS account
FROM {this} GROUP BY lead
"""
"""Accounts are called a…, leads l…."""


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
