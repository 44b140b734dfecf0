# `make help` tells what there is.  All of it works from a fresh clone.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# `make test PYTEST_ARGS="-k epmd -x"`
PYTEST_ARGS ?=
# `make bench BENCH_ARGS="--only codec --quick"`
BENCH_ARGS ?=

# where `make compiled` makes a compiled copy of this tree, and how to be there
COMPILED := build/compiled
IN_COMPILED = PYTHONPATH=$(abspath $(COMPILED)) PYERLNODE_COMPILED=1

.DEFAULT_GOAL := help
.PHONY: help venv run test lint format interop beams docker-base docker-test fuzz soak bench coverage clean erlang \
	compiled test-compiled wheel

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

venv: ## .venv with the package and what developing takes (PYTHON=python3.12 chooses)
	@.ci/venv $(VENV) $(PYTHON)

run: venv ## see it work: three nodes form a cluster on this machine, in seconds; no Erlang needed
	@$(BIN)/python -m pyerlnode demo

erlang: # the host's own Erlang and Elixir, where they can be installed
	@.ci/erlang

test: venv erlang ## unit, property and interop tests, with the host's own Erlang (PYERLNODE_RELEASES=25,27 for others)
	@if [ -n "$$PYERLNODE_RELEASES" ]; then releases=$$PYERLNODE_RELEASES; \
	elif command -v erl >/dev/null; then releases=host; fi; \
	PYERLNODE_RELEASES=$$releases .ci/beside $(BIN)/python tests/cluster -m "not slow and not docker" -- $(PYTEST_ARGS)

lint: venv ## ruff, mypy --strict, and the rules of the house (layers, purity, sizes)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -q tests/unit/test_architecture.py

format: venv ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

beams: venv ## install OTP 23, 27, 28 and 29 for `make interop` (Debian, as root; about two minutes)
	@PYTHON=$(BIN)/python tests/support/install_beams
	@$(BIN)/python -m tests.support.beams

interop: venv erlang ## the tests with real BEAMs, on every release found
	$(PYTEST) -m "not slow" tests/interop tests/cluster $(PYTEST_ARGS)

docker-base: venv ## base images for docker/ from Debian, where no image registry is reached (as root; two minutes)
	@tests/support/docker_engine start
	@PYTHON=$(BIN)/python tests/support/make_base

docker-test: venv ## the post's clusters and a mixed one in containers; starts an engine where none runs (as root; ten minutes)
	@PYTHON=$(BIN)/python tests/support/docker_test $(PYTEST_ARGS)

compiled: venv ## a compiled copy of this tree in build/compiled (half a minute)
	@.ci/compiled $(COMPILED) $(BIN)/python

test-compiled: compiled ## unit, property and fuzz tests on compiled code; interop-compiled and soak-compiled are there too
	cd $(COMPILED) && $(IN_COMPILED) $(abspath $(BIN))/python -m pytest -m "not slow" tests/unit tests/property tests/fuzz $(PYTEST_ARGS)

%-compiled: compiled
	$(IN_COMPILED) $(MAKE) -C $(COMPILED) VENV=$(abspath $(VENV)) $*

wheel: venv ## both wheels into dist/: compiled for this platform, and pure for all
	PYERLNODE_COMPILE=1 $(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .
	PYERLNODE_COMPILE=0 $(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

fuzz: venv ## bad input, at length
	$(PYTEST) tests/fuzz $(PYTEST_ARGS)

soak: venv erlang ## the long runs that `make test` leaves out
	@.ci/beside $(BIN)/python tests/interop/test_mesh.py -m "slow and not docker" -o faulthandler_timeout=1800 -- $(PYTEST_ARGS)

bench: venv erlang ## beside marshal, msgspec, erlpack and BEAMs: one table of ratios (ten minutes; BENCH_ARGS=--help)
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

coverage: venv ## what the unit and property tests reach
	$(BIN)/coverage run -m pytest -q -m "not slow" $(wildcard tests/unit tests/property)
	$(BIN)/coverage report --skip-covered --show-missing

clean: ## remove what these targets made here (not the OTP releases)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* .reports
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
