#!/usr/bin/env bash
# Runs the setup, the build, and fault-injection tests against a real server and real hosts; see docs/reliability.md.
# Arguments are passed to `soak run`:
#   scripts/soak.sh --seed 7 --minutes 30
# Uses the debug build, because its assertions are checks too. If a guarantee is violated, the logs stay in the target
# folder. Clock jumps need libfaketime (apt-get install faketime on Debian and Ubuntu).
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

scripts/setup.sh tools
heading "Building the server and the soak test"
cargo build --locked --quiet -p signalbox -p signalbox-soak ||
    die "The build failed; see above."
PROGRAMS=$CARGO_TARGET_DIR/debug
FOLDER=$CARGO_TARGET_DIR/soak
mkdir -p "$FOLDER"

# The full-disk fault needs a private mount that disappears with the process.
OWN=()
if have unshare; then
    for how in "--mount" "--user --map-root-user --mount"; do
        # shellcheck disable=SC2086
        if unshare $how sh -c 'mount -t tmpfs -o size=1m tmpfs /mnt' 2>/dev/null; then
            # shellcheck disable=SC2206
            OWN=(unshare $how)
            break
        fi
    done
fi
FLAGS=()
if [ ${#OWN[@]} -gt 0 ]; then FLAGS=(--own-mounts); fi

exec ${OWN[@]+"${OWN[@]}"} "$PROGRAMS/soak" run --server "$PROGRAMS/signalbox" --folder "$FOLDER" \
    ${FLAGS[@]+"${FLAGS[@]}"} "$@"
