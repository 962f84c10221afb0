"""How well duplicates are found in a file, and at what cost: `make bench-dedupe`, with DATA=folder of public data.

Three parts in one run, each method in a process of its own:
- a made-up market with planted junk (web domains and a phone number that thousands share), a million accounts unless
  SIZE says otherwise: good for cost and for comparing, no measure of anybody's real data;
- with DATA, charities and schools in Chicago from several lists, known by hand. The shipped score was learnt on the
  public half of them; what it does on companies it never saw is printed by `make dedupe-model`;
- with DATA, the roll-up of the LEI register: for how many subsidiaries its direct parents lead to the ultimate parent
  it names, and how many ultimate parents come out right when each fifth of them is kept back.

Beside Steward: records with one domain, phone or name and country taken for one company, and Splink's clusters.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.gold_sets import part, rows_of
from benchmarks.record_files import File, file_of, made_up
from benchmarks.splink_table import PLACES, splink_table
from ownership.matching.company import Company
from ownership.matching.hierarchy import Hierarchy, ParentEdge, build_hierarchy
from tasks.company_rows import CompanyFile
from tasks.dedupe_files import dedupe_file, pair_model

DIRECT, ULTIMATE = "IS_DIRECTLY_CONSOLIDATED_BY", "IS_ULTIMATELY_CONSOLIDATED_BY"

Groups = Iterable[Sequence[str]]
Load = Callable[[Any], File]


def chicago(folder: str) -> File:
    return file_of("C", Path(folder))


def measure(method: str, load: Load, argument: Any) -> dict[str, Any]:
    """Pair precision and recall of one method, the largest cluster, CPU seconds and what memory grew by."""
    file = load(argument)
    before, started = _peak_mb(), time.process_time()
    groups, more = METHODS[method](file.records)
    taken = time.process_time() - started
    found = {**rates(groups, file.entity), "cpu_s": round(taken, 1), "grew_mb": round(_peak_mb() - before), **more}
    return {"records": len(file.records), **found}


def rates(groups: Groups, company_of: Mapping[str, str]) -> dict[str, Any]:
    """Over pairs of records, counted by company: a group of n has n·(n-1)/2 of them."""
    taken = right = largest = 0
    for members in groups:
        counts: dict[str, int] = defaultdict(int)
        for id_ in members:
            counts[company_of[id_]] += 1
        taken += _pairs(len(members))
        right += sum(map(_pairs, counts.values()))
        largest = max(largest, len(members))
    sizes: dict[str, int] = defaultdict(int)
    for company in company_of.values():
        sizes[company] += 1
    precision, recall = right / max(1, taken), right / max(1, sum(map(_pairs, sizes.values())))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {"p": round(precision, 4), "r": round(recall, 4), "f1": round(f1, 4), "largest": largest}


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def steward(records: Sequence[Company]) -> tuple[Groups, dict[str, Any]]:
    file = CompanyFile(tuple(records), tuple(each.id for each in records), {}, (), {})
    deduped = dedupe_file(file, pair_model())
    told = [doubt for doubt in deduped.found.doubts if doubt.kind == "too_large"]
    return (each.members for each in deduped.found.clusters), {
        "review_pairs": len(deduped.review),
        "too_large_told": len(told),
    }


def shared_key(records: Sequence[Company]) -> tuple[Groups, dict[str, Any]]:
    """One company as soon as a domain, a phone number, or name and country are the same."""
    above: dict[str, str] = {}

    def top(at: str) -> str:
        while above.setdefault(at, at) != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    for each in records:
        websites = (
            site.removeprefix("https://").removeprefix("http://").removeprefix("www.") for site in each.websites
        )
        keys = [f"domain {site.casefold().rstrip('/')}" for site in websites if site]
        keys += [f"phone {each.phone}"] if each.phone else []
        keys += [f"name {each.name.strip().casefold()} {each.country or ''}"] if each.name else []
        for key in keys:
            above[top(key)] = top(f"record {each.id}")
    members: dict[str, list[str]] = defaultdict(list)
    for each in records:
        members[top(f"record {each.id}")].append(each.id)
    return members.values(), {}


def splink(records: Sequence[Company]) -> tuple[Groups, dict[str, Any]]:
    """Splink 5 without labels, its connected components from a match probability of 0.95 on."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    api, table = DuckDBAPI(), splink_table(records)
    filled = [name for name in ("domain", *PLACES) if table[name].null_count < len(table)]
    rules = [block_on(name) for name in ("slug", *filled) if name not in ("city", "country")]
    rules += [block_on(name, place) for name in ("first", "prefix") for place in ("country", "city") if place in filled]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8]), *map(cl.ExactMatch, filled)],
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker([api.register(table)], settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in (block_on("slug"), block_on("phone")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.5)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    members: dict[str, list[str]] = defaultdict(list)
    for row in found.as_pyarrow_table().to_pylist():
        members[row["cluster_id"]].append(row["unique_id"])
    return members.values(), {}


METHODS: Mapping[str, Callable[[Sequence[Company]], tuple[Groups, dict[str, Any]]]] = {
    "steward": steward,
    "shared key": shared_key,
    "splink": splink,
}


def roll_up(folder: str) -> dict[str, float]:
    """Shares of subsidiaries whose ultimate parent comes out as the register names it."""
    rows = rows_of(Path(folder), "gleif_rr_edges")
    wanted = {row["child"]: row["parent"] for row in rows if row["rel"] == ULTIMATE}
    direct = [ParentEdge(row["child"], row["parent"], "registry") for row in rows if row["rel"] == DIRECT]
    tops = [ParentEdge(child, parent, "registry", ultimate=True) for child, parent in wanted.items()]
    walked = build_hierarchy(direct)
    ends = set(wanted.values())
    whole = {child: top for child, top in wanted.items() if walked.ultimate_of(child) in ends}
    kept_back = 0
    for fold in range(5):
        hidden = {child for child in wanted if part("fold" + child, 5) == fold}
        tree = build_hierarchy([*direct, *(edge for edge in tops if edge.child not in hidden)])
        kept_back += sum(tree.ultimate_of(child) == wanted[child] for child in hidden)
    everything = build_hierarchy([*direct, *tops])
    return {
        "subsidiaries": len(wanted),
        "by_direct_parents": _share_right(walked, wanted),
        "by_direct_parents_where_all_are_in_the_file": _share_right(walked, whole),
        "subsidiaries_where_all_are_in_the_file": len(whole),
        "ultimate_parent_kept_back": round(kept_back / len(wanted), 4),
        "by_all_edges": _share_right(everything, wanted),
        "problems_told": len(everything.problems),
    }


def _share_right(tree: Hierarchy, wanted: Mapping[str, str]) -> float:
    return round(sum(tree.ultimate_of(child) == top for child, top in wanted.items()) / max(1, len(wanted)), 4)


def main(size: int, folder: str | None) -> None:
    figures: dict[str, Any] = {"bench": "dedupe", "made_up": _all_methods(made_up, size)}
    if folder:
        figures |= {"chicago": _all_methods(chicago, folder), "roll_up": roll_up(folder)}
        print(f"roll-up  {figures['roll_up']}", flush=True)
    print(json.dumps(figures))


def _all_methods(load: Load, argument: Any) -> dict[str, Any]:
    found = {}
    for method in METHODS:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            found[method] = process.submit(measure, method, load, argument).result()
        print(
            f"{load.__name__:<8} {method:<11} " + "  ".join(f"{k} {v:g}" for k, v in found[method].items()), flush=True
        )
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
