# The portal. `make run` opens it with made-up people, `make test` proves it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test lint bench storm browser

help:
	@echo "make run    open the portal with demo data (PORTAL_PORT, preset 8501)"
	@echo "make test   every test, on SQLite and PostgreSQL, browser included"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make storm  eight processes, ten thousand acts: nobody is double-booked, no session overfull"
	@echo "make bench  speed against the bare driver, into var/bench.json"

run: $(VENV)/.run
	@$(BIN)/python cli.py run

test: $(VENV)/.dev browser
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.dev browser
	@$(BIN)/python -m tests.bench

storm: $(VENV)/.dev
	@$(BIN)/python -m tests.storm --acts 1250

browser:
	@.ci/browser

# One stamp for each lock file, so that a second start installs nothing.
$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.run

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The portal needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make an environment here; on Debian: apt-get install python3-venv"; exit 1; }
