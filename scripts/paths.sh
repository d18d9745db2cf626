# Where everything is. Sourced first by the other scripts; sets PATH so that the project's own tools are found.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

absolute() { case $1 in /*) echo "$1" ;; *) echo "$ROOT/$1" ;; esac; }

# Programs that set-up builds or brings: inside the project unless told otherwise.
TOOLS=$(absolute "${SIGNALBOX_TOOLS:-.tools}")
# What cargo builds.
CARGO_TARGET_DIR=$(absolute "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
# What the browser gets; Cargo.toml says the same to cargo-leptos.
SITE=$CARGO_TARGET_DIR/site
SERVER=$CARGO_TARGET_DIR/release/signalbox

export PATH="$TOOLS/bin:$ROOT/node_modules/.bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"

# shellcheck source=scripts/versions.sh
. "$ROOT/scripts/versions.sh"
# The project's toolchain, whatever the shell that called us was set to.
export RUSTUP_TOOLCHAIN=$RUST_VERSION
