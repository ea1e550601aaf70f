# Everything that a person or CI runs. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export CLUSTER ?= embedded
export CLUSTER_NAME ?= trainingrun
TEST_CLUSTER_NAME ?= trainingrun-test
KIND_CLUSTER_NAME ?= trainingrun-kind
BENCH_CLUSTER_NAME ?= trainingrun-bench
EXAMPLE ?= mnist-ship
REGISTRY ?=
TAG ?=
VERSION ?=
SOURCE ?=
SIGN ?=
ALSO ?=
MUTANTS ?=
BEFORE ?=
INSTALL_MANIFEST ?= manifests/install.yaml
PYTHON ?= python3
BIN := .venv/bin
STAGES := prepare lint verify unit browser simulation unit-trainer gitops watching cluster-test schema faults e2e

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-17s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/ready ## From digits to a compressed model on two Horovod pods in a real cluster (EXAMPLE=mnist-ship, or another of examples/mnist*)
	@$(BIN)/python -m tools.demo $(EXAMPLE) --registry "$(REGISTRY)" --tag "$(TAG)"

test: .venv/ready ## All that CI runs, with a table of where the time has gone (docs/testing.md)
	@$(BIN)/python -m tools.suite --cluster $(TEST_CLUSTER_NAME)

test-long: .venv/ready .venv-trainer/ready ## What takes too long for CI: more moments of death, more combinations
	$(BIN)/pytest tests/simulation -m long -n 2
	.venv-trainer/bin/pytest tests/unit/trainer -m long -n 2 --dist worksteal
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/pytest tests/faults -m long -n 3
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/pytest tests/e2e -m long
	@CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(MAKE) cluster-down

test-mutants: .venv/ready .venv-trainer/ready ## Change the code a little for the worse, a hundred times: the quick tests must notice (MUTANTS="--only NAME")
	@trap 'CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(MAKE) cluster-down' EXIT; \
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/python -m tests.mutants $(MUTANTS)

test-kind: export CLUSTER := kind
test-kind: export CLUSTER_NAME := $(KIND_CLUSTER_NAME)
test-kind: .venv/ready ## Install, train, restart and delete on a kind cluster (on podman where no Docker runs)
	@trap '$(MAKE) cluster-down' EXIT; $(BIN)/pytest tests/e2e -m smoke

prepare: .venv/ready ## Build all that `make test` and `make demo` need, side by side: programs, images, the trainer's environment
	@$(BIN)/python -m tests.prepare

lint: .venv/ready ## Formatting, ruff, mypy, import contracts, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

site: .venv/ready ## The documentation as a site: build/site/VERSION/docs/index.html
	@$(BIN)/sphinx-build -q --fail-on-warning --keep-going -c docs/site . "build/site/$$($(BIN)/python -c 'from trainingrun.version import VERSION; print(VERSION)')"

format: .venv/ready ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: .venv/ready ## Unit tests of everything but the trainer
	$(BIN)/pytest tests/unit --ignore tests/unit/trainer -n 2

unit-trainer: .venv/ready .venv-trainer/ready ## Unit tests of the trainer, with real local ranks
	.venv-trainer/bin/pytest tests/unit/trainer -m "not long" -n 2 --dist worksteal

browser: .venv/ready ## The pages that people open, in headless Chromium
	$(BIN)/pytest tests/browser

simulation: .venv/ready ## The whole controller on an in-memory cluster under virtual time
	$(BIN)/pytest tests/simulation -m "not long" -n 2

cluster-test: .venv/ready ## The embedded cluster itself: up, down, side by side, interrupted
	$(BIN)/pytest tests/cluster

schema: .venv/ready ## The CRD, examples and manifests against a real API server
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/pytest tests/schema -n 2 --dist loadfile

faults: .venv/ready ## Crashes, refusals and late events between the operator and a real API server, with KWOK pods
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/pytest tests/faults -m "not long" -n 3

gitops: .venv/ready ## What Argo CD, kstatus and Flux make of a run, asked of their own code
	$(BIN)/pytest tests/gitops

watching: .venv/ready ## What Prometheus makes of the alerts and the board, asked of its own code
	$(BIN)/pytest tests/watching

record-statuses: .venv/ready ## Record anew, from real runs, the statuses that `make gitops` tests
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/python -m tests.gitops.record

e2e: .venv/ready ## Real runs in a real cluster, and every way they can go wrong
	CLUSTER_NAME=$(TEST_CLUSTER_NAME) $(BIN)/python -m tests.e2e

generate: .venv/ready ## Write the files that are generated: the CRD, its reference, the benchmarks' tables, settings for Argo CD
	@$(BIN)/python -m tools.generate

verify: .venv/ready ## Fail when a generated file or a lock is out of date
	@$(BIN)/python -m tools.generate --check
	@tools/lock.sh --check

lock: .venv/ready ## Resolve requirements/*.txt again (tools/lock.sh --upgrade takes newer versions)
	@tools/lock.sh

images: ## Build the operator and trainer images (python3 -m images build trainer-gpu, or trainer-tpu, builds those)
	@$(PYTHON) -m images build all

push: ## Push the images and write manifests/install.yaml for them: REGISTRY=... TAG=... (ALSO="trainer-gpu trainer-tpu")
	@test -n "$(REGISTRY)" && test -n "$(TAG)" || { echo "Say where to: make images push REGISTRY=registry.example/team TAG=1.0"; exit 64; }
	@$(PYTHON) -m images push --registry "$(REGISTRY)" --tag "$(TAG)" $(ALSO:%=--also %)
	@$(PYTHON) -m images render --registry "$(REGISTRY)" --tag "$(TAG)" $(ALSO:%=--also %) > "$(INSTALL_MANIFEST)"
	@echo "Now: kubectl apply -f $(INSTALL_MANIFEST)"

release-notes: .venv/ready ## Write the version and its part of the changelog, from changelog.d: VERSION=1.2.3 (docs/how-to/release.md)
	@test -n "$(VERSION)" || { echo "Say which: make release-notes VERSION=1.2.3"; exit 64; }
	@$(BIN)/python -m tools.release notes --version "$(VERSION)"
	@$(BIN)/python -m tools.generate
	@$(BIN)/python -m tools.generate

release: .venv/ready ## Make what a release consists of, in build/release: VERSION=1.2.3 REGISTRY=... (SOURCE=... SIGN="...")
	@test -n "$(VERSION)" && test -n "$(REGISTRY)" || { echo "Say what and where: make release VERSION=1.2.3 REGISTRY=registry.example/team"; exit 64; }
	@$(BIN)/python -m tools.release build --version "$(VERSION)" --registry "$(REGISTRY)" --source "$(SOURCE)" --sign "$(SIGN)"

kind-node-image: ## Build kind's node image, for machines without Docker that reach no registry (CLUSTER=kind does it by itself)
	@$(PYTHON) -m cluster.kind

cluster-up: ## Start the local cluster (CLUSTER=embedded, kind or existing; CLUSTER_NAME=trainingrun)
	@$(PYTHON) -m cluster up

cluster-down: ## Stop it and remove all it left on the machine, its volumes included
	@$(PYTHON) -m cluster down

cluster-status: ## Show its components
	@$(PYTHON) -m cluster status

cluster-load: ## Make an image known to its nodes: IMAGE=archive.tar, as docker save or make images writes it
	@$(PYTHON) -m cluster load $(IMAGE)

cluster-logs: ## Print the log of a component: COMPONENT=kubelet
	@$(PYTHON) -m cluster logs $(COMPONENT)

kubeconfig: ## Print the path of its kubeconfig: export KUBECONFIG=$(make -s kubeconfig)
	@$(PYTHON) -m cluster kubeconfig

bench: .venv/ready ## Measure the start-up of the cluster and of a run (docs/benchmarks.md)
	@$(BIN)/python -m tools.bench

bench-trainer: .venv/ready .venv-trainer/ready .venv-bench/ready ## Measure the trainer beside the common recipe (docs/benchmarks.md)
	@$(BIN)/python -m tools.trainer_bench

bench-before: .venv/ready .venv-trainer/ready ## Measure the trainer beside that of an older checkout, by turns: BEFORE=../older (docs/benchmarks.md)
	@test -n "$(BEFORE)" || { echo "Say beside which checkout, with its environments: git worktree add ../older COMMIT; make -C ../older .venv-trainer/ready; make bench-before BEFORE=../older"; exit 64; }
	@PYTHONPATH=. .venv-trainer/bin/python -m tools.trainer_bench.before "$(BEFORE)"

bench-tuning: .venv/ready .venv-trainer/ready ## Measure a search in the gang beside one object per trial (docs/benchmarks.md)
	@CLUSTER_NAME=$(BENCH_CLUSTER_NAME) PYTHONPATH=. .venv-trainer/bin/python -m tools.tuning_bench

bench-compression: .venv/ready .venv-trainer/ready ## Measure how small models become, and what that costs (docs/benchmarks.md)
	@$(BIN)/python -m tools.compression_bench

bench-ranks: .venv/ready .venv-trainer/ready ## Measure what a network learns on 1 to 16 ranks (docs/benchmarks.md)
	@$(BIN)/python -m tools.ranks_bench

bench-launch: .venv/ready ## Measure the launch of a run beside the MPI operator's (docs/benchmarks.md)
	@CLUSTER_NAME=$(BENCH_CLUSTER_NAME) $(BIN)/python -m tools.launch_bench

clean: ## Remove the developer environments; the cache outside the checkout stays
	rm -rf .venv .venv-trainer .venv-bench

.venv/ready: requirements/bootstrap.txt requirements/dev.txt sdk/pyproject.toml operator/pyproject.toml trainer-image/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 69; }
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)."; exit 69; }
	@echo "making the developer environment .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e sdk -e operator -e trainer-image
	@touch $@

.venv-trainer/ready: requirements/trainer.txt requirements/test.txt trainer-image/horovod/build.sh trainer-image/horovod/idle.patch sdk/pyproject.toml trainer-image/pyproject.toml
	@$(PYTHON) -m images trainer-venv .venv-trainer
	@touch $@

# SciPy, which only the recipe that the benchmark measures needs, beside the trainer's environment.
.venv-bench/ready: requirements/bench.txt .venv/ready
	@$(BIN)/uv pip install --quiet --python .venv-trainer/bin/python --target .venv-bench --no-deps --require-hashes -r requirements/bench.txt
	@touch $@

.PHONY: help demo test test-long test-mutants $(STAGES) site format generate lock images push release release-notes cluster-up cluster-down cluster-status \
        cluster-load cluster-logs kubeconfig bench bench-trainer bench-before bench-tuning bench-compression bench-ranks bench-launch record-statuses clean
