# Every target makes the virtual environment it needs; nothing else is hidden here.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
BIN := .venv/bin
PARALLEL := --numprocesses $(CORES) --dist worksteal
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.PHONY: help demo study test test-all page-check lint dag bench
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

demo: .venv/installed ## the whole workflow on a simulated hospital
	$(SNAKEMAKE)
	@echo "report: $(CURDIR)/results/demo/report/index.html"

study: .venv/installed ## the demo with 3 seeds and both negative controls
	$(SNAKEMAKE) --configfile config/demo_study.yaml
	$(SNAKEMAKE) --configfile config/demo_disjoint.yaml

test: .venv/installed-dev ## the tests that every change must pass
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL)

test-all: .venv/installed-dev ## those and the long ones
	$(BIN)/python -m pytest $(PARALLEL)

page-check: .venv/installed-dev ## report, gallery and review in a browser; needs chromium and npm
	npm ci --prefix tests/browser
	$(BIN)/python -m pytest tests/workflow/test_page_in_browser.py

lint: .venv/installed-dev ## ruff, snakefmt, snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

dag: .venv/installed-dev ## draw the rule graph into the README
	$(BIN)/python docs/draw_dag.py README.md

bench: .venv/installed-dev ## every stage's benchmark at a small size
	for script in corpus terminology plan plausibility generation screening quality training evaluation coverage report prediction; do \
		$(BIN)/python benchmarks/$$script.py || exit 1; \
	done
