# Every target does its own set-up (scripts/bootstrap.py): virtual environments under build/, from lock files.
# Needed beforehand: rustup's toolchain, gcc, make and one Python of 3.11 or later.

.DEFAULT_GOAL := help
.PHONY: help demo test test-full inventory gate fuzz fuzz-programs wheel sdist bench docs coverage fmt valgrind sanitize lock clean

# pyenv leaves names on PATH that do not run, so each is asked.
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3.14 python3.15 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; \
	done)
ifeq ($(PYTHON),)
$(error not found on PATH: Python 3.11 or later)
endif

ARGS ?=
# For how long each of the fuzzers works.
SECONDS ?= 1800
fuzz-programs: SECONDS = 3600

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## names, files and addresses on one loop, against a DNS server of its own
	$(PYTHON) scripts/bootstrap.py -- python scripts/demo.py

test: ## every check and test; ARGS="--python 3.12 --only pytest" for a part
	$(PYTHON) scripts/check.py $(ARGS)

test-full: ## all of it on all Pythons, with valgrind and wheels; writes tests/results/full.json
	$(PYTHON) scripts/check.py --full $(ARGS)

inventory: ## run the tests and bring tests/inventory.txt up to date
	$(PYTHON) scripts/check.py --inventory $(ARGS)

gate: ## pyuv 1.4.0's own tests; ARGS=--update rewrites their expected-pass list
	$(PYTHON) scripts/bootstrap.py -- python tests/gate/gate.py $(ARGS)

fuzz: ## mutated DNS messages for an hour, into the parser and into a channel; SECONDS=600 for less
	PYUV_FUZZ_SECONDS=$(SECONDS) $(PYTHON) scripts/bootstrap.py --no-extension -- \
		cargo test --locked --profile testing -p pyuv-dns --test fuzz_message --test fuzz_channel

fuzz-programs: ## random programs against the Python classes for an hour; SECONDS=600 for less
	$(PYTHON) scripts/bootstrap.py -- python tests/fuzz --without memory --seconds $(SECONDS) --jobs 2 --shrink

wheel: ## a wheel per Python in dist/, each tried; ARGS="--target aarch64" for the other processor
	$(PYTHON) scripts/wheel.py $(ARGS)

sdist: ## the source distribution in dist/, built and tried in an empty environment
	$(PYTHON) scripts/sdist.py

bench: ## the ratio tables of the benchmarks
	$(PYTHON) scripts/bootstrap.py --no-extension -- python benches/run.py $(ARGS)

docs: ## the manual, in build/docs
	$(PYTHON) scripts/bootstrap.py -- sphinx-build -W -b html docs build/docs

coverage: ## docs/coverage.md from docs/coverage.toml, and what is wrong with either
	$(PYTHON) scripts/bootstrap.py -- python scripts/api_coverage.py
	$(PYTHON) scripts/bootstrap.py -- python scripts/api_coverage.py --check

fmt: ## format Rust and Python
	$(PYTHON) scripts/bootstrap.py --no-extension -- cargo fmt --all
	$(PYTHON) scripts/bootstrap.py --no-extension -- ruff check --fix
	$(PYTHON) scripts/bootstrap.py --no-extension -- ruff format

valgrind: ## the Rust tests under memcheck
	$(PYTHON) scripts/valgrind.py

sanitize: ## the Rust tests under AddressSanitizer, and what calls no C under Miri
	$(PYTHON) scripts/sanitize.py || test $$? = 77
	$(PYTHON) scripts/sanitize.py miri || test $$? = 77

lock: ## bring the lock files in requirements/ up to date
	$(PYTHON) scripts/lock.py

clean: ## remove what was built
	rm -rf build bundled-licenses dist target
