#!/usr/bin/env bash
# Counts allocations and instructions of the hot paths in the release build, and compares them with bench/counts.json.
# Fails if one grew by more than the tolerance. Instructions are counted by valgrind, where it is installed.
#
#   scripts/counts.sh               compares
#   scripts/counts.sh --accept      records the counts of this build
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

# Together with the server and with its flags, so that the crates they share are built only once.
RUSTFLAGS="--cfg erase_components" cargo build --release --locked --quiet -p signalbox -p signalbox-bench --bin hot-paths ||
    die "The hot paths could not be built; see above."
exec node scripts/counts/main.mjs "$CARGO_TARGET_DIR/release/hot-paths" "$@"
