# Two commands do everything from a clean checkout: make demo, make test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint relevance bench clean

demo: .venv/installed
	$(BIN)/python scripts/demo.py

test: lint
	$(BIN)/pytest

relevance: .venv/installed
	$(BIN)/python bench/relevance/run.py

bench: .venv/installed
	$(BIN)/python bench/speed.py

lint: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist
