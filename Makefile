# `make demo` and `make test` do all the set-up on a fresh machine (Debian 12, Python 3.11).
#   make demo [DURATION=60] [VIDEO=shop.mp4] [STATE=folder] [ARGS='--json']
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check bench format train lock clean setup-runtime setup-dev

BIN := .venv/bin
DEMO_OPTIONS := $(if $(DURATION),--duration $(DURATION)) $(if $(VIDEO),--video '$(VIDEO)') $(if $(STATE),--state '$(STATE)') $(ARGS)

help:  ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup-runtime:
	@scripts/setup.sh runtime

setup-dev:
	@scripts/setup.sh dev

demo: setup-runtime  ## a whole shop and its headquarters on this machine
	@$(BIN)/threshold demo $(DEMO_OPTIONS)

test: setup-dev  ## every test but the slow ones
	$(BIN)/pytest -m 'not slow' -n 2 --dist loadfile $(ARGS)

test-slow: setup-dev  ## the tests that take minutes
	$(BIN)/pytest -m slow --timeout 900 $(ARGS)

check: setup-dev  ## lint, formatting, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev  ## every benchmark, each a ratio against a limit measured in the same run
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes --only-binary=:all: -r requirements/bench.txt
	@for file in benchmarks/[a-z]*.py; do echo "# $$file"; $(BIN)/python $$file || exit 1; done

format: setup-dev  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: setup-dev  ## train the footfall detector again (hours; installs PyTorch into .venv-train)
	scripts/train.sh $(ARGS)

lock:  ## lock the dependencies again after a change to pyproject.toml (needs uv)
	requirements/lock.sh

clean:  ## remove what the set-up made
	rm -rf .venv .venv-train .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
