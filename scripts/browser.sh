#!/usr/bin/env bash
# Prints the path of the browser for tests: CHROMIUM if set, otherwise the first Chrome or Chromium found.
set -euo pipefail

for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    if [ -n "$browser" ] && command -v "$browser"; then exit 0; fi
    # If CHROMIUM is set, no other browser is used.
    if [ -n "${CHROMIUM:-}" ]; then exit 1; fi
done
exit 1
