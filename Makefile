# Every target makes the virtual environment it needs; nothing else is hidden here.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help test test-all lint
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/installed: envs/requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement envs/requirements.txt
	touch $@

.venv/installed-dev: .venv/installed envs/requirements-dev.txt
	$(BIN)/pip install --quiet --requirement envs/requirements-dev.txt
	touch $@

test: .venv/installed-dev ## the tests that every change must pass
	$(BIN)/python -m pytest -m "not slow"

test-all: .venv/installed-dev ## those and the long ones
	$(BIN)/python -m pytest

lint: .venv/installed-dev ## ruff, snakefmt, snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
