# `make` alone lists the targets. `make demo` is all that a new machine needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo dev test check lint types bench faults chromium

BIN := .venv/bin

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: ## install everything into this folder; nothing when nothing changed
	@scripts/setup

demo: setup ## start the product with a demo workspace
	@exec $(BIN)/inbox demo

dev: setup ## the product with a demo workspace, and the front end rebuilt as you edit
	@scripts/dev

test: setup chromium ## every test: Python, browser and front end
	CHROMIUM="$$(scripts/find-chromium)" $(BIN)/pytest
	scripts/npm test

check: setup lint test ## exactly what CI runs

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/npm run check
	scripts/npm run lint

types: setup ## the front end's types, from the server's own description
	$(BIN)/inbox openapi > .tools/openapi.json
	$(BIN)/inbox events > .tools/events.json
	scripts/npm run --silent types -- ../.tools/openapi.json ../.tools/events.json

faults: setup ## kills, cuts, delays and floods against real processes
	FAULTS=long $(BIN)/pytest tests/faults

bench: setup ## the budgets, beside their raw ceilings
	$(BIN)/inbox bench accept
	$(BIN)/inbox bench path

chromium:
	@scripts/find-chromium > /dev/null || scripts/install-chromium
