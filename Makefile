# The two commands: `make run` starts a server, `make test` checks everything.
# PYTHON chooses the interpreter, VENV the environment made with it: make test PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*/pyproject.toml)
EDITABLE_PLUGINS := $(foreach plugin,$(PLUGINS),--editable $(dir $(plugin)))
# pip's warnings, a page for every editable plugin, are shown only if it fails.
quietly = $(1) 2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; exit 1; }

.PHONY: run test changelog bench

run: $(VENV)/.installed
	@exec $(BIN)/flexiapi --config config/development.toml serve

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist loadfile

# The next section of CHANGELOG.md, and whether this branch needs a fragment. BASE names another branch than main.
changelog: $(VENV)/.dev
	$(BIN)/towncrier build --draft
	VENV=$(VENV) .ci/changelog $(BASE)

# Needs `wrk` (apt install wrk). ARGS=--help shows what can be chosen.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "flexiapi needs Python 3.11 or later: install it, or name it: make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(call quietly,$(BIN)/python -m pip install --quiet --upgrade pip)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml setup.py $(PLUGINS)
	@echo "Installing flexiapi, its embedded MongoDB and the plugins into $(VENV) ..."
	@$(call quietly,$(BIN)/pip install --quiet --editable .[embedded] $(EDITABLE_PLUGINS))
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@$(call quietly,$(BIN)/pip install --quiet --editable .[dev] $(EDITABLE_PLUGINS))
	@touch $@
