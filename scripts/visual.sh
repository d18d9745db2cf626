#!/usr/bin/env bash
# Draws the pictures anew that end2end/visual.spec.ts compares the main pages with. For a change of the look that was
# meant: look at what git shows to have changed before it is committed.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"

scripts/setup.sh test
scripts/build.sh
CHROMIUM=$(scripts/browser.sh)
export CHROMIUM SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE
heading "Drawing the main pages"
playwright test --config end2end/playwright.config.ts --update-snapshots=all visual
say "They are in end2end/visual.  git status  says which have changed."
