#!/usr/bin/env bash
# Updates the reference screenshots of end2end/visual.spec.ts. For intended visual changes: review the changed images in
# git before committing them.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

scripts/setup.sh test
scripts/build.sh
CHROMIUM=$(scripts/browser.sh)
export CHROMIUM SIGNALBOX_SERVER=$SERVER SIGNALBOX_SITE=$SITE
heading "Taking screenshots of the main pages"
playwright test --config end2end/playwright.config.ts --update-snapshots=all visual
say "The screenshots are in end2end/visual. See  git status  for the changed ones."
