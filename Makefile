# `make run` and `make test` work on a fresh machine with Python 3.11 or newer; `make help` lists the rest.

PYTHON_BIN := .venv/bin
JOBS ?= 2
COVERAGE ?= 90
# Half of the workers run the integration tests on SQLite, half on PostgreSQL. A crashed worker ends the run.
PYTEST = $(PYTHON_BIN)/python -m pytest -n $(JOBS) --both-databases --max-worker-restart=0 \
	--ignore=tests/load

.DEFAULT_GOAL := help
.PHONY: help setup run up test coverage lint format types audit bench faults docs vendor lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv with the locked dependencies (every other target does it when needed)
	@scripts/setup.sh

run: setup ## Serve the demo fleet on PORT (8000): nothing else has to be installed or running
	@POSITIONS_EVERY_MS=$${POSITIONS_EVERY_MS:-5000} $(PYTHON_BIN)/python manage.py demo

test: setup ## Run all tests on a real Redis, PostgreSQL and browser, which the tests start
	@$(PYTHON_BIN)/python -m tests.servers.chromium
	@$(PYTHON_BIN)/python -m tests.servers.coturn
	@$(PYTEST)

coverage: setup ## Run all tests and fail when they cover less than COVERAGE (90) percent
	@$(PYTHON_BIN)/python -m tests.servers.chromium
	@$(PYTHON_BIN)/python -m tests.servers.coturn
	@$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=xml:var/coverage.xml --cov-fail-under=$(COVERAGE)

lint: setup ## Check style, imports between the parts, and that no migration is missing
	@$(PYTHON_BIN)/ruff check .
	@$(PYTHON_BIN)/ruff format --check .
	@$(PYTHON_BIN)/lint-imports
	@$(PYTHON_BIN)/python manage.py makemigrations --check --dry-run

format: setup ## Put the code into the house style
	@$(PYTHON_BIN)/ruff check --fix --exit-zero .
	@$(PYTHON_BIN)/ruff format .

types: setup ## Check the types
	@$(PYTHON_BIN)/mypy

up: ## Build and start the whole system in containers: web server, PostgreSQL, Redis
	@scripts/env.sh
	@BUILD_TIMESTAMP=$$(date -u +%FT%TZ) docker compose up --build --detach --wait

audit: setup ## Look the locked dependencies up among the known vulnerabilities
	@$(PYTHON_BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt

bench: setup ## Measure speed and capacity of every part, one after the other (bench/)
	@$(PYTHON_BIN)/python -m bench.proximity_tick
	@$(PYTHON_BIN)/python -m bench.geofences
	@$(PYTHON_BIN)/python -m bench.fan_out
	@$(PYTHON_BIN)/python -m bench.broadcast
	@$(PYTHON_BIN)/python -m bench.alerts
	@$(PYTHON_BIN)/python -m bench.lists
	@$(PYTHON_BIN)/python -m bench.calls
	@$(PYTHON_BIN)/python -m bench.ingest
	@$(PYTHON_BIN)/python -m bench.reports
	@$(PYTHON_BIN)/python -m bench.history
	@$(PYTHON_BIN)/python -m bench.radio
	@$(PYTHON_BIN)/python -m bench.replay
	@$(PYTHON_BIN)/python -m bench.relay
	@$(PYTHON_BIN)/python -m bench.driving

faults: setup ## Abuse and stop real servers at length, and print what was measured (tests/faults)
	@V2V_LONG_FAULTS=1 $(PYTHON_BIN)/python -m pytest -q --timeout=300 tests/faults

docs: setup ## Make docs/openapi.yaml from the code
	@$(PYTHON_BIN)/python manage.py spectacular --file docs/openapi.yaml

vendor: setup ## Make static/vendor again from the packages that vendor.json names
	@scripts/vendor.sh

lock: setup ## Lock the dependencies of pyproject.toml again, at their newest
	@$(PYTHON_BIN)/uv pip compile -q --universal --generate-hashes --upgrade --no-header \
		pyproject.toml -o requirements/runtime.txt
	@$(PYTHON_BIN)/uv pip compile -q --universal --generate-hashes --upgrade --no-header \
		pyproject.toml --group dev -o requirements/dev.txt

clean: ## Remove the environment and all that the tools left behind (keeps var/)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* htmlcov
