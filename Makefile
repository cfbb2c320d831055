# Set-up and the usual jobs. Without make: the same lines by hand, see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

app: $(VENV)/.app            ## set up and run the app; ARGS="--port 8000" passes options
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/.dev           ## set up and run the tests
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev          ## linter, formatter, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev          ## what it costs, each figure beside its reference
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-live: $(VENV)/.dev     ## what a user of the page waits for
	$(BIN)/python -m tests.benchmarks.live $(ARGS)

bench-classroom: $(VENV)/.dev ## thirty sessions for two minutes, against a plain queue
	$(BIN)/python -m tests.benchmarks.classroom $(ARGS)

soak: $(VENV)/.dev           ## changing sessions for half an hour
	$(BIN)/python -m tests.benchmarks.soak $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt -c constraints.txt
	touch $@

.PHONY: app test check bench bench-live bench-classroom soak
