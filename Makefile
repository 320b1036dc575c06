# The human door. Builds are described by CMakePresets.json, test stages by tools/test.sh; nothing is decided here.

JOBS ?= $(shell nproc)
SECONDS ?= 60
TEST := JOBS=$(JOBS) tools/test.sh
PYTHON := tools/python.sh
C_FILES = $(shell find src sim tests fuzz bench -name '*.[ch]' -not -name '*.gen.[ch]' -o -name '*.cc' | sort)

.DEFAULT_GOAL := help
.PHONY: help
help: ## This list
	@sed -n 's/^\([a-z][a-z0-9%-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: ## Install, build, run the whole system with vehicles and attacks; Ctrl-C ends it. ONCE=1 ends by itself
	@ONCE=$(ONCE) tools/demo.sh

.PHONY: setup
setup: ## Install what is missing: Debian packages, .venv, npm packages
	@tools/setup.sh

.PHONY: build
build: ## Build as released; programs are in build/release/bin
	@tools/setup.sh build test
	@$(TEST) release

.PHONY: asan tsan clang
asan: ## Build with AddressSanitizer and UndefinedBehaviorSanitizer
	@$(TEST) asan
tsan: ## Build with ThreadSanitizer
	cmake --preset tsan
	cmake --build build/tsan -j $(JOBS)
clang: ## Build with clang, warnings are errors
	@$(TEST) clang

.PHONY: release
release: build ## The same as build

.PHONY: test
test: ## Everything: install, tidy, sanitizers, both compilers, oracles, end to end, console, threads, fuzz smoke
	@$(TEST)

.PHONY: test-unit test-oracle test-e2e test-console
test-unit: ## Unit tests under the sanitizers
	@$(TEST) asan unit
test-oracle: ## Against cantools, python-can, scapy, pySigma, libcbor ...
	@$(TEST) asan oracle
test-e2e: ## The programs as users run them
	@$(TEST) release e2e
test-console: ## Console unit tests and browser journeys
	@$(TEST) release console browser

test-%: ## Tests whose name matches %, from the unit, oracle and e2e stages
	@$(TEST) asan release
	@ran=0; \
	if ctest --test-dir build/asan -N -R '$*' | grep -q 'Test *#'; then ran=1; ONLY='$*' $(TEST) unit || exit 1; fi; \
	for stage in oracle e2e; do \
		if .venv/bin/python -m pytest -q --collect-only -k '$*' tests/$$stage >/dev/null 2>&1; then ran=1; ONLY='$*' $(TEST) $$stage || exit 1; fi; \
	done; \
	if [ $$ran -eq 0 ]; then echo "no test matches '$*'" >&2; exit 1; fi

.PHONY: tidy
tidy: ## The house rules: include direction, no heap in the vehicle, banned calls, sizes, dead files
	@$(PYTHON) tools/tidy.py

.PHONY: fmt fmt-check
fmt: ## Format the C sources in place
	@clang-format -i $(C_FILES)
fmt-check: ## Fail when a C source is not formatted
	@clang-format --dry-run --Werror $(C_FILES)

.PHONY: lint
lint: ## clang-tidy over src and sim
	@cmake --preset clang >/dev/null
	@run-clang-tidy -quiet -j $(JOBS) -p build/clang '$(CURDIR)/(src|sim)/.*\.c$$' 2>/dev/null | sed -e 's/\x1b\[[0-9;]*m//g' -e '/^clang-tidy/d'; exit $${PIPESTATUS[0]}
lint: SHELL := /bin/bash

.PHONY: fuzz
fuzz: ## Run every fuzz target for SECONDS=60 each, two at a time; NAMES="dbc cbor" picks some
	@cmake --preset fuzz
	@cmake --build build/fuzz -j $(JOBS) --target fuzz/all
	@SECONDS_EACH=$(SECONDS) tools/fuzz.sh $(NAMES)

.PHONY: bench
bench: ## Build and run the benchmarks behind docs/benchmarks.md
	@cmake --preset release
	@cmake --build build/release -j $(JOBS) --target bench/all
	@tools/bench.sh

.PHONY: bench-peers
bench-peers: ## Build the peers' drivers from their registries and put them and us through the same cases
	@bench/peers/setup.sh
	@cmake --preset release
	@cmake --build build/release -j $(JOBS) --target peer_ours
	@$(PYTHON) bench/peers/run.py

.PHONY: size
size: ## Code, data and stack of the vehicle library
	@$(PYTHON) tools/size.py

.PHONY: console
console: ## Build the console into console/dist
	@tools/setup.sh console
	@npm --prefix console run build

.PHONY: clean
clean: ## Remove everything that was built; keeps .venv and node_modules
	rm -rf build console/dist demo-data
