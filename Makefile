# The commands of this repository; `make` alone lists them.  Everything lives in .venv, nothing is installed elsewhere but
# the servers that `make test` needs, by apt, and that only as root.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
ARGS   ?=
SHELL  := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help run test check lint fix unit integration bench coverage docs lock servers venv clean

help: ## list these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.installed ## install if needed, and run the demo: simulated providers, the whole daemon (options in ARGS="…")
	@exec $(BIN)/mailwatch demo $(ARGS)

test: $(VENV)/.ready servers ## install the servers the tests need (as root), and run every test
	@PYTEST=$(BIN)/pytest tools/run-tests.sh $(ARGS)

check: lint unit ## all that needs no server: format, lint, types, architecture, unit and property tests

lint: $(VENV)/.ready ## format, lint, types and architecture
	@verdict=0; for each in 'ruff format --check --quiet .' 'ruff check --quiet --output-format=concise .' mypy 'lint-imports --no-logo'; do \
	  echo "== $$each"; $(BIN)/$$each || verdict=1; done; exit $$verdict

unit: $(VENV)/.ready ## the tests that need no server
	$(BIN)/pytest -m 'not integration' $(ARGS)

integration: $(VENV)/.ready servers ## the tests that talk to real servers
	$(BIN)/pytest -m integration $(ARGS)

fix: $(VENV)/.ready ## format, and repair what can be repaired by itself
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.ready ## measure: run benchmarks/*.py one after the other, but probe.py, which must be told its servers
	@for each in $(filter-out %/probe.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$each"; $(BIN)/python "$$each" $(ARGS); done

coverage: $(VENV)/.ready ## which lines the tests without servers reach
	$(BIN)/coverage run --source=mailwatch -m pytest -q -m 'not integration' $(ARGS)
	$(BIN)/coverage report --show-missing --skip-covered

docs: $(VENV)/.ready ## check that every link in the docs leads somewhere
	$(BIN)/pytest -q tests/test_documents.py

lock: $(VENV)/.ready ## resolve the dependencies anew into requirements/*.txt (ARGS=--upgrade for newer ones)
	tools/lock.sh $(ARGS)

servers: ## install the servers the tests talk to (root, Debian); starts none
	@tools/install-test-servers.sh

venv: $(VENV)/.ready ## make .venv with everything for development

clean: ## remove what these commands made, .venv too
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is newer than what was installed from; touching nothing, the commands above start at once.
$(VENV)/bin/python:
	@PYTHON='$(PYTHON)' tools/make-venv.sh $(VENV)

$(VENV)/.installed: requirements/runtime.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo 'installing mailwatch into $(VENV)'
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready: $(VENV)/.installed requirements/test.txt requirements/dev.txt
	@echo 'installing what tests and checks need into $(VENV)'
	@$(PIP) install --require-hashes -r requirements/test.txt -r requirements/dev.txt
	@touch $@
