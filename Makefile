# Everything a newcomer or CI runs. Each target makes what it needs, once.
VENV := .venv
# The mcp SDK 2.x cannot be installed beside 1.x, which published relays still use.
VENV_MCP2 := .venv-mcp2
# Other instrumentations of the mcp SDK, which must not be in the other tests' way.
VENV_RIVALS := .venv-rivals
# Published servers, with what their users have beside them.
VENV_PUBLISHED := .venv-published
# What builds a release.
VENV_RELEASE := .venv-release
# Containers often forbid Python to keep bytecode, so that each process that tests start would compile
# what it imports: a quarter of what a traced program takes to start, and all tests in each worker.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
PYTHON ?= python3

# Half of the tests' time is waiting for processes, so that there are more at a time than cores. Tests
# of one file share their collectors and databases, so they stay together. The files that take longest
# come first (`tests/long_first.py`): pytest-xdist would go by their number of tests.
PYTEST_OPTIONS ?= -n 3 --dist loadfile --no-loadscope-reorder

# The versions that are known to pass together; `CONSTRAINTS=` takes the newest of each.
CONSTRAINTS ?= constraints
INSTALL := pip install --quiet --disable-pip-version-check

# How many rounds `make soak` and `make soak-delivery` do of each scenario and `make fidelity` of each
# relay, and which scenarios and relays (default: all).
ROUNDS ?= 20
SCENARIO ?=
RELAY ?=

# What `make matrix` is to run (default: all; `ONLY='Python 3.12'`), and the version
# that `make release` is to write.
ONLY ?=
VERSION ?=

# How many log records `make bench-query` makes: ten million take an hour and 15 GB.
ROWS ?= 200000

# How long `make bench-sanitizer-worst` searches.
SECONDS ?= 600

.PHONY: demo test test-fast test-thorough test-newest coverage matrix release \
	soak soak-delivery soak-levels fidelity bench-ingest bench-neighbours \
	bench-sanitizer bench-sanitizer-worst \
	bench-left-over bench-spool bench-start bench-relay bench-query bench-page bench-housekeeping bench-overhead bench-rivals corpus check \
	format lock screenshots clean

demo: $(VENV)/.installed
	$(BIN)/relayscope demo

test: $(VENV)/.installed $(VENV_MCP2)/.installed
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

# What needs neither PostgreSQL nor another process; waits for nothing, so that cores are enough.
test-fast: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -r fE --fast

# More examples of everything that is tried at random, and what takes a minute.
test-thorough: $(VENV)/.installed $(VENV_MCP2)/.installed
	$(BIN)/python -m pytest $(PYTEST_OPTIONS) --thorough

# The newest release of every dependency, whatever the pins say.
test-newest: $(VENV)/.installed
	$(BIN)/python -m tests.matrix --only 'newest releases'

# Only what runs within the tests' own processes is counted, so that it says less than is tested.
coverage: $(VENV)/.installed $(VENV_MCP2)/.installed
	$(BIN)/python -m pytest $(PYTEST_OPTIONS) --cov --cov-report=term:skip-covered

# All tests with each Python and PostgreSQL that is here, and with the newest of everything.
matrix: $(VENV)/.installed
	$(BIN)/python -m tests.matrix $(if $(ONLY),--only '$(ONLY)')

# Writes the VERSION into project and changelog, builds and checks both archives; publishes nothing.
release: $(VENV_RELEASE)/.installed
	$(VENV_RELEASE)/bin/python -m tests.release $(VERSION)

soak: $(VENV)/.installed
	$(BIN)/python -m tests.soak.durability $(SCENARIO) --rounds $(ROUNDS)

fidelity: $(VENV)/.installed $(VENV_MCP2)/.installed
	$(BIN)/python -m tests.fidelity.fidelity $(if $(RELAY),'$(RELAY)') --rounds $(ROUNDS)

bench-overhead: $(VENV)/.installed $(VENV_RIVALS)/.installed
	$(BIN)/python -m tests.bench.bench_overhead
	$(BIN)/python -m tests.bench.bench_in_use
	$(VENV_RIVALS)/bin/python -m tests.bench.bench_rivals
	$(BIN)/python -m tests.bench.bench_contents

bench-rivals: $(VENV)/.installed $(VENV_PUBLISHED)/.installed
	$(BIN)/python -m tests.bench.bench_published $(VENV_PUBLISHED)/bin

soak-delivery: $(VENV)/.installed
	$(BIN)/python -m tests.soak.delivery $(SCENARIO) --rounds $(ROUNDS)

soak-levels: $(VENV)/.installed
	$(BIN)/python -m tests.soak.levels --rounds $(ROUNDS)

bench-ingest: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_ingest
	$(BIN)/python -m tests.bench.bench_ingest_dirty

bench-neighbours: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_neighbours

bench-left-over: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_left_over

bench-spool: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_spool

# The table is kept in tests/bench/results.
bench-start: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_start --record

bench-relay: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_relay

bench-sanitizer: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_sanitizer_steps
	$(BIN)/python -m tests.bench.bench_sanitizer

corpus: $(VENV)/.installed
	$(BIN)/python -m tests.sanitizer.corpus

bench-sanitizer-worst: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_sanitizer_worst --seconds $(SECONDS)

bench-query: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_query $(ROWS)

bench-page: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_page $(ROWS)

bench-housekeeping: $(VENV)/.installed
	$(BIN)/python -m tests.bench.bench_housekeeping

check: $(VENV)/.installed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin instrumentation collector storage
	$(BIN)/mypy --platform win32 instrumentation
	$(BIN)/lint-imports

format: $(VENV)/.installed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

$(VENV)/.installed: pyproject.toml $(wildcard constraints/*.txt)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "relayscope needs Python 3.11 or newer")'
	@echo 'Installs what relayscope needs into $(VENV), once: some two minutes.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m $(INSTALL) $(CONSTRAINTS:%=--constraint %/dev.txt) --editable '.[dev]'
	touch $@

$(VENV_MCP2)/.installed: pyproject.toml $(wildcard constraints/*.txt)
	$(PYTHON) -m venv $(VENV_MCP2)
	$(VENV_MCP2)/bin/python -m $(INSTALL) $(CONSTRAINTS:%=--constraint %/mcp2.txt) --editable . \
		'mcp>=2,<3' 'fastmcp>=4,<5'
	touch $@

$(VENV_RIVALS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV_RIVALS)
	$(VENV_RIVALS)/bin/python -m $(INSTALL) --editable '.[dev]' \
		opentelemetry-instrumentation-mcp==0.62.4 openinference-instrumentation-mcp==2.0.13
	touch $@

$(VENV_PUBLISHED)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV_PUBLISHED)
	$(VENV_PUBLISHED)/bin/python -m $(INSTALL) --editable . \
		mcphawk==1.0.0 mcp-server-time==2026.10.19 mcp-server-git==2026.10.19 \
		mcp-server-fetch==2026.10.24 filesystem-mcp==1.0.2
	touch $@

$(VENV_RELEASE)/.installed:
	$(PYTHON) -m venv $(VENV_RELEASE)
	$(VENV_RELEASE)/bin/python -m $(INSTALL) build
	touch $@

# Takes the newest version of everything as what CI installs; run `make test` before it is kept.
lock:
	rm -rf $(VENV) $(VENV_MCP2)
	$(MAKE) CONSTRAINTS= $(VENV)/.installed $(VENV_MCP2)/.installed
	$(BIN)/python -m pip freeze --exclude-editable > constraints/dev.txt
	$(VENV_MCP2)/bin/python -m pip freeze --exclude-editable > constraints/mcp2.txt
	touch $(VENV)/.installed $(VENV_MCP2)/.installed

# Of the page, from the demo, into docs/images. Look at them before you keep them.
screenshots: $(VENV)/.installed
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf $(VENV) $(VENV_MCP2) $(VENV_RIVALS) $(VENV_PUBLISHED) $(VENV_RELEASE) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
