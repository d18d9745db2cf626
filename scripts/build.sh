#!/usr/bin/env bash
# Builds the server and the site (WebAssembly, styles, files). Returns at once if nothing has changed since the last
# build. With --parts, only prints the number of parts and the expected seconds of a build.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

# Contains the source folder of the build, because clones may share a target folder.
STAMP=$CARGO_TARGET_DIR/signalbox-site.stamp

# Folders are checked too, because their time changes when files are deleted or renamed. hash.txt is missing after
# `make dev`, which builds another site in the same folder.
is_fresh() {
    [ -x "$SERVER" ] && [ -x "$SERVER-server" ] && [ -d "$SITE/pkg" ] && [ -f "$SITE/hash.txt" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$ROOT" ] &&
        [ -z "$(find Cargo.toml Cargo.lock rust-toolchain.toml package-lock.json \
            app frontend server crates tools style public scripts -newer "$STAMP" -print -quit)" ]
}

if [ "${1:-}" = --parts ]; then
    if is_fresh; then echo 0 0; elif [ -x "$SERVER" ]; then echo 2 120; else echo 2 "$SECONDS_OF_FIRST_BUILD"; fi
    exit
fi
if is_fresh; then exit 0; fi

# Not after other parts, which have announced it.
if [ -z "${SIGNALBOX_PARTS:-}" ]; then heading "Building the page and the server (the first build takes several minutes)"; fi
mkdir -p "$CARGO_TARGET_DIR"
begun=$(mktemp "$CARGO_TARGET_DIR/signalbox-site.XXXXXX")
trap 'rm -f "$begun"' EXIT
printf '%s\n' "$ROOT" >"$begun"
started=$SECONDS
node scripts/site/build.mjs "$SITE" "$TOOLS/log" ||
    die "The build failed; see above." "If your changes are not the cause, run  make clean  and repeat the command."
# Time stamp of the start of the build, so that files edited during the build are newer.
mv "$begun" "$STAMP"
say "Built in $(duration $((SECONDS - started)))."
