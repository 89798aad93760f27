# The two commands: `make run` starts a server, `make test` checks everything.
# PYTHON chooses the interpreter, VENV the environment made with it: make test PYTHON=python3.13 VENV=.venv-3.13
# Both find what is missing and install it: .ci/packages has Debian's packages, .ci/environment Python's.
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*/pyproject.toml)
RELEASE := $(shell sed -n '/^\[tool.flexiapi\]/,/^version/s/^version = "\(.*\)"/\1/p' pyproject.toml)
export PYTHON VENV
unexport ARGS

.PHONY: run test lock changelog catalogues bench packages-of-server packages-of-tests

run: $(VENV)/.installed
	@exec $(BIN)/flexiapi --config config/development.toml serve

# ARGS chooses among the tests: make test ARGS='tests/api -k recovery'.
test: $(VENV)/.dev
	@test ! -e .ci/fetch || $(BIN)/python .ci/fetch
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

# The next section of CHANGELOG.md, and whether this branch needs a fragment. BASE names another branch than main.
changelog: $(VENV)/.dev
	$(BIN)/towncrier build --draft --version $(RELEASE)
	VENV=$(VENV) .ci/changelog $(BASE)

# The texts of pages in their catalogues, templates/TAG/pages.po. ARGS=de begins a catalogue.
catalogues: $(VENV)/.dev
	$(BIN)/python .ci/catalogues $(ARGS)

# Prints a table and writes benchmarks/results/latest.json (docs/performance.md). ARGS=--help shows what can be chosen.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# The lock files anew, after a change of dependencies. ARGS=--upgrade takes newer versions where they fit.
lock:
	.ci/lock $(ARGS)

packages-of-server:
	@.ci/packages run

packages-of-tests:
	@.ci/packages test

INSTALLED := pyproject.toml setup.py requirements.lock $(PLUGINS)

$(VENV)/.installed: $(INSTALLED) | packages-of-server
	@.ci/environment run
	@touch $@

$(VENV)/.dev: $(INSTALLED) requirements-test.lock | packages-of-tests
	@.ci/environment test
	@touch $@ $(VENV)/.installed
