#!/usr/bin/env bash
# Set-up, then everything that has to hold before a change is good: form, lints, licences, tests, a minute of
# storms, the build that is shipped, and the browser tests against it. Each part is timed and limited in time; the first that fails
# ends the run, and so does one that leaves processes or temporary folders behind. Arguments choose parts by name: scripts/test.sh format lints
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"
. "$ROOT/scripts/leftovers.sh"

PARTS=(setup format lints lints-wasm dependencies tests storms build browser)
CHOSEN=("$@")
SUMMARY=()
SKIPPED=()

# `app` is built in one way for the server and in another for the browser, so the two are never built together.
NATIVE=(--workspace --exclude signalbox-frontend --locked)

# A program that hangs must not take the whole run with it.
limited() {
    local limit=$1
    shift
    if have timeout; then timeout --kill-after=30s "$limit" "$@"; else "$@"; fi
}

setup() { scripts/setup.sh test; }

format() { limited 2m cargo fmt --all --check; }

lints() { limited 20m cargo clippy "${NATIVE[@]}" --all-targets --quiet -- -D warnings; }

lints-wasm() {
    limited 20m cargo clippy -p signalbox-frontend --target wasm32-unknown-unknown --locked --quiet -- -D warnings
}

dependencies() {
    limited 5m cargo deny --log-level error --locked check licenses bans sources || return 1
    # Advisories live in a git repository. Where that can't be reached, an older copy is better than none, and
    # nothing is said to be checked that was not.
    if limited 2m cargo deny fetch db >"$TOOLS/log/advisories.log" 2>&1 ||
        compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/.git" >/dev/null; then
        limited 5m cargo deny --log-level error --locked --offline check advisories || return 1
    else
        say "The database of advisories can't be reached from here, so advisories were NOT checked."
        SKIPPED+=("advisories (database not reachable)")
    fi
}

# Doc tests are among them, and the one that compares the committed OpenAPI document with the code.
tests() { limited 25m cargo test "${NATIVE[@]}" --quiet; }

# A minute of the storms that `make soak` makes for as long as one likes.
storms() { limited 10m scripts/soak.sh --seed 1 --minutes 1; }

build() { limited 25m scripts/build.sh; }

browser() {
    CHROMIUM=$(scripts/browser.sh) SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE \
        limited 25m playwright test --config end2end/playwright.config.ts
}

chosen() {
    [ ${#CHOSEN[@]} -eq 0 ] && return 0
    local part
    # Costs nothing when all is there, and the other parts rely on it.
    [ "$1" = setup ] && return 0
    for part in "${CHOSEN[@]}"; do [ "$part" = "$1" ] && return 0; done
    return 1
}

for part in ${CHOSEN[@]+"${CHOSEN[@]}"}; do
    case " ${PARTS[*]} " in
        *" $part "*) ;;
        *) die "There is no part '$part'." "The parts are: ${PARTS[*]}" ;;
    esac
done

mkdir -p "$TOOLS/log"
mark_run
trap 'rm -rf "$RUN_FOLDER"' EXIT
whole=$SECONDS
for part in "${PARTS[@]}"; do
    chosen "$part" || continue
    heading "▸ $part"
    started=$SECONDS
    if ! "$part"; then
        die "make test: '$part' failed after $(duration $((SECONDS - started))); the reason is above." \
            "This part alone:  scripts/test.sh $part"
    fi
    left_behind "$part" || die "make test: '$part' did not clean up; what it left is above." \
        "Whoever starts a process or makes a folder in a test ends and removes it there, also where the test fails."
    SUMMARY+=("$(printf '  %-14s%s' "$part" "$(duration $((SECONDS - started)))")")
done

heading "make test: all ${#SUMMARY[@]} parts passed in $(duration $((SECONDS - whole)))"
printf '%s\n' "${SUMMARY[@]}"
for what in ${SKIPPED[@]+"${SKIPPED[@]}"}; do say "  Not checked: $what"; done
