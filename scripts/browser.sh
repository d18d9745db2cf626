#!/usr/bin/env bash
# Prints the browser that tests use: CHROMIUM if set, else the first Chrome or Chromium that is there.
set -euo pipefail

for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [ -n "$browser" ] && command -v "$browser"; then exit 0; fi
    # The one that was asked for, or none.
    if [ -n "${CHROMIUM:-}" ]; then exit 1; fi
done
exit 1
