# `make run` and `make test` need git, make and Python 3.11 or newer with venv; everything else is set up in .venv.
# PYTHON=/path/to/python names the interpreter to use.

.DEFAULT_GOAL := help
.PHONY: help run test check bench campaign shots format lock set-up

help:
	@echo "make run       open the workstation; without a display, a picture and a report of the sample"
	@echo "make test      the whole test suite"
	@echo "make check     format, lint, types and import contracts; runs no tests"
	@echo "make bench     benchmarks, as tables"
	@echo "make shots     pictures of every page of the window, in .cache/shots"
	@echo "make campaign  the long versions of the tests"
	@echo "make format    format and repair what ruff can"
	@echo "make lock      resolve requirements.lock again (needs uv)"

run: set-up
	@.venv/bin/sptrader

# Each file of window tests is one test in a process of its own. Three at a time on two cores: some wait for what others do.
test: set-up
	@.venv/bin/python packaging/set_up.py screen
	@.venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(or $(ARGS),--windows-apart)

campaign: set-up
	@SPTRADER_CAMPAIGN=1 .venv/bin/python -m pytest -m campaign $(ARGS)

shots: set-up
	@.venv/bin/python -m tests.ui.shots

bench: set-up
	@.venv/bin/python -m benchmarks $(ARGS)

check: set-up
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --cache-dir .cache/import-linter

format: set-up
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

# Names, versions, markers and hashes for every platform; addresses would tie it to one index.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" --upgrade --quiet --output-file requirements.lock

set-up:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then \
	        exec "$$python" packaging/set_up.py; \
	    fi; \
	done; \
	echo "No Python 3.11 to 3.14 with venv found (tried: $(or $(PYTHON),python3 and python3.11 to python3.14))." >&2; \
	echo "Install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1
