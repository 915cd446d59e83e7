# `make run` starts everything, `make test` checks everything; both install what they need first.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEV_INSTALLED := $(VENV)/.installed-dev
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --extra build --extra postgres --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-strip-extras

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DAGSTER_DISABLE_TELEMETRY := 1

AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@echo "Installing what dagster-scim needs into $(VENV); the first time takes a few minutes …"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -W ignore -c "import dagster_defs.assets.marts"  # parses the dbt project
	@touch $@

$(DEV_INSTALLED): $(INSTALLED) requirements-dev.lock
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

install: $(INSTALLED)  ## Make the virtual environment from requirements.lock

develop: $(DEV_INSTALLED)  ## Add what the tests and checks need

run: install  ## Start the SCIM service (:8000) and Dagster (:3000)
	@exec $(BIN)/dagster-scim dev

demo: install  ## Play recorded Okta and Entra exchanges against the running service
	@$(BIN)/dagster-scim demo

test: check setup-browser  ## Check the style, then run every test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

short: develop  ## Run the tests of the rules, the store and the code location's assets; quick enough for a look at another Python
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile tests/scim_app/store tests/scim_app/directory \
		tests/cli/test_backup.py tests/dagster_defs/test_definitions.py tests/dagster_defs/test_assets.py

coverage: develop setup-browser  ## Run every test and tell which lines and branches none of them reached
	$(BIN)/python -m pytest --cov --cov-report=term

setup-browser:  ## Install Chromium from the system's packages, where it is missing and this user may
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| { command -v apt-get >/dev/null && { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq chromium; } >/dev/null; } \
		|| echo "Chromium could not be installed: install it for the tests in a browser, which are left out without it"

screenshots: develop setup-browser  ## Renew the pictures of the settings pages and of Dagster in docs/images
	PYTHONPATH=tests $(BIN)/python tests/browser/screenshots.py
	PYTHONPATH=tests $(BIN)/python tests/browser/dagster_screenshots.py

bench: develop  ## Measure against a bare server; writes bench/RESULTS.md
	$(BIN)/python -m bench

check: develop  ## Check style (Python and SQL), types, import directions and the code location
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	cd dbt_like_reports && $(BIN_HERE)/sqlfluff lint models --processes 2 --disable-progress-bar
	$(BIN)/dg check defs

conformance: develop  ## Renew docs/conformance.md from the marks of the tests
	$(BIN)/python tests/conformance/checklist.py

fuzz: develop  ## Send 125,000 hostile requests, half of them to each database; a fifth is made from the OpenAPI document
	$(BIN)/python -m pytest tests/fuzz --requests 50000

model: develop  ## Hold both databases against a model of dictionaries, 5,000 runs of 30 steps
	$(BIN)/python -m pytest tests/properties/test_state_machine.py --runs 5000

durability: develop  ## Let crowds of clients write to four workers, on both databases; backfill all snapshots by hand in Chromium
	$(BIN)/python -m pytest tests/durability tests/whole_line/test_backfill_in_the_ui.py --full

format: develop  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: develop  ## Renew requirements.lock with the newest versions that fit together
	$(COMPILE) --upgrade --extra dev --output-file requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock

reports: develop  ## Make a year of history, its marts on DuckDB and PostgreSQL, and its evidence packs
	@mkdir -p data/reports-demo/dagster
	test -f data/reports-demo/store.sqlite3 || $(REPORTS_DEMO) $(BIN)/dagster-scim history northwind
	$(REPORTS_DEMO) $(BIN)/python -m dagster_defs.run
	$(REPORTS_DEMO) $(BIN)/python -m dagster_defs.evidence_run
	$(REPORTS_DEMO) PYTHONPATH=tests $(BIN)/python tests/reports/on_postgres.py
	$(REPORTS_DEMO) $(BIN)/dagster-scim reports list

lint-dbt: develop  ## Check the style of the dbt project (sqlfluff), and its manifest (dbt-bouncer, in an environment of its own)
	cd dbt_like_reports && $(BIN_HERE)/sqlfluff lint models --processes 2
	cd dbt_like_reports && $(BIN_HERE)/dbt parse --quiet
	test -x .venv-lint-dbt/bin/dbt-bouncer || { $(PYTHON) -m venv .venv-lint-dbt && .venv-lint-dbt/bin/python -m pip install --quiet dbt-bouncer; }
	.venv-lint-dbt/bin/dbt-bouncer --config-file dbt_like_reports/dbt-bouncer.yml

latency: develop  ## Measure the way from a deactivation to the alert, ten times
	PYTHONPATH=tests $(BIN)/python bench/latency.py

catchup: develop  ## Kill the daemon twenty times while it catches up with 100,000 events
	PYTHONPATH=tests $(BIN)/python bench/catchup.py

neighbours: develop  ## Run an hour (MINUTES=60) beside another project with jobs of the same names in one Dagster
	PYTHONPATH=tests:tests/dagster_defs $(BIN)/python bench/shared_instance.py $(MINUTES)

clean:  ## Remove what was built, but not the data
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .coverage dbt_like_reports/target dbt_like_reports/logs

REPORTS_DEMO = DAGSTER_SCIM_HOME=data/reports-demo DAGSTER_HOME=$(CURDIR)/data/reports-demo/dagster
BIN_HERE = $(CURDIR)/$(BIN)

.PHONY: short reports lint-dbt help install develop run demo bench test check conformance coverage durability fuzz model latency catchup neighbours format lock clean setup-browser screenshots
