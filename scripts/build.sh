#!/usr/bin/env bash
# Builds what is served: the server's program and the site (WebAssembly, styles, files). Says nothing and takes
# no time when nothing has changed since the last build.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"

# Holds for which folder it was built: a target folder may be shared by several clones.
STAMP=$CARGO_TARGET_DIR/signalbox-site.stamp

# Folders are looked at as well: what was deleted or renamed changes them.
is_fresh() {
    [ -x "$SERVER" ] && [ -d "$SITE/pkg" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$ROOT" ] &&
        [ -z "$(find Cargo.toml Cargo.lock rust-toolchain.toml package-lock.json \
            app frontend server crates style public scripts -newer "$STAMP" -print -quit)" ]
}

if is_fresh; then exit 0; fi

heading "Building the page and the server (minutes at first, then only what has changed)"
mkdir -p "$CARGO_TARGET_DIR"
begun=$(mktemp "$CARGO_TARGET_DIR/signalbox-site.XXXXXX")
trap 'rm -f "$begun"' EXIT
printf '%s\n' "$ROOT" >"$begun"
started=$SECONDS
cargo leptos build --release --split ||
    die "The build failed; the reason is above." "If it is not your change, try:  make clean, then make again."
node scripts/compress.mjs "$SITE" || die "The site could not be packed; the reason is above."
# As of when the build began: what is edited meanwhile is newer.
mv "$begun" "$STAMP"
say "Built in $(duration $((SECONDS - started)))."
