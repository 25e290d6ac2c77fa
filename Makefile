# Two commands: `make book` builds the handbook, `make test` proves it. `make help` lists the rest.
PY ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
# Another Python, or another lock, makes the environment anew.
READY := .venv/.ready-$(shell $(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Peers of the benchmarks are heavy: they have an environment of their own.
PEERS := .venv-peers/.ready
# uv trusts the certificates that the machine trusts.
export UV_SYSTEM_CERTS ?= true
# Compiled once: where Python may write no bytecode, every kernel would compile all libraries anew.
export UV_COMPILE_BYTECODE ?= 1
SITE := book/_build/html
# Real data that stands beside the project is used as it is; otherwise it is downloaded once.
ifneq ($(wildcard ../shared/data/sources.toml),)
export CORRTOMO_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help book serve test lint format benchmark lock refs twin clean

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

book: $(READY)  ## run every chapter and build the website
	$(BIN)/jupyter-book build --all -W -n --keep-going book
	@echo "The handbook is at $(abspath $(SITE))/index.html  (make serve shows it)"

serve: $(READY)  ## show the website at http://localhost:8000
	$(BIN)/python -m http.server --directory $(SITE) --bind 127.0.0.1 8000

test: lint book  ## build the book and pass every test
	$(BIN)/python -m pytest -n 2

lint: $(READY)  ## style, types and the house's contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## bring the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

benchmark: $(PEERS)  ## time the package beside its peers
	.venv-peers/bin/python -m benchmarks

lock: $(READY)  ## resolve the dependencies anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --extra book --extra test pyproject.toml -o requirements.lock

refs: $(READY)  ## run the chapters and keep the outputs that tests compare
	$(BIN)/python tools/refs.py

twin: $(READY)  ## make the digital twins in data/ again
	$(BIN)/python -m corrtomo.datasets

clean:  ## remove the environment and the website
	rm -rf .venv .venv-peers book/_build

$(READY): pyproject.toml requirements.lock
	$(PY) -c 'import sys; sys.exit("corrtomo needs Python 3.11 to 3.13, this is " + sys.version.split()[0] + ". Name another with: make PY=python3.12") if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	$(PY) -m venv --clear .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync -q --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install -q --python $(BIN)/python uv==$(UV_VERSION) --no-deps --no-build-isolation -e .
	touch $@

$(PEERS): $(READY) benchmarks/peers.txt
	$(BIN)/uv venv -q --clear --python $(BIN)/python .venv-peers
	$(BIN)/uv pip install -q --python .venv-peers/bin/python -r requirements.lock -r benchmarks/peers.txt
	$(BIN)/uv pip install -q --python .venv-peers/bin/python --no-deps --no-build-isolation -e .
	touch $@
