#!/usr/bin/env bash
# Runs the setup and all checks: format, lints, licences, tests, one minute of the soak test, the release build, and the
# browser tests against it. Each part has a time limit. The run stops at the first part that
# fails, or that leaves processes or temporary folders behind. Arguments select parts: scripts/test.sh format lints. With
# --all, the long parts run, too.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"
. "$ROOT/scripts/leftovers.sh"

PARTS=(setup docs structure format lints lints-wasm rustdoc dependencies tests soak build api browser engines)
# Run by `make test-all` in addition.
LONG_PARTS=(counts fleet engines-all)
KNOWN=("${PARTS[@]}" "${LONG_PARTS[@]}")
NAME="make test"
if [ "${1:-}" = --all ]; then
    NAME="make test-all" PARTS=("${KNOWN[@]}")
    shift
fi
CHOSEN=("$@")
[ $# -gt 0 ] || CHOSEN=("${PARTS[@]}")
SUMMARY=()
SKIPPED=()

# `app` has different features for server and browser, so the two must not be built together.
NATIVE=(--workspace --exclude signalbox-frontend --locked)

# A hanging program must not block the whole run.
limited() {
    local limit=$1
    shift
    if have timeout; then timeout --kill-after=30s "$limit" "$@"; else "$@"; fi
}

setup() { scripts/setup.sh test; }

docs() {
    limited 2m node scripts/words.mjs && limited 2m node scripts/links.mjs && limited 2m markdownlint-cli2 '**/*.md'
}

# Layers of the crates, and circles among modules.
structure() {
    limited 2m node --test --test-reporter dot scripts/structure/structure.test.mjs scripts/contrast.test.mjs && limited 2m node scripts/structure.mjs
}

format() { limited 2m cargo fmt --all --check && limited 2m cargo fmt --manifest-path fuzz/Cargo.toml --check; }

lints() { limited 20m cargo clippy "${NATIVE[@]}" --all-targets --quiet -- -D warnings; }

lints-wasm() {
    limited 20m cargo clippy -p signalbox-frontend --target wasm32-unknown-unknown --locked --quiet -- -D warnings
}

dependencies() {
    limited 5m cargo deny --log-level error --locked check licenses bans sources || return 1
    # Advisories are in a git repository. If it is unreachable, an older copy is used; without one, the summary says
    # that advisories were not checked.
    if limited 2m cargo deny fetch db >"$TOOLS/log/advisories.log" 2>&1 ||
        compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/.git" >/dev/null; then
        limited 5m cargo deny --log-level error --locked --offline check advisories || return 1
    else
        say "The advisory database is unreachable, so advisories were NOT checked."
        SKIPPED+=("advisories (database unreachable)")
    fi
}

# Links and names in the doc comments.
rustdoc() {
    RUSTDOCFLAGS="-D warnings" limited 10m cargo doc "${NATIVE[@]}" --no-deps --document-private-items --quiet
}

# Includes doc tests, and the test that compares docs/openapi.json with the code.
tests() { limited 35m cargo test "${NATIVE[@]}" --quiet; }

# One minute of `make soak`.
soak() { limited 10m scripts/soak.sh --seed 1 --minutes 1; }

build() {
    limited 2m node --test --test-reporter dot scripts/site/site.test.mjs && limited 45m scripts/build.sh
}

# Allocations and instructions of the hot paths. After the build, whose crates it uses.
counts() {
    limited 2m node --test --test-reporter dot scripts/counts/compare.test.mjs end2end/bench/growth-report.test.mjs \
        end2end/bench/capacity-model.test.mjs &&
        limited 25m scripts/counts.sh || return 1
    have valgrind || SKIPPED+=("instructions of the hot paths (valgrind not installed)")
}

# The real server against its published description.
api() {
    if ! have schemathesis; then
        say "schemathesis is not installed, so the API was NOT checked against its description."
        SKIPPED+=("API against its description (schemathesis not installed)")
        return 0
    fi
    limited 5m scripts/api.sh
}

browser() {
    CHROMIUM=$(scripts/browser.sh) SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE \
        limited 45m playwright test --config end2end/playwright.config.ts
}

# The most important flows in the engines that `browser` does not have.
engines() { in_engines 10m "firefox webkit" --grep @smoke; }

# All flows, in each engine.
engines-all() { simulated-hosts && in_engines 30m "chromium firefox webkit"; }

# The pages of hosts with 100 simulated hosts and 90 days of metrics, in Chromium; `engines-all` has them in all engines.
fleet() {
    simulated-hosts &&
        CHROMIUM=$(scripts/browser.sh) SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE BENCH_BIN=$CARGO_TARGET_DIR/release \
            limited 15m playwright test --config end2end/fleet/playwright.config.ts
}

# Builds the program that simulates hosts, with the flags of the server, so that shared crates are built only once.
simulated-hosts() {
    RUSTFLAGS="--cfg erase_components" limited 15m cargo build --release --locked --quiet -p signalbox-bench --bin simulated-hosts
}

# in_engines LIMIT ENGINES PLAYWRIGHT_ARGUMENT...: runs the flows in the installed ones of these engines.
in_engines() {
    local limit=$1 wanted=" $2 " name driver reason projects=()
    shift 2
    while IFS=$'\t' read -r name driver reason; do
        case $wanted in *" $name "*) ;; *) continue ;; esac
        if [ "$driver" = - ]; then
            say "The flows were NOT tested in $name: $reason."
            SKIPPED+=("flows in $name ($reason)")
        else
            projects+=(--project "$name")
        fi
    done < <(scripts/engines.sh)
    [ ${#projects[@]} -gt 0 ] || return 0
    SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE BENCH_BIN=$CARGO_TARGET_DIR/release \
        limited "$limit" playwright test --config end2end/engines/playwright.config.ts "${projects[@]}" "$@"
}

chosen() {
    local part
    # Fast if everything is installed, and required by the other parts.
    [ "$1" = setup ] && return 0
    for part in "${CHOSEN[@]}"; do [ "$part" = "$1" ] && return 0; done
    return 1
}

for part in "${CHOSEN[@]}"; do
    case " ${KNOWN[*]} " in
        *" $part "*) ;;
        *) die "Unknown part '$part'." "Parts: ${KNOWN[*]}" ;;
    esac
done

mkdir -p "$TOOLS/log"
mark_run
trap 'rm -rf "$RUN_FOLDER"' EXIT
whole=$SECONDS
for part in "${KNOWN[@]}"; do
    chosen "$part" || continue
    heading "▸ $part"
    started=$SECONDS
    if ! "$part"; then
        die "$NAME: '$part' failed after $(duration $((SECONDS - started))); see above." \
            "To run only this part:  scripts/test.sh $part"
    fi
    left_behind "$part" || die "$NAME: '$part' did not clean up; see the list above." \
        "A test must stop its processes and delete its folders, even if it fails."
    SUMMARY+=("$(printf '  %-14s%s' "$part" "$(duration $((SECONDS - started)))")")
done

heading "$NAME: all ${#SUMMARY[@]} parts passed in $(duration $((SECONDS - whole)))"
printf '%s\n' "${SUMMARY[@]}"
for what in ${SKIPPED[@]+"${SKIPPED[@]}"}; do say "  Not checked: $what"; done
