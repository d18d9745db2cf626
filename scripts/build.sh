#!/usr/bin/env bash
# Builds the server and the site (WebAssembly, styles, files). Returns at once if nothing has changed since the last
# build.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

# Contains the source folder of the build, because clones may share a target folder.
STAMP=$CARGO_TARGET_DIR/signalbox-site.stamp

# Folders are checked too, because their time changes when files are deleted or renamed.
is_fresh() {
    [ -x "$SERVER" ] && [ -d "$SITE/pkg" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$ROOT" ] &&
        [ -z "$(find Cargo.toml Cargo.lock rust-toolchain.toml package-lock.json \
            app frontend server crates style public scripts -newer "$STAMP" -print -quit)" ]
}

if is_fresh; then exit 0; fi

heading "Building the page and the server (the first build takes several minutes)"
mkdir -p "$CARGO_TARGET_DIR"
begun=$(mktemp "$CARGO_TARGET_DIR/signalbox-site.XXXXXX")
trap 'rm -f "$begun"' EXIT
printf '%s\n' "$ROOT" >"$begun"
started=$SECONDS
cargo leptos build --release --split ||
    die "The build failed; see above." "If your changes are not the cause, run:  make clean, then make again."
# The site is complete without the program's folder.
cp "$(dirname "$SERVER")/hash.txt" "$SITE/"
node scripts/compress.mjs "$SITE" || die "Compressing the site failed; see above."
# Time stamp of the start of the build, so that files edited during the build are newer.
mv "$begun" "$STAMP"
say "Built in $(duration $((SECONDS - started)))."
