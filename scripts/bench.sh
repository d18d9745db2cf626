#!/usr/bin/env bash
# Runs the setup and the end-to-end benchmarks with real processes and a real browser. docs/benchmarks.md quotes their
# output. Arguments select benchmarks: scripts/bench.sh latency
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

PARTS=(latency stream stored history growth scale long-runs readers cli revoke load busy renderer frames heap slow lighthouse)
# Only if named, because it takes an hour.
LONG_PARTS=(hour)
[ $# -eq 0 ] && set -- "${PARTS[@]}"
for part in "$@"; do
    case " ${PARTS[*]} ${LONG_PARTS[*]} " in
        *" $part "*) ;;
        *) die "Unknown benchmark '$part'." "Benchmarks: ${PARTS[*]} ${LONG_PARTS[*]}" ;;
    esac
done

scripts/setup.sh test
scripts/build.sh
heading "Building the benchmarks"
# Same flags as for the server, so that shared crates are built only once.
RUSTFLAGS="--cfg erase_components" cargo build --release --locked --quiet -p signalbox-bench
export SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE
export BENCH_BIN=$CARGO_TARGET_DIR/release
CHROMIUM=$(scripts/browser.sh)
export CHROMIUM

# Large and needed only here, so it is not in package.json.
lighthouse() {
    LIGHTHOUSE=$TOOLS/lighthouse/node_modules/.bin/lighthouse
    export LIGHTHOUSE
    [ "$("$LIGHTHOUSE" --version 2>/dev/null)" = "$LIGHTHOUSE_VERSION" ] && return
    mkdir -p "$TOOLS/lighthouse"
    step "Lighthouse $LIGHTHOUSE_VERSION, to audit the pages" 15 npm install --prefix "$TOOLS/lighthouse" --no-save \
        --no-package-lock --ignore-scripts "lighthouse@$LIGHTHOUSE_VERSION" ||
        die "npm could not install Lighthouse $LIGHTHOUSE_VERSION." "The other benchmarks work without it:  make bench ARGS=\"load busy\""
}

for part in "$@"; do
    if [ "$part" = lighthouse ]; then lighthouse; fi
done
for part in "$@"; do
    heading "▸ $part"
    node "end2end/bench/$part.mjs"
done
