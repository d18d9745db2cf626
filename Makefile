SHELL := bash
# The commands of this project. Each does the set-up that it needs; scripts/ holds the work.
.DEFAULT_GOAL := help
.PHONY: help serve build dev test bench soak fmt setup clean
.NOTPARALLEL:

# Goes to the program behind the command: make serve ARGS="--listen 127.0.0.1:8000"
ARGS ?=

help:
	@echo 'make serve            build Signalbox and serve the dashboard'
	@echo 'make build            build it, and do not serve it'
	@echo 'make dev              serve it, rebuilt and reloaded at each change'
	@echo 'make test             everything that has to hold: lints, licences, tests, browser tests'
	@echo 'make bench            the benchmarks'
	@echo 'make soak             storms: kills, pauses, bad lines, a full disk, and a check of every promise'
	@echo 'make fmt              put the code in its form'
	@echo 'make setup            bring the tools, and do nothing else'
	@echo 'make clean            remove what was built; tools stay'
	@echo
	@echo 'ARGS="..." goes to the program behind it, as in  make serve ARGS="--listen 127.0.0.1:8000"'
	@echo 'or  make test ARGS="format lints"  for some of the parts.'

serve:
	@scripts/serve.sh $(ARGS)

build:
	@scripts/setup.sh serve && scripts/build.sh

dev:
	@scripts/dev.sh $(ARGS)

test:
	@scripts/test.sh $(ARGS)

bench:
	@scripts/bench.sh $(ARGS)

soak:
	@scripts/soak.sh $(ARGS)

fmt:
	@. scripts/paths.sh && cargo fmt --all

setup:
	@scripts/setup.sh test

clean:
	@. scripts/paths.sh && cargo clean --quiet && rm -rf "$$SITE" end2end/test-results end2end/report end2end/shots
