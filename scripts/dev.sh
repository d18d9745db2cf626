#!/usr/bin/env bash
# Runs the setup, then serves the dashboard and rebuilds and reloads it on changes. Pages are split into lazy-loaded
# chunks (`--split`), as in the release build. Arguments are passed to `signalbox serve`.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

scripts/setup.sh dev
exec cargo leptos watch --split -- serve "$@"
