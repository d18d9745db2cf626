#!/usr/bin/env bash
# Set-up, then the benchmarks of the whole: real processes, a real browser. docs/benchmarks.md quotes what they
# print. Arguments choose some: scripts/bench.sh latency
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"

PARTS=(latency stream stored readers)
[ $# -eq 0 ] && set -- "${PARTS[@]}"
for part in "$@"; do
    case " ${PARTS[*]} " in
        *" $part "*) ;;
        *) die "There is no benchmark '$part'." "They are: ${PARTS[*]}" ;;
    esac
done

scripts/setup.sh test
scripts/build.sh
heading "Building what the benchmarks need"
cargo build --release --locked --quiet -p signalbox-bench
export SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE
export BENCH_BIN=$CARGO_TARGET_DIR/release
CHROMIUM=$(scripts/browser.sh)
export CHROMIUM
for part in "$@"; do
    heading "▸ $part"
    node "end2end/bench/$part.mjs"
done
