"""Finding duplicates in a file: one row out for each row in, precise first, the rest for a person."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.main import main
from ownership.matching.blocks import CROWD, pairs_to_compare
from ownership.matching.company import Company
from ownership.matching.filed import Filed
from ownership.matching.normal import normalise
from ownership.matching.pairs import scored_pairs
from tasks.dedupe_files import FLOOR, pair_model

HEADER = "id,name,domain,city,postcode,country,phone,lei,customer,owner\n"
ACME = [
    "a1,Nordwind Hydraulik GmbH,nordwind-hydraulik.de,Kiel,24103,Germany,+49 431 5550147,,,ann",
    "a2,Nordwind Hydraulik,nordwind-hydraulik.de,Kiel,24103,Germany,0431 5550147,,yes,bob",
    "a3,Ostsee Werften AG,ostsee-werften.de,Rostock,18055,Germany,+49 381 5550199,,,",
]
MODEL = pair_model()


def steward(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def dedupe(folder: Path, rows: list[str], *more: object) -> list[dict[str, str]]:
    accounts, out = folder / "accounts.csv", folder / "out.csv"
    accounts.write_text(HEADER + "\n".join(rows) + "\n")
    result = steward("dedupe", "--accounts", accounts, "--out", out, *more)
    assert result.exit_code == 0, result.output
    return read(out)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def cluster_ids(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["id"]: row["cluster_id"] for row in rows}


def test_each_row_gets_the_record_that_is_kept_of_its_company(tmp_path: Path) -> None:
    rows = dedupe(tmp_path, ACME)
    assert [row["id"] for row in rows] == ["a1", "a2", "a3"]
    assert cluster_ids(rows) == {"a1": "a2", "a2": "a2", "a3": "a3"}
    assert rows[2] == {
        "id": "a3",
        "cluster_id": "a3",
        "score": "1.0000",
        "evidence": "no other record is the same company",
    }
    assert rows[0]["evidence"].startswith("as a2: the same web domain nordwind-hydraulik.de, the same name")
    assert rows[1]["evidence"].startswith("kept of 2: it is a customer; its records have different owners")


def test_different_identifiers_keep_records_apart_and_show_in_the_review(tmp_path: Path) -> None:
    rows = [ACME[0].replace(",,,ann", ",L1,,ann"), ACME[1].replace(",,yes", ",L2,yes"), ACME[2]]
    found = dedupe(tmp_path, rows, "--review", tmp_path / "review.csv")
    assert cluster_ids(found) == {"a1": "a1", "a2": "a2", "a3": "a3"}


def test_what_people_said_wins(tmp_path: Path) -> None:
    verdicts = tmp_path / "said.csv"
    verdicts.write_text("id,other_id,verdict\na1,a2,split\na1,a3,same\n")
    found = dedupe(tmp_path, ACME, "--verdicts", verdicts)
    assert cluster_ids(found) == {"a1": "a1", "a2": "a2", "a3": "a1"}
    assert found[2]["evidence"] == "as a1: a person said so"


def test_a_verdict_on_an_unknown_record_names_the_line(tmp_path: Path) -> None:
    accounts, verdicts = tmp_path / "accounts.csv", tmp_path / "said.csv"
    accounts.write_text(HEADER + "\n".join(ACME) + "\n")
    verdicts.write_text("id,other_id,verdict\na1,a9,same\n")
    result = steward("dedupe", "--accounts", accounts, "--verdicts", verdicts)
    assert result.exit_code == 2
    assert f"steward: {verdicts}: line 2 names a9, no readable record. Correct the id" in result.output


def test_rows_that_cannot_be_read_come_back_alone_with_the_reason(tmp_path: Path) -> None:
    found = dedupe(tmp_path, [*ACME, ACME[0], ",No Id,,,,,,,,"])
    assert len(found) == 5
    assert "not compared: id a1 is that of an earlier row" in found[3]["evidence"]
    assert found[4]["evidence"].startswith("not compared: id is empty")


def test_the_accounts_are_never_overwritten(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(HEADER + "\n".join(ACME) + "\n")
    result = steward("dedupe", "--accounts", accounts, "--review", accounts)
    assert result.exit_code == 2
    assert "would be lost" in result.output


def test_clusters_are_measured_by_pairs_against_known_answers(tmp_path: Path) -> None:
    accounts, gold, figures = (tmp_path / name for name in ("accounts.csv", "gold.csv", "figures.json"))
    accounts.write_text(HEADER + "\n".join([*ACME, "a4,Quite Another Name,,,,,,,,"]) + "\n")
    gold.write_text("id,true_id\na1,x\na2,x\na3,y\na4,y\n")
    result = steward("dedupe", "evaluate", "--accounts", accounts, "--gold", gold, "--json", figures)
    assert result.exit_code == 0, result.output
    told = {line[:22].strip(): line[22:].strip() for line in result.output.splitlines()}
    assert (told["pair precision"], told["pair recall"], told["largest cluster"]) == ("1.0000", "0.5000", "2")
    assert '"recall": 0.5' in figures.read_text()


def test_a_shared_placeholder_neither_joins_records_nor_makes_work() -> None:
    records = [Company(f"a{n:03}", f"{chr(97 + n % 26) * 5}{n} works", ("junk.example",)) for n in range(200)]
    filed = Filed(map(normalise, records))
    ones, _ = pairs_to_compare(filed, filed.word_weight)
    assert len(ones) < 200 * CROWD
    assert max((score for *_, score in scored_pairs(filed, MODEL, FLOOR)), default=0.0) < 0.5


NAMES = st.sampled_from(["Nordwind Hydraulik", "Nordwind Hydraulic", "Ostsee Werften", "OW", "", "Fund II", "Fund III"])
COMPANIES = st.lists(
    st.builds(
        lambda name, site, city: Company("", name, (site,) if site else (), city=city),
        NAMES,
        st.sampled_from(["", "nordwind.de", "werften.com"]),
        st.sampled_from([None, "Kiel", "Rostock"]),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(COMPANIES, st.randoms(use_true_random=False))
def test_how_alike_two_records_are_depends_on_neither_their_order_nor_their_ids(
    companies: list[Company], random: object
) -> None:
    def scores(order: list[int], prefix: str) -> dict[frozenset[int], float]:
        said = {f"{prefix}{order[n]:03}": n for n in range(len(companies))}
        records = [Company(id_, **_but_id(companies[n])) for id_, n in sorted(said.items())]
        filed = Filed(map(normalise, records))
        found = scored_pairs(filed, MODEL, 0.0)
        return {frozenset((said[filed.ids[a]], said[filed.ids[b]])): round(score, 9) for a, b, score in found}

    order = list(range(len(companies)))
    first = scores(order, "a")
    random.shuffle(order)  # type: ignore[attr-defined]
    assert scores(order, "b") == first


def _but_id(company: Company) -> dict[str, object]:
    return {"name": company.name, "websites": company.websites, "city": company.city}
