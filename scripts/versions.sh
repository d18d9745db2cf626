# Versions of the tools that the setup installs. Sourced by the other scripts.
#
# Pinned elsewhere: Rust (rust-toolchain.toml), crates (Cargo.lock), npm packages (package.json, package-lock.json).
# shellcheck shell=bash disable=SC2034

# Rebuilds and reloads the page at each change; only for `make dev`. 0.3.11 needs Rust 1.96.
CARGO_LEPTOS_VERSION=0.3.11
# Checks licences, sources and advisories; only for `make test`.
CARGO_DENY_VERSION=0.20.2
# Fuzzes parsers; only for `make fuzz`.
CARGO_FUZZ_VERSION=0.13.2
# WebDriver server of Firefox; only for the tests.
GECKODRIVER_VERSION=0.37.1
# Checks the API against its OpenAPI description; only for `make test`.
SCHEMATHESIS_VERSION=4.32.5
# Audits the pages in `make bench`. Version 13 needs a newer Node than the tests.
LIGHTHOUSE_VERSION=12.8.2
# Minimum version for Sass and Playwright, and the version that is installed if it is not met.
NODE_AT_LEAST=20.19
NODE_VERSION=22.23.3

# From rust-toolchain.toml.
RUST_VERSION=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
# cargo-leptos calls the wasm-bindgen command, which must have exactly the crate's version in Cargo.lock.
WASM_BINDGEN_VERSION=$(awk '$1 == "name" && $3 == "\"wasm-bindgen\"" { getline; gsub(/"/, "", $3); print $3 }' "$ROOT/Cargo.lock")
# From package.json; part of the URL that the page loads.
UPLOT_VERSION=$(sed -n 's/.*"uplot": *"\(.*\)".*/\1/p' "$ROOT/package.json")
# Expected on two cores, for the time left that the set-up shows; docs/benchmarks.md.
SECONDS_OF_FIRST_BUILD=630
