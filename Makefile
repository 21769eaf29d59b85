# Everything here sets itself up on a fresh machine: Python 3.11 or newer, with uv or with pip alone.
PYTHON ?= $(shell for python in python3 python3.12 python3.13 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
CODE := server tools vehicle analysis storage sandbox prompts tests bench

.DEFAULT_GOAL := help
.PHONY: demo test bench fix help check-code test-clients

help: ## Say what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/' | sort

demo: $(VENV)/.runs ## Capture a simulated car with a fault over real ELM327 bytes, analyse it, say what was found
	@$(BIN)/obd-agent demo

test: $(VENV)/.develops check-code test-clients ## Run every check that CI runs
	$(BIN)/pytest -q

check-code: $(VENV)/.develops
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

# The TypeScript client of the tests; without npm its test says that it was skipped.
test-clients: tests/typescript/node_modules/.installed

tests/typescript/node_modules/.installed: tests/typescript/package-lock.json
	@if command -v npm >/dev/null; then cd tests/typescript && npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.installed; \
	else echo "npm is not here: the TypeScript client's test will be skipped"; fi

bench: $(VENV)/.develops ## Measure, and print ratios against a named alternative
	@for file in bench/*.py; do echo; $(BIN)/python $$file || exit 1; done

fix: $(VENV)/.develops ## Format the code and mend what can be mended by machine
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# Debian's python3 may lack ensurepip; then the machine's own pip fills the environment from outside.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python"; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q --seed --python $(PYTHON) $(VENV); \
	else $(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install -q pip; }; fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'

$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.develops: pyproject.toml constraints.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[all]' --group dev
	@touch $@ $(VENV)/.runs
