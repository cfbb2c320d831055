# Set-up and the usual jobs. Without make: the same lines by hand, see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

app: $(VENV)/.app            ## set up, run the app and open it; ARGS="--port 8000 --no-browser" passes options
	$(BIN)/python app.py $(ARGS)

test: $(VENV)/.dev test-scripts ## set up and run the tests, the page's scripts' too
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev check-scripts ## linter, formatter, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-scripts:                ## unit tests of the page's scripts, where there is Node
	@if command -v node >/dev/null; then node --test tests/js/*.test.js; \
	else echo "SKIPPED: the unit tests of the page's scripts need node, which is not installed"; fi

check-scripts:               ## types of the page's scripts, where there is Node
	@if command -v npm >/dev/null; then \
	  { [ -x node_modules/.bin/tsc ] || npm ci --silent --no-audit --no-fund; } && npm run --silent check; \
	else echo "SKIPPED: the types of the page's scripts need node and npm, which are not installed"; fi

bench: $(VENV)/.dev          ## what it costs, each figure beside its reference
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-live: $(VENV)/.dev     ## what a user of the page waits for
	$(BIN)/python -m tests.benchmarks.live $(ARGS)

bench-classroom: $(VENV)/.dev ## thirty sessions for two minutes, against a plain queue
	$(BIN)/python -m tests.benchmarks.classroom $(ARGS)

bench-class: $(VENV)/.dev    ## a hundred pages that follow a teacher's, ten minutes; ARGS="--seconds 120" for less
	$(BIN)/python -m tests.benchmarks.follow $(ARGS)

soak: $(VENV)/.dev           ## changing sessions for half an hour
	$(BIN)/python -m tests.benchmarks.soak $(ARGS)

screens: $(VENV)/.dev        ## screenshots of every tab, into docs/screens
	$(BIN)/python -m tests.screens $(ARGS)

attack: $(VENV)/.dev         ## what one visitor can do to the others, a minute an attack
	$(BIN)/python -m tests.attack $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -r requirements-dev.txt -c constraints.txt
	touch $@

.PHONY: app test check test-scripts check-scripts bench bench-live bench-classroom bench-class soak screens attack
