# Two commands matter: `make demo` and `make test`. Each sets up all it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS ?= 60
RACKS ?= 8
KEEP ?=
TRIALS ?= 200
PYTEST_ARGS ?=
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test lint types pytest bench chaos clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@echo "== Creating $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Busway needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "== Installing Busway into $(VENV) (once; about half a minute)"
	@$(BIN)/python -m pip install -q -c constraints.txt pip
	@$(BIN)/python -m pip install -qq -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "== Installing the tools for tests"
	@$(BIN)/python -m pip install -q -c constraints.txt --group dev
	@touch $@

setup: $(VENV)/.run ## Install Busway into .venv
setup-dev: $(VENV)/.dev ## Install what the tests need, too

demo: $(VENV)/.run ## A simulated plant through Kafka into Parquet, and its PUE (SECONDS=60 RACKS=8 KEEP=dir)
	@$(BIN)/busway demo --seconds $(SECONDS) --racks $(RACKS) $(if $(KEEP),--keep $(KEEP))

lint: $(VENV)/.dev ## ruff
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

pytest: $(VENV)/.dev ## The tests alone (PYTEST_ARGS=...)
	@$(BIN)/pytest $(PYTEST_ARGS)

test: lint types pytest ## Everything that CI checks

bench: $(VENV)/.dev ## What each stage costs beside the bare library, in one table (BENCH_ARGS="--quick --only sink")
	@$(BIN)/python -m bench $(BENCH_ARGS)

chaos: $(VENV)/.dev ## Kill, stop, fill and misset things while readings flow; count what is lost (TRIALS=200)
	@$(BIN)/python -m bench.chaos --trials $(TRIALS)

clean: ## Remove what was built; keeps .venv
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
