# Everything a developer or a machine does here. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PYTHONDONTWRITEBYTECODE := 1

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check generate tools tools-path bench clean lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 22

demo: $(READY) ## the main job on a real single-node Kubernetes (KEEP=1 leaves it running, CLUSTER=current uses your kubectl's)
	@PYTHONPATH=tools $(BIN)/python -m demo $(if $(KEEP),--keep) $(if $(CLUSTER),--cluster $(CLUSTER))

test: $(READY) ## every check and every test; builds what it needs once
	@PYTHONPATH=tools $(BIN)/python -m suite $(TESTS)

check: $(READY) ## lint, format, types, layers, generated files up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/mypy operator/llmobs tools
	@MYPYPATH=runtime/python $(BIN)/mypy runtime/python/llmobs_runtime runtime/python/build.py
	@MYPYPATH=runtime/sdk $(BIN)/mypy runtime/sdk/llmobs_sdk
	@$(BIN)/lint-imports
	@$(BIN)/llmobs generate --check
	@echo "check: clean"

generate: $(READY) ## write CRDs, reference, runbooks and dashboards from the code
	@$(BIN)/llmobs generate

tools: ## build the test binaries that are missing (Kubernetes, otelcol, Prometheus, Helm ...)
	@$(PYTHON) tools/build.py

tools-path: ## print the folder of the test binaries
	@$(PYTHON) tools/build.py --path

bench: $(READY) ## measure ours against a baseline in the same run
	@$(BIN)/python -m bench

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile -q pyproject.toml --python-version 3.11 --universal --generate-hashes --no-header -o requirements/operator.lock
	uv pip compile -q pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-header -c requirements/operator.lock -o requirements/dev.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.10 runtime/python/requirements.in -o runtime/python/requirements.lock
	for name in plain own old v2 family frameworks; do uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.10 tests/runtime/environments/$$name.in -o tests/runtime/environments/$$name.lock; done
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 examples/chat/requirements.in -o examples/chat/requirements.lock
	for name in agents django gemini llama metrics middle servers stores vectors traceloop; do uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 tests/runtime/environments/$$name.in -o tests/runtime/environments/$$name.lock; done

clean: ## remove what was made inside this checkout (the cache of test binaries stays)
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "llmobs needs Python 3.11 or newer on the PATH (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks the venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "virtual environment: $(VENV) (about half a minute the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@
