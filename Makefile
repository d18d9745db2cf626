SHELL := bash
# Commands of this project. Each runs the setup that it needs; the scripts are in scripts/.
.DEFAULT_GOAL := help
.PHONY: help serve build dev test test-all bench soak fuzz fmt setup clean
.NOTPARALLEL:

# Arguments of the command: make serve ARGS="--listen 127.0.0.1:8000"
ARGS ?=

help:
	@echo 'make serve            build and serve the dashboard'
	@echo 'make build            build the dashboard only'
	@echo 'make dev              serve the dashboard, and rebuild and reload it on changes'
	@echo 'make test             run all checks: lints, licences, tests, browser tests'
	@echo 'make test-all         run make test, and all browser flows in Chromium, Firefox and WebKit'
	@echo 'make bench            run the benchmarks'
	@echo 'make soak             run fault-injection tests: kills, pauses, network faults, a full disk'
	@echo 'make fuzz             search for inputs that break a parser, a minute for each parser'
	@echo 'make fmt              format the code'
	@echo 'make setup            install the tools only'
	@echo 'make clean            delete build output, but keep the tools'
	@echo
	@echo 'ARGS="..." passes arguments to the command:  make serve ARGS="--listen 127.0.0.1:8000"'
	@echo 'For single parts of the tests:  make test ARGS="format lints"'

serve:
	@scripts/serve.sh $(ARGS)

build:
	@scripts/setup.sh build

dev:
	@scripts/dev.sh $(ARGS)

test:
	@scripts/test.sh $(ARGS)

test-all:
	@scripts/test.sh --all $(ARGS)

bench:
	@scripts/bench.sh $(ARGS)

soak:
	@scripts/soak.sh $(ARGS)

fuzz:
	@scripts/fuzz.sh $(ARGS)

fmt:
	@. scripts/paths.sh && cargo fmt --all && cargo fmt --manifest-path fuzz/Cargo.toml

setup:
	@scripts/setup.sh test

clean:
	@. scripts/paths.sh && cargo clean --quiet && rm -rf "$$SITE" end2end/test-results end2end/report end2end/shots
