# Needs Python 3.11 or newer and, until everything is installed, a package index. `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" pyproject.toml --group build

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak lock clean venv runtime dev

help:
	@awk -F ' *## ' '/^[a-z]+:.*## / { sub(/:.*/, "", $$1); printf "make %-6s %s\n", $$1, $$2 }' Makefile
	@echo "Arguments go in ARGS, another interpreter in PYTHON: make test ARGS='-k overlap' PYTHON=python3.13"
	@echo "What a test prints is shown only in one process: make test ARGS='-n 0 -s tests/e2e/test_git_source.py'"

run: runtime ## an embedded platform and the controller on the sample schedules, until Ctrl-C
	@exec $(BIN)/mainspring demo $(ARGS)

test: dev ## every test, in two processes
	@exec $(BIN)/python -m pytest -n 2 $(ARGS)

check: dev ## style, types, import contracts, Dockerfile
	@echo "ruff check" && $(BIN)/ruff check --quiet
	@echo "ruff format" && $(BIN)/ruff format --check --quiet || { echo "Run: $(BIN)/ruff format" >&2; exit 1; }
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "import contracts" && { found=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$found"; exit 1; }; }
	@if command -v hadolint >/dev/null; then echo "hadolint" && hadolint Dockerfile; else echo "hadolint: not on PATH, left out"; fi

bench: dev ## the benchmarks
	@exec $(BIN)/python -m benchmarks $(ARGS)

soak: dev ## thousands of simulated days under faults, for an hour
	@exec $(BIN)/python -m benchmarks.simulation_soak $(ARGS)

lock: dev ## write both lock files anew; ARGS=--upgrade takes newer releases
	@echo "Writing requirements.lock" && $(LOCK) $(ARGS) -o requirements.lock
	@echo "Writing requirements-dev.lock" && $(LOCK) $(ARGS) --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what these targets made, the environment included
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment ---------------------------------------------------------------------------------------------
# A stamp is a copy of the file that was installed from. Contents are compared, because a checkout touches times at will.
# pip builds the project with the setuptools of the lock, so nothing is ever downloaded without a hash.

runtime: venv
	$(call install,requirements.lock,the runtime)
	@cmp -s pyproject.toml $(VENV)/.pyproject.toml || { echo "Installing mainspring" \
		&& $(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable . \
		&& $(BIN)/python -m compileall -q controller && cp pyproject.toml $(VENV)/.pyproject.toml; }

dev: runtime
	$(call install,requirements-dev.lock,the development tools)

define install
	@cmp -s $(1) $(VENV)/.$(1) || { echo "Installing $(2)" \
		&& $(PIP) install --require-hashes -r $(1) && cp $(1) $(VENV)/.$(1); }
endef

# An environment of another folder (a moved or copied tree) has the wrong paths in its scripts and is made anew.
venv:
	@[ -x $(BIN)/python ] && grep -qsF "$(CURDIR)/$(VENV)" $(BIN)/activate || { \
		for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break || python=; \
		done; \
		[ -n "$$python" ] || { echo "No Python 3.11 or newer: $(or $(PYTHON),python3 and python3.11 to 3.14) is older or missing." \
			"Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }; \
		echo "Creating $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); \
			echo "$$python cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; }
