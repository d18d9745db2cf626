# Paths of the project. Sourced first by the other scripts; sets PATH so that the project's own tools are found.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

absolute() { case $1 in /*) echo "$1" ;; *) echo "$ROOT/$1" ;; esac; }

# Tools installed by the setup, inside the project unless SIGNALBOX_TOOLS is set.
TOOLS=$(absolute "${SIGNALBOX_TOOLS:-.tools}")
# Build output of cargo.
CARGO_TARGET_DIR=$(absolute "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
# Site served to the browser; must match the setting of cargo-leptos, which `make dev` uses, in Cargo.toml.
SITE=$CARGO_TARGET_DIR/site
# Program of the command line; it needs signalbox-server in the same folder.
SERVER=$CARGO_TARGET_DIR/release/signalbox

export PATH="$TOOLS/bin:$ROOT/node_modules/.bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"

# shellcheck source=scripts/versions.sh
. "$ROOT/scripts/versions.sh"
# Use the project's toolchain, regardless of the calling shell's settings.
export RUSTUP_TOOLCHAIN=$RUST_VERSION
