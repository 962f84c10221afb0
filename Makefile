# Everything runs in .venv, which each target builds when it is missing or the lock changed.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Steward is many processes. Where this is set, each compiles all its modules anew, which takes longer than to load them.
unexport PYTHONDONTWRITEBYTECODE
UV_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q

.PHONY: help demo up check fast test test-faults bench-decide bench-gold match-model bench-dedupe dedupe-model bench-rematch bench-push bench-lookup bench-escalate bench-kpis bench-webhooks bench-match lock clean
help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/runtime: requirements/runtime.lock pyproject.toml
	@echo "Installing Steward into .venv (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/runtime.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements/dev.lock .venv/runtime
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.lock
	@touch $@

.venv/bench: requirements/bench.lock .venv/runtime
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/bench.lock
	@touch $@

demo: .venv/runtime ## run the whole job once against emulated vendors, and say what happened
	@$(BIN)/steward demo

up: .venv/runtime ## start everything and keep it running; prints the URLs
	@$(BIN)/steward up

check: .venv/dev ## formatting, lint, types and the import contract
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy && $(BIN)/lint-imports

fast: .venv/dev ## the tests that need nobody else: rules, store, tasks
	@$(BIN)/pytest -q -n 2 -m "not (postgres or slow or long)" tests/unit tests/store tests/tasks

test: check ## everything, PostgreSQL included; the fast tests first
	@$(BIN)/pytest -q -n 3 -m "not (long or e2e)" tests
	@$(BIN)/pytest -q -n 2 --dist loadfile tests/e2e

test-faults: .venv/dev ## storms, kills and faults at length, and what they found; SEEDS=10000 for a night
	@$(BIN)/pytest -q -n 2 -m long tests
	@$(BIN)/python -m tests.faults $(or $(SEEDS),1000)

bench-decide: .venv/runtime ## how fast the rules decide; SIZES="10000 100000" for fewer accounts
	@$(BIN)/python -m benchmarks.bench_decide $(SIZES)

bench-gold: .venv/bench ## how well matching does on real data; DATA=folder of the public sets
	@$(BIN)/python -m benchmarks.bench_gold $(DATA)

bench-match: .venv/bench ## how fast and how well matching does on a made-up market; SIZES="10000 100000" for less
	@$(BIN)/python -m benchmarks.bench_match $(SIZES)

match-model: .venv/bench ## learn the matching score anew; DATA=folder of the public sets
	@$(BIN)/python -m benchmarks.train_matching $(DATA)

bench-dedupe: .venv/bench ## how well duplicates are found; SIZE=100000 for fewer records, DATA=folder of the public sets
	@$(BIN)/python -m benchmarks.bench_dedupe $(or $(SIZE),1000000) $(DATA)

dedupe-model: .venv/bench ## learn the score of duplicates anew; DATA=folder of the public sets
	@$(BIN)/python -m benchmarks.train_dedupe $(DATA)

bench-push: .venv/runtime ## how near a push comes to what the vendors allow; CHANGES=10000 for less
	@$(BIN)/python -m benchmarks.bench_push $(CHANGES)

bench-escalate: .venv/runtime ## how long a pass takes when many offers run out at once; OFFERS=1000 for fewer
	@$(BIN)/python -m benchmarks.bench_escalate $(OFFERS)

bench-rematch: .venv/runtime ## what one change costs among many rows; ROWS=10000 for less
	@$(BIN)/python -m benchmarks.bench_rematch $(ROWS)

bench-kpis: .venv/runtime ## how long the figures of Health take on a large book; ACCOUNTS=100000 for less
	@$(BIN)/python -m benchmarks.bench_kpis $(ACCOUNTS)

bench-lookup: .venv/dev ## how long one waits for "Who owns this?"; ACCOUNTS=100000 for less, DATABASE=postgresql
	@$(BIN)/python -m benchmarks.bench_lookup $(or $(ACCOUNTS),1000000) $(DATABASE)

bench-webhooks: .venv/dev ## how long a vendor waits for its answer, as usual and in a burst; DELIVERIES=2000 for more
	@$(BIN)/python -m benchmarks.bench_webhooks $(DELIVERIES)

lock: ## resolve requirements/*.lock again (needs uv)
	uv pip compile pyproject.toml $(UV_FLAGS) -o requirements/runtime.lock
	uv pip compile pyproject.toml --extra dev -c requirements/runtime.lock $(UV_FLAGS) -o requirements/dev.lock
	uv pip compile pyproject.toml --extra bench -c requirements/dev.lock $(UV_FLAGS) -o requirements/bench.lock

clean: ## remove everything made here
	rm -rf .venv .steward artefacts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
