#!/usr/bin/env bash
# Set-up, build, then storms over a real server and real hosts: docs/reliability.md. Arguments go to `soak run`:
#   scripts/soak.sh --seed 7 --minutes 30
# What is built is the debug build, whose own assertions watch along. Evidence stays in the target folder when a
# promise was broken. Clocks are made to jump where libfaketime is (apt-get install faketime on Debian and Ubuntu).
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"

scripts/setup.sh serve
heading "Building the server and the storms"
cargo build --locked --quiet -p signalbox -p signalbox-soak ||
    die "The build failed; the reason is above."
PROGRAMS=$CARGO_TARGET_DIR/debug
FOLDER=$CARGO_TARGET_DIR/soak
mkdir -p "$FOLDER"

# The full disk needs a disk of its own, which nobody else sees and which goes with the process.
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
