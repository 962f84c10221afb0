"""How long one waits for "Who owns this?": `make bench-lookup`, ACCOUNTS=100000 for less, DATABASE=postgresql for that.

A database is filled with made-up accounts, every fifth with an owner and a decision: those are asked about. Then
the real application, a process of its own, is asked over loopback by somebody who is logged in: whole pages, as a
browser gets them, for names as they are typed (each beginning of them), words in another order, parts of names, web
domains, outside ids, and what there is not. Beside it, in the same run, the plain search of names by LIKE over the same
accounts, and what the index costs when accounts are saved. The last line is the figures as JSON.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from statistics import quantiles
from tempfile import TemporaryDirectory
from unittest.mock import patch
from urllib.parse import quote, urlencode

from sqlalchemy import create_engine, text

from benchmarks.companies import Words, words_of
from benchmarks.web_app import web_app
from ownership.model import Account, Decision, Outcome, Ref
from store.engine import Store, open_store
from store.recording import Recording
from store.search import Search

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
REPS = ("dana-whitfield", "tom-brannigan", "priya-raman", "marcus-oyelaran")
AT_ONCE = 10_000
OWNED = 5  # one in so many has an owner: to record a million takes longer than all the rest
SAVED = 50_000  # accounts for what the index costs
ASKED = 200  # of each kind of question
PLAIN = 10


def main(accounts: int, database: str) -> None:
    words = words_of()
    with BLANK[database]() as blank:
        without, with_index = (seconds_to_save(blank(), words, indexed) for indexed in (False, True))
        url = blank()
        started = time.perf_counter()
        fill(url, words, accounts)
        filled = time.perf_counter() - started
        asked = questions(words, accounts)
        with serving(url) as client:
            waited = {kind: [waits(client, each) for each in some] for kind, some in asked.items()}
        plain = waits_for_plain_search(url, asked["part"][:PLAIN])
    every = [each for some in waited.values() for each in some]
    figures: dict[str, object] = {
        "database": database,
        "accounts": accounts,
        "requests": len(every),
        **percentiles("http", every),
        **{key: each for kind, some in waited.items() for key, each in percentiles(kind, some).items()},
        **percentiles("plain_like", plain),
        "filled_s": round(filled, 1),
        "saved_per_s": round(SAVED / with_index),
        "saved_per_s_without_index": round(SAVED / without),
    }
    print(json.dumps(figures))


@contextmanager
def sqlite() -> Iterator[Callable[[], str]]:
    """Gives a file without tables each time it is called."""
    with TemporaryDirectory() as folder:
        numbers = count()
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"


@contextmanager
def postgresql() -> Iterator[Callable[[], str]]:
    """Gives a database without tables of a throw-away server each time it is called."""
    from tests.postgres import find_binaries, running_server

    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed: apt install postgresql, or set PG_BIN")
    with ExitStack() as databases:
        server = databases.enter_context(running_server(binaries))
        yield lambda: databases.enter_context(server.database("template0"))


BLANK = {"sqlite": sqlite, "postgresql": postgresql}


def made_up(words: Words, count: int) -> Iterator[Account]:
    """The same companies each time, so many of them."""
    chance = random.Random(6)
    for number in range(count):
        head, tail = chance.choice(words.heads), chance.choice(words.tails)
        name = f"{head} {chance.choice(words.heads)} {tail}".strip()
        domain = f"{head.lower()}{number}.example"
        ref = Ref("salesforce", "Account", f"001{number:015}")
        yield Account(f"acc-{number:07}", name, {"domain": domain, "domains": [domain], "country": "us"}, (ref,))


def fill(url: str, words: Words, count: int) -> None:
    store = open_store(url)
    store.migrate()
    for some in in_parts(made_up(words, count)):
        store.run(lambda uow, some=some: uow.accounts.save(some, NOW))  # type: ignore[misc]
        owned = [Recording(given(each), {}) for each in some[::OWNED]]
        store.run(lambda uow, owned=owned: uow.record(owned, "run-1", NOW))  # type: ignore[misc]
    store.close()


def given(account: Account) -> Decision:
    owner = REPS[int(account.id[4:]) % len(REPS)]
    return Decision(account.id, Outcome.OWNER, "territory", "emea", owner, policy_hash="p1", inputs_hash=account.id)


def in_parts(accounts: Iterator[Account]) -> Iterator[list[Account]]:
    part: list[Account] = []
    for each in accounts:
        part.append(each)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def seconds_to_save(url: str, words: Words, indexed: bool) -> float:
    store: Store = open_store(url)
    store.migrate()
    parts = list(in_parts(made_up(words, SAVED)))
    keep = Search.keep if indexed else lambda self, accounts: None
    with patch.object(Search, "keep", keep):
        started = time.perf_counter()
        for some in parts:
            store.run(lambda uow, some=some: uow.accounts.save(some, NOW))  # type: ignore[misc]
        took = time.perf_counter() - started
    store.close()
    return took


def questions(words: Words, accounts: int) -> dict[str, list[str]]:
    """What people type, by kind, about companies from all over the file."""
    chance = random.Random(7)
    wanted = sorted(chance.sample(range(0, accounts, OWNED), min(ASKED, accounts // OWNED)))
    picked = set(wanted)
    some = [each for number, each in enumerate(made_up(words, accounts)) if number in picked]
    names = [each.name for each in some]
    return {
        "typing": [name[:length] for name in names[: ASKED // 10] for length in range(1, min(len(name), 12))][:ASKED],
        "name": names,
        "words": [" ".join(reversed(name.lower().split()[:2])) for name in names],
        "part": [name[3:9].strip() for name in names],
        "domain": [each.fields["domain"] for each in some],
        "id": [each.refs[0].external_id for each in some],
        "nothing": [f"{name[:4]}qx{name[-3:]}" for name in names],
    }


@contextmanager
def serving(url: str) -> Iterator[http.client.HTTPConnection]:
    """The real application, and a connection of somebody who is logged in to it."""
    with web_app({"STEWARD_DATABASE_URL": url, "STEWARD_WEB_LOGIN": "development"}) as (address, _):
        client = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        client.request("POST", "/login/development", urlencode({"who": REPS[0]}), form)
        answer = client.getresponse()
        answer.read()
        cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        client.steward_cookie = cookie  # type: ignore[attr-defined]
        for _ in range(20):
            waits(client, "warm")
        yield client


def waits(client: http.client.HTTPConnection, said: str) -> float:
    """Seconds until the whole page is here."""
    started = time.perf_counter()
    client.request("GET", f"/?q={quote(said)}", headers={"Cookie": client.steward_cookie})  # type: ignore[attr-defined]
    answer = client.getresponse()
    page = answer.read()
    took = time.perf_counter() - started
    if answer.status != 200 or b'id="found"' not in page:
        raise SystemExit(f"looking up '{said}' came to {answer.status}")
    return took


def waits_for_plain_search(url: str, asked: Sequence[str]) -> list[float]:
    engine, waited = create_engine(url), []
    plain = text(
        "SELECT account_id FROM account WHERE lower(name) LIKE :part AND gone_at IS NULL ORDER BY name LIMIT 20"
    )
    with engine.connect() as connection:
        for each in asked:
            started = time.perf_counter()
            connection.execute(plain, {"part": f"%{each.lower()}%"}).all()
            waited.append(time.perf_counter() - started)
    engine.dispose()
    return waited


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{name}_p50_ms": round(cuts[49] * 1000, 1), f"{name}_p95_ms": round(cuts[94] * 1000, 1)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2] if len(sys.argv) > 2 else "sqlite")
