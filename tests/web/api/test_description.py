"""The API is as it describes itself: schemathesis sends what is allowed and what is not, and checks each answer."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from starlette.testclient import TestClient

from store.engine import Store
from tests.web.api.conftest import REP, asked_and_claimed, offer_of

EXAMPLES = 12
# A key that was used for another request is refused though it is a well-formed one; so is a field the policy lacks, an
# owner whom the roster lacks, and what was answered before.
POSTS = ("what_if_it_were", "accept", "decline", "ask_for_override", "approve_override", "refuse_override")
POSTS += ("take", "resolve", "take_override_back", "end_it", "claim", "approve_claim", "refuse_claim")
POSTS += ("rule_on_claim", "take_claim_back")
MAY_BE_REFUSED = {name: [positive_data_acceptance] for name in (*POSTS, "add_to_claim")}
# It sends requests of its own over another transport; test_tokens asks every route without a token.
ALREADY_TESTED = [ignored_auth]


def test_every_answer_is_as_described_and_none_is_an_error_of_the_server(
    api: TestClient, store: Store, token: Callable[..., str]
) -> None:
    load_all_checks()
    description = schemathesis.openapi.from_dict(api.get("/openapi.json").json())
    given = {"Authorization": f"Bearer {token('ops', 'rachel-stein')}"}
    there = {"account_id": "acme", "rep": REP, "run_id": "run-1", "offer_id": offer_of(store, "acme")}
    there |= {"kpi_id": "coverage", **asked_and_claimed(store)}
    there["exception_id"] = store.run(lambda uow: uow.exceptions.open_items())[0].exception_id
    statuses: dict[str, Counter[int]] = {}
    for result in description.get_all_operations():
        operation = result.ok()
        statuses[operation.label] = _answers(operation, given, api, there)
    assert len(statuses) == 36
    assert [label for label, counted in statuses.items() if "GET" in label and 200 not in counted] == []
    assert {401, 404, 409, 422} <= set().union(*statuses.values())


def _answers(operation: Any, given: dict[str, str], api: TestClient, there: dict[str, str]) -> Counter[int]:
    """Checks answers to well-formed and malformed requests; returns how many had which status."""
    statuses: Counter[int] = Counter()
    excluded = ALREADY_TESTED + MAY_BE_REFUSED.get(operation.definition.raw["operationId"], [])
    modes = [mode for mode in GenerationMode if mode.is_positive or operation.path_parameters or operation.query]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @drawn(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes)), is_there=st.booleans())
    def is_as_described(case: Any, is_there: bool) -> None:
        if is_there and case.meta.generation.mode.is_positive:  # a made-up id is never one
            case.path_parameters = {name: there[name] for name in case.path_parameters}
            real = {"rep": REP, "id": "acme", "system": "steward"}
            case.query |= {name: real[name] for name in case.query if name in real}
        asked = requests.Request(
            **case.as_transport_kwargs(base_url="http://testserver/api/v1", headers=given)
        ).prepare()
        answer = api.request(asked.method or "", str(asked.url), content=asked.body, headers=dict(asked.headers))
        statuses[answer.status_code] += 1
        case.validate_response(answer, excluded_checks=excluded)

    is_as_described()
    return statuses


def test_every_path_and_status_in_the_docs_is_there(api: TestClient) -> None:
    said = Path("docs/api.md").read_text()
    described = api.get("/openapi.json").json()["paths"]
    documented = {
        (method.lower(), path.partition("?")[0])
        for method, path in re.findall(r"^\| `(GET|POST) (/[^` ]*)`", said, re.M)
    }
    assert documented == {(method, path) for path, operations in described.items() for method in operations}


def test_every_value_is_described(api: TestClient) -> None:
    document = api.get("/openapi.json").json()
    assert document["servers"] == [{"url": "/api/v1"}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            assert {"401", "403", "422", "429"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                if status == "304":  # which has no body
                    continue
                kind = "application/json" if status == "200" else "application/problem+json"
                assert list(response["content"]) == [kind], (path, status)
    assert all(schema.get("description") for schema in document["components"]["schemas"].values())
