#!/usr/bin/env bash
# Runs the setup, and fuzzes the parsers that read what others wrote, for a minute each; see CONTRIBUTING.md. Arguments
# select targets and the time:
#   scripts/fuzz.sh --seconds 600 sse csv
# New inputs are kept in the target folder, and used by the next run. The run stops at the first input that breaks a parser.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

SECONDS_EACH=60
TARGETS=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) SECONDS_EACH=${2:?--seconds needs a number} && shift ;;
        *) TARGETS+=("$1") ;;
    esac
    shift
done
KNOWN=$(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' fuzz/Cargo.toml)
# shellcheck disable=SC2206
[ ${#TARGETS[@]} -gt 0 ] || TARGETS=($KNOWN)
for target in "${TARGETS[@]}"; do
    grep -qx "$target" <<<"$KNOWN" || die "Unknown target '$target'." "Targets: $(tr '\n' ' ' <<<"$KNOWN")"
done

scripts/setup.sh fuzz
FOLDER=$CARGO_TARGET_DIR/fuzz
# The code has no `unsafe`, so no sanitizer of memory is used, and with it no nightly Rust.
FLAGS=(--sanitizer none --target-dir "$FOLDER/build")

heading "Building the fuzz targets"
for target in "${TARGETS[@]}"; do
    cargo fuzz build "${FLAGS[@]}" "$target" || die "The target '$target' could not be built; see above."
done
for target in "${TARGETS[@]}"; do
    heading "▸ $target"
    new=$FOLDER/corpus/$target log=$FOLDER/$target.log
    mkdir -p "$new"
    if ! cargo fuzz run "${FLAGS[@]}" "$target" "$new" "fuzz/corpus/$target" -- -max_total_time="$SECONDS_EACH" \
        -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1; then
        tail -n 40 "$log"
        die "The target '$target' found an input that breaks a parser; see above." \
            "Add the input to fuzz/corpus/$target, so that the tests of the crate use it, and fix the parser."
    fi
    grep -E '^(Done|stat::number_of_executed_units)' "$log" || tail -n 3 "$log"
done
