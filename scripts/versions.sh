# The versions of what set-up brings, in one place. Sourced by the other scripts.
#
# Pinned elsewhere, and read from there: Rust and its parts (rust-toolchain.toml), crates (Cargo.lock),
# what npm brings (package.json, package-lock.json).
# shellcheck shell=bash disable=SC2034

# Builds the WebAssembly side and the server together. 0.3.11 needs Rust 1.96.
CARGO_LEPTOS_VERSION=0.3.11
# Checks licences, sources and advisories; only `make test` needs it.
CARGO_DENY_VERSION=0.20.2
# Judges the pages in `make bench`. Version 13 wants a newer Node than the tests do.
LIGHTHOUSE_VERSION=12.8.2
# The least that works for Sass and Playwright, and what is brought where there is less.
NODE_AT_LEAST=20.19
NODE_VERSION=22.23.3

# From rust-toolchain.toml.
RUST_VERSION=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
# wasm-bindgen's program must be of the very version that Cargo.lock gives its crate.
WASM_BINDGEN_VERSION=$(awk '$1 == "name" && $3 == "\"wasm-bindgen\"" { getline; gsub(/"/, "", $3); print $3 }' "$ROOT/Cargo.lock")
# From package.json; the page asks for it by this version.
UPLOT_VERSION=$(sed -n 's/.*"uplot": *"\(.*\)".*/\1/p' "$ROOT/package.json")
